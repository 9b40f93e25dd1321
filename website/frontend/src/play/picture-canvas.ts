import type { Picture, Rectangle } from "@/wire/packet";

import type { Cancel } from "./platform";

/** The part of a 2D context that draws pictures. */
export type Surface = Pick<CanvasRenderingContext2D, "putImageData">;

interface Canvas {
  width: number;
  height: number;
  dataset: DOMStringMap;
  surface: Surface;
}

/** A canvas that shows decoded pictures, and takes their size. */
export class PictureCanvas {
  #canvas: Canvas | null = null;
  #image: ImageData | null = null;

  /** Draws on this element from now on. Returns a function that detaches it. */
  attach(element: HTMLCanvasElement, settings?: CanvasRenderingContext2DSettings): Cancel {
    const surface = element.getContext("2d", settings);
    if (surface === null)
      throw new Error("Cannot draw the game: this browser does not support the 2D canvas.");
    const canvas = Object.assign(element, { surface });
    this.#canvas = canvas;
    return () => {
      if (this.#canvas === canvas) this.#canvas = null;
    };
  }

  detach(): void {
    this.#canvas = null;
  }

  /**
   * Draws a picture, or this part of it if its size is that of the one before. Returns false if
   * there is no canvas, or the picture is empty.
   */
  draw(picture: Picture, part?: Rectangle): boolean {
    const canvas = this.#canvas;
    const { width, height } = picture;
    if (canvas === null || width === 0) return false;
    const isResized = canvas.width !== width || canvas.height !== height;
    if (isResized) {
      canvas.width = width;
      canvas.height = height;
    }
    const image = this.#toImageData(picture);
    if (part === undefined || isResized) canvas.surface.putImageData(image, 0, 0);
    else if (part.width > 0)
      canvas.surface.putImageData(image, 0, 0, part.x, part.y, part.width, part.height);
    return true;
  }

  /** Draws the picture of a frame, and sets the element's `data-frame` to its number. */
  drawFrame(picture: Picture, frame: number): void {
    if (this.draw(picture) && this.#canvas !== null) this.#canvas.dataset.frame = String(frame);
  }

  /** Returns a view of the picture's memory, which avoids a copy. */
  #toImageData({ pixels, width, height }: Picture): ImageData {
    if (this.#image?.data.buffer !== pixels.buffer)
      this.#image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
    return this.#image;
  }
}
