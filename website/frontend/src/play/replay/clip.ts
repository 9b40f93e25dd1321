import { encodeApng } from "./apng-encoder";
import { readClipFrames } from "./clip-frames";
import type { FrameSource } from "./frame-source";
import type { FrameRange } from "./replay-player";

export type ClipKind = "png" | "apng" | "gif" | "mp4";

const GIF_SCALE = 2;

export interface ClipRequest {
  kind: ClipKind;
  source: FrameSource;
  times: Float64Array;
  range: FrameRange;
  /** Makes the clip where this browser cannot. */
  requestFromServer: (kind: ClipKind, range: FrameRange) => Promise<ArrayBuffer>;
  signal: AbortSignal;
}

/** A clip, and who made it. */
export interface Clip {
  blob: Blob;
  madeBy: "browser" | "server";
}

/** Makes a clip. The encoders of GIF and MP4 are loaded only when they are needed. */
export async function makeClip(request: ClipRequest): Promise<Clip> {
  const { kind, source, times, range, signal } = request;
  const frames = (of = range) => readClipFrames(source, times, of, signal);
  switch (kind) {
    case "png":
      return byBrowser(await encodeApng(() => frames({ from: range.from, to: range.from })));
    case "apng":
      return byBrowser(await encodeApng(frames));
    case "gif": {
      const { encodeGif } = await import("./gif-encoder");
      return byBrowser(await encodeGif(frames(), GIF_SCALE));
    }
    case "mp4":
      return makeVideo(request, frames);
  }
}

async function makeVideo(
  { range, requestFromServer }: ClipRequest,
  frames: () => ReturnType<typeof readClipFrames>,
): Promise<Clip> {
  const { encodeMp4, Mp4Unsupported } = await import("./mp4-encoder");
  try {
    return byBrowser(await encodeMp4(frames()));
  } catch (error) {
    if (!(error instanceof Mp4Unsupported)) throw error;
    const bytes = await requestFromServer("mp4", range);
    return { blob: new Blob([bytes], { type: "video/mp4" }), madeBy: "server" };
  }
}

const byBrowser = (blob: Blob): Clip => ({ blob, madeBy: "browser" });
