declare module "gifenc" {
  type Colours = readonly (readonly number[])[];
  interface Encoder {
    writeFrame(
      index: Uint8Array,
      width: number,
      height: number,
      options: { palette: Colours; delay: number },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  }
  export function GIFEncoder(): Encoder;
  export function quantize(rgba: Uint8Array, maxColours: number): number[][];
  export function applyPalette(rgba: Uint8Array, palette: Colours): Uint8Array;
}
