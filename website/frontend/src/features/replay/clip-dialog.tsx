import { Trans, useLingui } from "@lingui/react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { Button } from "@/components/button";
import { formatBytes } from "@/lib/format";
import { makeClip, type ClipKind } from "@/play/replay/clip";
import type { FrameRange } from "@/play/replay/replay-player";
import { waitForTimes } from "@/play/replay/wait-for-times";

import { Dialog } from "./dialog";
import { type ReplayModel, usePlayerState } from "./use-replay";

const KINDS: readonly (readonly [kind: ClipKind, name: string, meaning: string])[] = [
  [
    "mp4",
    /*i18n*/ "Video (MP4)",
    /*i18n*/ "Four times as large, for chats and slides. Colours are not exact.",
  ],
  ["gif", "GIF", /*i18n*/ "Twice as large, 33 pictures per second, for places that take no video."],
  ["apng", /*i18n*/ "Exact animation (APNG)", /*i18n*/ "Every pixel and time as recorded."],
  ["png", /*i18n*/ "This frame (PNG)", /*i18n*/ "One picture, exact."],
];
/** A clip without a loop begins this long before the current frame and ends as long after it. */
const HALF_CLIP_MS = 2500;
const MAX_CLIP_FRAMES = 3600;
const FRAME_TEXT = /*i18n*/ "Frame <0>{from}</0>";
const FRAMES_TEXT = /*i18n*/ "Frames <0>{from}</0> to <1>{to}</1>";
const SAVED_TEXT = /*i18n*/ "Saved {name}, {size}.";
const SAVED_BY_SERVER_TEXT = /*i18n*/ "Saved {name}, {size}, made by the server.";

/** Makes a clip of the range that loops or, without one, of five seconds around the frame. */
export function ClipDialog({ model, onClose }: { model: ReplayModel; onClose: () => void }) {
  const { i18n } = useLingui();
  const { player, data, client, replay } = model;
  const { frame, loop } = usePlayerState(player);
  const [kind, setKind] = useState<ClipKind>("mp4");
  const range = kind === "png" ? { from: frame, to: frame } : (loop ?? rangeAround(model, frame));
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const making = useMutation({
    mutationFn: async () => {
      abort.current = new AbortController();
      await waitForTimes(model, range.to, abort.current.signal);
      const clip = await makeClip({
        kind,
        source: player.source,
        times: data.times,
        range,
        requestFromServer: (format, { from, to }) => client.clip(format, from, to + 1),
        signal: abort.current.signal,
      });
      const ending = kind === "apng" ? "png" : kind;
      const name = `${replay.game.id}-${String(range.from)}-${String(range.to)}.${ending}`;
      saveFile(clip.blob, name);
      return { ...clip, name };
    },
  });
  const count = range.to - range.from + 1;
  const tooLong = count > MAX_CLIP_FRAMES;
  return (
    <Dialog title={i18n._("Save a clip")} onClose={onClose}>
      <fieldset className="grid gap-2">
        <legend className="sr-only">{i18n._("Format")}</legend>
        {KINDS.map(([value, name, meaning]) => (
          <label
            key={value}
            className="flex cursor-pointer items-start gap-3 rounded-xl border border-line p-3 has-checked:border-ink has-checked:bg-raised"
          >
            <input
              type="radio"
              name="kind"
              value={value}
              checked={kind === value}
              onChange={() => setKind(value)}
              aria-label={i18n._(name)}
              className="mt-1 accent-action"
            />
            <span className="font-bold">
              {i18n._(name)}
              <span className="block text-sm font-normal text-dim">{i18n._(meaning)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <p className="mt-4">
        <Trans
          id={kind === "png" ? FRAME_TEXT : FRAMES_TEXT}
          values={{ from: i18n.number(range.from), to: i18n.number(range.to) }}
          components={[
            <b key="from" className="tabular-nums" />,
            <b key="to" className="tabular-nums" />,
          ]}
        />
        {kind !== "png" && (
          <span className="text-dim">
            {" "}
            {loop === null ? i18n._("(set a loop to choose the range)") : i18n._("(the loop)")}
          </span>
        )}
      </p>
      <div className="mt-4 flex flex-wrap items-center gap-3">
        <Button disabled={making.isPending || tooLong} onClick={() => making.mutate()}>
          {making.isPending ? i18n._("Making…") : i18n._("Save")}
        </Button>
        <p role="status" data-testid="clip-status" className="text-sm text-dim">
          {tooLong &&
            i18n._("A clip has at most {count} frames.", { count: i18n.number(MAX_CLIP_FRAMES) })}
          {making.isSuccess &&
            i18n._(making.data.madeBy === "server" ? SAVED_BY_SERVER_TEXT : SAVED_TEXT, {
              name: making.data.name,
              size: formatBytes(making.data.blob.size),
            })}
        </p>
      </div>
      {making.isError && (
        <p role="alert" className="mt-3 font-semibold text-link">
          {making.error.message}
        </p>
      )}
    </Dialog>
  );
}

function rangeAround({ data, player }: ReplayModel, frame: number): FrameRange {
  const { times } = data;
  const middle = times[frame] ?? 0;
  let [from, to] = [frame, frame];
  while (from > 0 && middle - (times[from - 1] ?? 0) <= HALF_CLIP_MS) from--;
  while (to < player.lastFrame && (times[to + 1] ?? Infinity) - middle <= HALF_CLIP_MS) to++;
  return { from, to };
}

function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
