import {
  BufferTarget,
  canEncodeVideo,
  CanvasSource,
  Mp4OutputFormat,
  Output,
  Quality,
} from "mediabunny";

import { type ClipFrame, SizeChanged } from "./apng-encoder";

/** Video halves the resolution of colours, which is invisible if each pixel is drawn as 4 × 4. */
const SCALE = 4;
const CODEC = "avc";
const QUALITY = new Quality("very-high");

/** This browser cannot encode MP4; the server can. */
export class Mp4Unsupported extends Error {
  override name = "Mp4Unsupported";
}

/** Encodes H.264 in MP4, enlarged by a whole factor. Throws Mp4Unsupported without such an encoder. */
export async function encodeMp4(frames: AsyncIterable<ClipFrame>): Promise<Blob> {
  let writer: Writer | null = null;
  let seconds = 0;
  try {
    for await (const { picture, durationMs } of frames) {
      writer ??= await Writer.open(picture.width, picture.height);
      writer.draw(picture.pixels, picture.width, picture.height);
      await writer.source.add(seconds, durationMs / 1000);
      seconds += durationMs / 1000;
    }
    if (writer === null) throw new Mp4Unsupported();
    return await writer.finish();
  } catch (error) {
    await writer?.cancel();
    throw error;
  }
}

class Writer {
  readonly source: CanvasSource;
  readonly #output: Output<Mp4OutputFormat, BufferTarget>;
  readonly #small: OffscreenCanvas;
  readonly #large: OffscreenCanvas;

  private constructor(width: number, height: number) {
    this.#small = new OffscreenCanvas(width, height);
    this.#large = new OffscreenCanvas(SCALE * width, SCALE * height);
    this.source = new CanvasSource(this.#large, {
      codec: CODEC,
      quality: QUALITY,
      hardwareAcceleration: "no-preference",
    });
    this.#output = new Output({ format: new Mp4OutputFormat(), target: new BufferTarget() });
    this.#output.addVideoTrack(this.source);
  }

  static async open(width: number, height: number): Promise<Writer> {
    if (!(await isEncodable(SCALE * width, SCALE * height))) throw new Mp4Unsupported();
    const writer = new Writer(width, height);
    await writer.#output.start();
    return writer;
  }

  draw(pixels: Uint32Array<ArrayBuffer>, width: number, height: number): void {
    if (this.#small.width !== width || this.#small.height !== height) throw new SizeChanged();
    const image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
    this.#small.getContext("2d")?.putImageData(image, 0, 0);
    const surface = this.#large.getContext("2d", { alpha: false });
    if (surface === null) throw new Mp4Unsupported();
    surface.imageSmoothingEnabled = false;
    surface.drawImage(this.#small, 0, 0, this.#large.width, this.#large.height);
  }

  async finish(): Promise<Blob> {
    await this.#output.finalize();
    const { buffer } = this.#output.target;
    if (buffer === null) throw new Mp4Unsupported();
    return new Blob([buffer], { type: "video/mp4" });
  }

  async cancel(): Promise<void> {
    await this.#output.cancel().catch(() => undefined);
  }
}

/** Some browsers throw where they should say no. */
async function isEncodable(width: number, height: number): Promise<boolean> {
  if (!("VideoEncoder" in globalThis) || !("OffscreenCanvas" in globalThis)) return false;
  try {
    return await canEncodeVideo(CODEC, { width, height, quality: QUALITY });
  } catch {
    return false;
  }
}
