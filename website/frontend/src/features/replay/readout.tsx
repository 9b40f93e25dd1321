import type { I18n } from "@lingui/core";
import { useLingui } from "@lingui/react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import type { ReplayGame } from "@/api/replay";
import { formatCount, formatScore } from "@/lib/format";
import { translateGameText } from "@/lib/game-texts";
import { pressedAt } from "@/play/replay/markers";

import { type ReplayModel, useFrame, useLoaded, usePlayerState } from "./use-replay";

/** Line above the screen: score, lives, reward. */
export function ReplayHud({ model }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const { data, replay, player } = model;
  const frame = useFrame(player);
  useLoaded(model);
  const lives = data.lives[frame] ?? NaN;
  const { show } = replay.game;
  return (
    <dl className="flex items-end justify-between gap-4 px-1 text-phosphor">
      <Value name={i18n._("Score")} value={formatScore(data.scores[frame] ?? 0)} id="score" />
      {show.lives !== null && (
        <Value
          name={i18n._("Lives")}
          value={Number.isNaN(lives) ? "–" : String(lives)}
          id="lives"
        />
      )}
      <Value
        name={i18n._("Reward")}
        value={frame === 0 ? "–" : formatScore(data.rewards[frame - 1] ?? 0)}
        id="reward"
      />
    </dl>
  );
}

function Value({ name, value, id }: { name: string; value: string; id: string }) {
  return (
    <div>
      <dt className="text-xs font-semibold text-dim">{name}</dt>
      <dd
        data-testid={id}
        className="dots text-[clamp(1.5rem,3vw,2.25rem)] leading-none whitespace-nowrap"
      >
        {value}
      </dd>
    </div>
  );
}

/** The caption that belongs to the frame. */
export function ReplayCaption({ model }: { model: ReplayModel }) {
  const frame = useFrame(model.player);
  const { captions } = useLoaded(model);
  const caption = captions.findLast((one) => one.frame <= frame);
  return (
    <p
      data-testid="caption"
      className="grid min-h-[2lh] place-items-center text-center leading-snug font-semibold text-balance text-phosphor"
    >
      {caption?.text ?? ""}
    </p>
  );
}

/** Returns the controls that the game took for this action; empty if it is that of no control. */
function appliedControls({ actions, noop }: ReplayGame, action: number): readonly string[] {
  if (action === noop) return [];
  return actions.find((one) => one.action === action)?.press ?? [];
}

/** Controls at a step: as they were pressed, and as the game took them. */
export function ControlsReadout({ model }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const { player, data, replay } = model;
  const frame = useFrame(player);
  const { presses } = useLoaded(model);
  const isLast = frame >= data.stepCount;
  const action = data.actions[frame] ?? 0;
  const pressed = pressedAt(presses, frame);
  const applied = isLast ? [] : appliedControls(replay.game, action);
  const label = replay.game.actions.find((one) => one.action === action)?.label;
  return (
    <div className="grid gap-3">
      <ControlRow
        id="pressed"
        name={i18n._("Pressed")}
        game={replay.game}
        held={pressed}
        colour="bg-sky"
      />
      <ControlRow
        id="applied"
        name={i18n._("Applied")}
        game={replay.game}
        held={applied}
        colour="bg-marigold"
      />
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
        <Fact name={i18n._("Action")} id="action">
          {isLast
            ? i18n._("none, the episode has ended")
            : `${String(action)}${label ? ` (${label})` : ""}`}
        </Fact>
        <Fact name={i18n._("Input latency")} id="latency">
          {describeLatency(i18n, data.latencies, frame)}
        </Fact>
      </dl>
    </div>
  );
}

function ControlRow({
  id,
  name,
  game,
  held,
  colour,
}: {
  id: string;
  name: string;
  game: ReplayGame;
  held: readonly string[];
  colour: string;
}) {
  const { i18n } = useLingui();
  return (
    <div data-testid={id}>
      <p className="mb-1 text-sm font-semibold text-dim">
        {name}
        <span className="sr-only">
          : {held.map((control) => labelOf(game, control)).join(", ") || i18n._("nothing")}
        </span>
      </p>
      <div aria-hidden="true" className="flex flex-wrap gap-1.5">
        {game.controls.map(({ name: control, label }) => (
          <span
            key={control}
            data-held={held.includes(control) ? "" : undefined}
            className={`rounded-md border border-line px-2 py-0.5 text-sm font-bold ${held.includes(control) ? `${colour} text-on-bright` : "bg-raised text-dim"}`}
          >
            {label}
          </span>
        ))}
      </div>
    </div>
  );
}

function labelOf(game: ReplayGame, control: string): string {
  const found = game.controls.find(({ name }) => name === control);
  return found === undefined ? control : translateGameText(found.label);
}

function Fact({ name, id, children }: { name: string; id: string; children: string }) {
  return (
    <>
      <dt className="text-dim">{name}</dt>
      <dd data-testid={id} className="font-semibold tabular-nums">
        {children}
      </dd>
    </>
  );
}

const ONE_DECIMAL = { minimumFractionDigits: 1, maximumFractionDigits: 1 };

/** The newest latency until this frame. */
function describeLatency(i18n: I18n, latencies: Float64Array, frame: number): string {
  for (let step = Math.min(frame, latencies.length - 1); step >= 0; step--) {
    const latency = latencies[step] ?? NaN;
    if (Number.isNaN(latency)) continue;
    const text = `${i18n.number(latency, ONE_DECIMAL)} ms`;
    return step === frame
      ? text
      : i18n._("{latency}, {frames} ago", {
          latency: text,
          frames: formatCount(frame - step, "frame"),
        });
  }
  return i18n._("none yet");
}

const SETTLE_MS = 150;

/** `info` that came with the frame, while the replay is paused. */
export function InfoReadout({ model: { client, player } }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const { frame, isPlaying } = usePlayerState(player);
  const settled = useSettled(frame);
  const info = useQuery({
    queryKey: ["episodes", "info", client.episodeId, client.shareToken, settled],
    queryFn: ({ signal }) => client.info(settled, signal),
    enabled: !isPlaying,
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });
  if (isPlaying) return <p className="text-sm text-dim">{i18n._("Pause to read it.")}</p>;
  if (info.isError) return <p className="text-sm text-dim">{info.error.message}</p>;
  return (
    <pre
      data-testid="info"
      data-frame={info.data?.frame}
      // A region that scrolls must be reachable by keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-label={i18n._("Info of this frame")}
      role="region"
      className="max-h-56 overflow-auto rounded-lg bg-raised p-3 text-xs leading-relaxed"
    >
      {info.data === undefined ? i18n._("Loading…") : JSON.stringify(info.data.info, null, 1)}
    </pre>
  );
}

function useSettled(value: number): number {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
