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
  ["mp4", "Video (MP4)", "Four times as large, for chats and slides. Colours are not exact."],
  ["gif", "GIF", "Twice as large, 33 pictures per second, for places that take no video."],
  ["apng", "Exact animation (APNG)", "Every pixel and time as recorded."],
  ["png", "This frame (PNG)", "One picture, exact."],
];
/** A clip without a loop begins this long before the current frame and ends as long after it. */
const HALF_CLIP_MS = 2500;
const MAX_CLIP_FRAMES = 3600;

/** Makes a clip of the range that loops or, without one, of five seconds around the frame. */
export function ClipDialog({ model, onClose }: { model: ReplayModel; onClose: () => void }) {
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
    <Dialog title="Save a clip" onClose={onClose}>
      <fieldset className="grid gap-2">
        <legend className="sr-only">Format</legend>
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
              aria-label={name}
              className="mt-1 accent-action"
            />
            <span className="font-bold">
              {name}
              <span className="block text-sm font-normal text-dim">{meaning}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <p className="mt-4">
        {kind === "png" ? "Frame " : "Frames "}
        <b className="tabular-nums">{range.from.toLocaleString("en")}</b>
        {kind !== "png" && (
          <>
            {" to "}
            <b className="tabular-nums">{range.to.toLocaleString("en")}</b>
            <span className="text-dim">
              {loop === null ? " (set a loop to choose the range)" : " (the loop)"}
            </span>
          </>
        )}
      </p>
      <div className="mt-4 flex flex-wrap items-center gap-3">
        <Button disabled={making.isPending || tooLong} onClick={() => making.mutate()}>
          {making.isPending ? "Making…" : "Save"}
        </Button>
        <p role="status" data-testid="clip-status" className="text-sm text-dim">
          {tooLong && `A clip has at most ${MAX_CLIP_FRAMES.toLocaleString("en")} frames.`}
          {making.isSuccess &&
            `Saved ${making.data.name}, ${formatBytes(making.data.blob.size)}${making.data.madeBy === "server" ? ", made by the server" : ""}.`}
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
