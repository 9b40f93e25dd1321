/** An update of a canvas: the changed rectangle and the first pixel of the picture. */
export interface CanvasUpdate {
  rectangle: [number, number, number, number];
  firstPixel: number;
}

class FakeImageData {
  constructor(
    readonly data: Uint8ClampedArray,
    readonly width: number,
    readonly height: number,
  ) {}
}

/** Creates a canvas that records its updates. */
export function createFakeCanvas(): { canvas: HTMLCanvasElement; updates: CanvasUpdate[] } {
  if (!("ImageData" in globalThis)) Object.assign(globalThis, { ImageData: FakeImageData });
  const updates: CanvasUpdate[] = [];
  const surface = {
    putImageData: (image: ImageData, ...place: number[]) => {
      const [, , x = 0, y = 0, width = 0, height = 0] = place;
      const firstPixel = new Uint32Array(image.data.buffer)[0] ?? 0;
      updates.push({ rectangle: [x, y, width, height], firstPixel });
    },
  };
  const canvas = { width: 300, height: 150, getContext: () => surface };
  return { canvas: canvas as unknown as HTMLCanvasElement, updates };
}
