import { useLingui } from "@lingui/react";
import type { ReactNode } from "react";

import { formatClock } from "@/lib/format";
import { useFullScreen } from "@/lib/full-screen";
import { SPEEDS } from "@/play/replay/replay-player";

import { Icon } from "./icons";
import { jumpTo, type Target } from "./jump";
import { type ReplayModel, useFrame, useLoaded, usePlayerState } from "./use-replay";

const toolClass =
  "grid size-11 shrink-0 place-items-center rounded-full text-ink hover:bg-raised active:bg-line aria-pressed:bg-action aria-pressed:text-on-action disabled:opacity-40";
const chipClass =
  "min-h-9 rounded-full border-2 border-line px-3 text-sm font-bold text-dim enabled:hover:border-dim enabled:hover:text-ink disabled:opacity-45 aria-pressed:border-ink aria-pressed:bg-ink aria-pressed:text-bg";

export const speedLabel = (speed: number): string =>
  speed < 1 ? `1/${String(1 / speed)}×` : `${String(speed)}×`;

/** Buttons that play, step, loop and jump. */
export function Transport({ model, onHelp }: { model: ReplayModel; onHelp: () => void }) {
  const { i18n } = useLingui();
  const { player } = model;
  const { isPlaying, speed, skipsPauses } = usePlayerState(player);
  const [isFull, toggleFull] = useFullScreen();
  return (
    <div className="grid gap-2">
      <div
        role="group"
        aria-label={i18n._("Playback")}
        className="flex flex-wrap items-center gap-x-1 gap-y-2"
      >
        <Tool label={i18n._("Previous frame")} keys="," onClick={() => void player.step(-1)}>
          <Icon name="back" />
        </Tool>
        <button
          type="button"
          data-testid="play"
          aria-label={isPlaying ? i18n._("Pause") : i18n._("Play")}
          title={isPlaying ? i18n._("Pause (space)") : i18n._("Play (space)")}
          onClick={() => player.toggle()}
          className="grid size-13 shrink-0 place-items-center rounded-full bg-action text-on-action hover:brightness-110"
        >
          <Icon name={isPlaying ? "pause" : "play"} />
        </button>
        <Tool label={i18n._("Next frame")} keys="." onClick={() => void player.step(1)}>
          <Icon name="forward" />
        </Tool>
        <Position model={model} />
        <div className="ml-auto flex items-center gap-1">
          <label className="flex items-center gap-2 text-sm font-semibold text-dim">
            <span className="max-sm:sr-only">{i18n._("Speed")}</span>
            <select
              value={String(speed)}
              data-testid="speed"
              onChange={(event) => player.setSpeed(Number(event.target.value))}
              className="min-h-10 rounded-full border-2 border-line bg-surface px-3 font-bold text-ink"
            >
              {SPEEDS.map((one) => (
                <option key={one} value={String(one)}>
                  {speedLabel(one)}
                </option>
              ))}
            </select>
          </label>
          {toggleFull !== null && (
            <Tool
              label={isFull ? i18n._("Exit full screen") : i18n._("Full screen")}
              keys="f"
              onClick={toggleFull}
            >
              <Icon name="full" />
            </Tool>
          )}
          <Tool label={i18n._("Keys")} keys="?" onClick={onHelp}>
            <span className="text-lg font-bold" aria-hidden="true">
              ?
            </span>
          </Tool>
        </div>
      </div>
      <div
        role="group"
        aria-label={i18n._("Jumps and range")}
        className="flex flex-wrap items-center gap-2"
      >
        <Jump model={model} target="reward" />
        <Jump model={model} target="life" />
        <Jump model={model} target="event" />
        <LoopButtons model={model} />
        <button
          type="button"
          aria-pressed={skipsPauses}
          title={i18n._("Show no frame for longer than a second")}
          className={`${chipClass} sm:ml-auto`}
          onClick={() => player.setSkipsPauses(!skipsPauses)}
        >
          {i18n._("Skip pauses")}
        </button>
      </div>
    </div>
  );
}

