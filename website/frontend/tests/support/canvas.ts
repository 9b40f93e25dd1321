/** What was put on a canvas: the rectangle that changed, and the whole picture's first pixel then. */
export interface Put {
  rectangle: [number, number, number, number];
  firstPixel: number;
}

class PlainImageData {
  constructor(
    readonly data: Uint8ClampedArray,
    readonly width: number,
    readonly height: number,
  ) {}
}

/** A canvas that remembers what was put on it. */
export function makeCanvas(): { canvas: HTMLCanvasElement; puts: Put[] } {
  if (!("ImageData" in globalThis)) Object.assign(globalThis, { ImageData: PlainImageData });
  const puts: Put[] = [];
  const surface = {
    putImageData: (image: ImageData, ...place: number[]) => {
      const [, , x = 0, y = 0, width = 0, height = 0] = place;
      const firstPixel = new Uint32Array(image.data.buffer)[0] ?? 0;
      puts.push({ rectangle: [x, y, width, height], firstPixel });
    },
  };
  const canvas = { width: 300, height: 150, getContext: () => surface };
  return { canvas: canvas as unknown as HTMLCanvasElement, puts };
}
