import { formatCount } from "@/lib/format";
import { useLingui } from "@lingui/react";
import { type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from "react";

import type { Note } from "@/api/replay";
import { formatClock, formatScore } from "@/lib/format";
import { useTheme } from "@/lib/theme";
import { binTimeline, type TimelineBins } from "@/play/replay/timeline-bins";

import {
  type LoadedData,
  type ReplayModel,
  useFrame,
  useLoaded,
  usePlayerState,
} from "./use-replay";

const SCORE_HEIGHT = 34;
const ROW_HEIGHT = 7;
const ROW_GAP = 2;
const MARK_HEIGHT = 9;
const MAX_ROWS = 8;

interface Props {
  model: ReplayModel;
  notes: readonly Note[];
}

/**
 * Timeline: score, held controls and marks, and a slider over them. It is drawn when its data
 * changes, not when the frame does.
 */
export function Timeline({ model, notes }: Props) {
  const { i18n } = useLingui();
  const { player, replay } = model;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const controls = replay.game.controls.slice(0, MAX_ROWS);
  const height = SCORE_HEIGHT + controls.length * (ROW_HEIGHT + ROW_GAP) + 2 * MARK_HEIGHT + 6;
  const [theme] = useTheme();
  const loaded = useLoaded(model);
  useEffect(() => {
    if (canvas.current === null || width === 0) return;
    drawTimeline(canvas.current, model, loaded, notes, { width, height });
  }, [model, loaded, notes, width, height, theme]);

  useLayoutEffect(() => {
    const element = canvas.current?.parentElement;
    if (element === null || element === undefined) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return (
    <div className="relative touch-none select-none" style={{ height }}>
      <canvas ref={canvas} aria-hidden="true" className="absolute inset-0 size-full rounded-lg" />
      <LoopRange model={model} />
      <Slider model={model} />
      <span className="sr-only">
        {i18n._("Rows of the timeline: score, {controls}, rewards, events and notes. {frames}.", {
          controls: controls.map(({ label }) => label).join(", "),
          frames: formatCount(player.lastFrame + 1, "frame"),
        })}
      </span>
    </div>
  );
}

const percent = (frame: number, last: number) => `${(100 * (frame + 0.5)) / (last + 1)}%`;

/** Highlights the range that loops. */
function LoopRange({ model: { player } }: { model: ReplayModel }) {
  const { loop } = usePlayerState(player);
  if (loop === null) return null;
  return (
    <div
      aria-hidden="true"
      data-testid="loop"
      className="pointer-events-none absolute inset-y-0 border-x-2 border-marigold bg-marigold/20"
      style={{
        left: `${(100 * loop.from) / (player.lastFrame + 1)}%`,
        width: `${(100 * (loop.to + 1 - loop.from)) / (player.lastFrame + 1)}%`,
      }}
    />
  );
}

/** The cursor. Dragging pauses and goes on afterwards. */
function Slider({ model }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const { player, data } = model;
  const frame = useFrame(player);
  const resumes = useRef(false);
  const frameAt = (event: PointerEvent<HTMLElement>) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return Math.floor(((event.clientX - left) / width) * (player.lastFrame + 1));
  };
  const seconds = Math.floor((data.times[frame] ?? 0) / 1000);
  const score = data.scores[frame] ?? 0;
  return (
    <div
      role="slider"
      tabIndex={0}
      data-testid="slider"
      aria-label={i18n._("Frame")}
      aria-valuemin={0}
      aria-valuemax={player.lastFrame}
      aria-valuenow={frame}
      aria-valuetext={i18n._("Frame {frame} of {lastFrame}, {time}, score {score}", {
        frame: String(frame),
        lastFrame: String(player.lastFrame),
        time: formatClock(seconds),
        score: formatScore(score),
      })}
      className="absolute inset-0 cursor-pointer rounded-lg"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        resumes.current = player.state.getSnapshot().isPlaying;
        player.pause();
        void player.seek(frameAt(event));
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) {
          void player.seek(frameAt(event));
        }
      }}
      onPointerUp={() => {
        if (resumes.current) player.play();
        resumes.current = false;
      }}
    >
      <div
        aria-hidden="true"
        className="pointer-events-none absolute -inset-y-1 w-0.5 -translate-x-1/2 rounded-full bg-ink shadow-[0_0_0_1px_var(--bg)]"
        style={{ left: percent(frame, player.lastFrame) }}
      >
        <span className="absolute -top-1 left-1/2 size-3 -translate-x-1/2 rounded-full bg-ink" />
      </div>
    </div>
  );
}