interface ToolProps {
  label: string;
  keys: string;
  onClick: () => void;
  children: ReactNode;
}

function Tool({ label, keys, onClick, children }: ToolProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={`${label} (${keys})`}
      className={toolClass}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

function Position({ model: { player, data } }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const frame = useFrame(player);
  const seconds = (at: number) => formatClock(Math.floor((data.times[at] ?? 0) / 1000));
  return (
    <p className="px-2 leading-tight whitespace-nowrap tabular-nums">
      <span data-testid="frame" className="font-bold">
        {i18n.number(frame)}
      </span>
      <span className="text-dim"> / {i18n.number(player.lastFrame)}</span>
      <span className="block text-sm text-dim">
        {seconds(frame)} / {seconds(player.lastFrame)}
      </span>
    </p>
  );
}

const JUMPS = {
  reward: {
    label: /*i18n*/ "Reward",
    previous: /*i18n*/ "Previous reward",
    next: /*i18n*/ "Next reward",
  },
  life: {
    label: /*i18n*/ "Life lost",
    previous: /*i18n*/ "Previous life lost",
    next: /*i18n*/ "Next life lost",
  },
  event: {
    label: /*i18n*/ "Event",
    previous: /*i18n*/ "Previous event",
    next: /*i18n*/ "Next event",
  },
} as const;

function Jump({ model, target }: { model: ReplayModel; target: Exclude<Target, "any"> }) {
  const { i18n } = useLingui();
  const loaded = useLoaded(model);
  const count = { reward: loaded.rewards, life: loaded.livesLost, event: loaded.notable }[target]
    .length;
  return (
    <span className="inline-flex items-center">
      <button
        type="button"
        disabled={count === 0}
        aria-label={i18n._(JUMPS[target].previous)}
        className={`${chipClass} rounded-r-none border-r-0 px-2.5`}
        onClick={() => jumpTo(model, target, -1)}
      >
        <span aria-hidden="true">‹</span>
      </button>
      <button
        type="button"
        disabled={count === 0}
        aria-label={i18n._(JUMPS[target].next)}
        className={`${chipClass} rounded-l-none`}
        onClick={() => jumpTo(model, target, 1)}
      >
        {i18n._(JUMPS[target].label)} <span aria-hidden="true">›</span>
      </button>
    </span>
  );
}

function LoopButtons({ model: { player } }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const { loop } = usePlayerState(player);
  if (loop === null) {
    return (
      <button
        type="button"
        className={chipClass}
        title={i18n._("Loop two seconds from here; move its ends with a and b")}
        onClick={() => startLoop(player)}
      >
        {i18n._("Loop")}
      </button>
    );
  }
  return (
    <span role="group" aria-label={i18n._("Range")} className="inline-flex items-center gap-1">
      <button type="button" className={chipClass} onClick={() => setLoopStart(player)}>
        {i18n._("Start here")}
      </button>
      <button type="button" className={chipClass} onClick={() => setLoopEnd(player)}>
        {i18n._("End here")}
      </button>
      <button
        type="button"
        aria-pressed="true"
        className={chipClass}
        onClick={() => player.setLoop(null)}
      >
        {i18n._("Loop {from}–{to}", {
          from: i18n.number(loop.from),
          to: i18n.number(loop.to),
        })}
      </button>
    </span>
  );
}

type Player = ReplayModel["player"];
const LOOP_FRAMES = 120;

/** Loops from the current frame on. */
export function startLoop(player: Player): void {
  const { frame } = player.state.getSnapshot();
  const from = Math.min(frame, Math.max(player.lastFrame - 1, 0));
  player.setLoop({ from, to: from + LOOP_FRAMES });
}

export function setLoopStart(player: Player): void {
  const { frame, loop } = player.state.getSnapshot();
  const to = loop !== null && loop.to > frame ? loop.to : player.lastFrame;
  player.setLoop({ from: frame, to });
}

export function setLoopEnd(player: Player): void {
  const { frame, loop } = player.state.getSnapshot();
  const from = loop !== null && loop.from < frame ? loop.from : 0;
  player.setLoop({ from, to: frame });
}