function drawTimeline(
  element: HTMLCanvasElement,
  model: ReplayModel,
  loaded: LoadedData,
  notes: readonly Note[],
  { width, height }: { width: number; height: number },
): void {
  const surface = element.getContext("2d");
  if (surface === null) return;
  const { data, player, replay } = model;
  const bins = binTimeline(
    {
      data,
      frameCount: player.lastFrame + 1,
      presses: loaded.presses,
      livesLost: loaded.livesLost,
      events: loaded.notable,
      notes: notes.filter(({ time_retracted: retracted }) => retracted === null),
    },
    width,
  );
  const ratio = devicePixelRatio;
  element.width = Math.round(width * ratio);
  element.height = Math.round(height * ratio);
  surface.setTransform(ratio, 0, 0, ratio, 0, 0);
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name);
  surface.fillStyle = colour("--surface");
  surface.fillRect(0, 0, width, height);
  drawScore(surface, bins, colour("--teal"));
  const rows = replay.game.controls.slice(0, MAX_ROWS).map(({ name }) => name);
  drawControls(surface, bins, rows, colour("--raised"), colour("--sky"));
  drawMarks(surface, bins, height, colour);
}

function drawScore(surface: CanvasRenderingContext2D, bins: TimelineBins, colour: string): void {
  const { highScores, lowScores } = bins;
  let [low, high] = [Infinity, -Infinity];
  for (let bin = 0; bin < bins.count; bin++) {
    if (Number.isFinite(lowScores[bin])) low = Math.min(low, lowScores[bin] ?? low);
    if (Number.isFinite(highScores[bin])) high = Math.max(high, highScores[bin] ?? high);
  }
  if (!(high > low)) return;
  const y = (score: number) =>
    SCORE_HEIGHT - 2 - ((score - low) / (high - low)) * (SCORE_HEIGHT - 6);
  surface.fillStyle = colour;
  let before = NaN;
  for (let bin = 0; bin < bins.count; bin++) {
    const { [bin]: top = NaN } = highScores;
    const { [bin]: bottom = NaN } = lowScores;
    const [from, to] = Number.isNaN(top) ? [before, before] : [top, bottom];
    if (Number.isNaN(from)) continue;
    surface.globalAlpha = 0.22;
    surface.fillRect(bin, y(from), 1, SCORE_HEIGHT - y(from));
    surface.globalAlpha = 1;
    const upper = Math.min(y(from), Number.isNaN(before) ? Infinity : y(before));
    const lower = Math.max(y(to), Number.isNaN(before) ? -Infinity : y(before));
    surface.fillRect(bin, upper - 1, 1, Math.max(lower - upper, 0) + 2);
    before = Number.isNaN(top) ? before : bottom;
  }
}

function drawControls(
  surface: CanvasRenderingContext2D,
  bins: TimelineBins,
  controls: readonly string[],
  ground: string,
  colour: string,
): void {
  controls.forEach((control, row) => {
    const top = SCORE_HEIGHT + 2 + row * (ROW_HEIGHT + ROW_GAP);
    surface.fillStyle = ground;
    surface.fillRect(0, top, bins.count, ROW_HEIGHT);
    surface.fillStyle = colour;
    const shares = bins.held.get(control);
    if (shares === undefined) return;
    for (let bin = 0; bin < bins.count; bin++) {
      const share = shares[bin] ?? 0;
      if (share === 0) continue;
      surface.globalAlpha = 0.35 + 0.65 * share;
      surface.fillRect(bin, top, 1, ROW_HEIGHT);
    }
    surface.globalAlpha = 1;
  });
}

function drawMarks(
  surface: CanvasRenderingContext2D,
  bins: TimelineBins,
  height: number,
  colour: (name: string) => string,
): void {
  const [upper, lower] = [height - 2 * MARK_HEIGHT - 2, height - MARK_HEIGHT - 1];
  const marks: [Uint8Array, string, number][] = [
    [bins.gains, "--teal", upper],
    [bins.losses, "--tangerine", upper],
    [bins.livesLost, "--tomato", upper],
    [bins.notes, "--pink", lower],
    [bins.events, "--marigold", lower],
  ];
  for (const [present, name, top] of marks) {
    surface.fillStyle = colour(name);
    for (let bin = 0; bin < bins.count; bin++) {
      if (present[bin] !== 0)
        surface.fillRect(bin, top, name === "--tomato" ? 3 : 2, MARK_HEIGHT - 2);
    }
  }
}
