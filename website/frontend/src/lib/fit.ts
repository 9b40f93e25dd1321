/** Size of the drawn picture in CSS pixels. */
export interface Fit {
  width: number;
  height: number;
  /** True if every pixel of the picture covers the same whole number of device pixels. */
  isPixelPerfect: boolean;
}

/**
 * Largest distortion of the aspect ratio for whole pixels: 4 % is not visible, uneven pixels are.
 */
const MAX_ASPECT_ERROR = 0.04;
/** Smallest share of the height that a whole scale must fill. */
const MIN_FILLED_SHARE = 0.8;

/**
 * Returns the largest size of `picture` within `space` (CSS pixels) at this pixel aspect.
 *
 * Prefers whole device pixels if they fill enough of the space.
 */
export function fitPicture(
  picture: { width: number; height: number },
  space: { width: number; height: number },
  pixelAspect: number,
  pixelRatio: number,
): Fit {
  const scale = Math.min(
    space.width / (picture.width * pixelAspect),
    space.height / picture.height,
  );
  const free: Fit = {
    width: picture.width * pixelAspect * scale,
    height: picture.height * scale,
    isPixelPerfect: false,
  };
  let best: Fit | null = null;
  for (let down = Math.floor(scale * pixelRatio * (1 + MAX_ASPECT_ERROR)); down >= 1; down--) {
    for (const across of [Math.floor(down * pixelAspect), Math.ceil(down * pixelAspect)]) {
      if (across < 1 || Math.abs(across / down / pixelAspect - 1) > MAX_ASPECT_ERROR) continue;
      const width = (picture.width * across) / pixelRatio;
      const height = (picture.height * down) / pixelRatio;
      if (width > space.width || height > space.height) continue;
      if (best === null || width * height > best.width * best.height) {
        best = { width, height, isPixelPerfect: true };
      }
    }
  }
  return best !== null && best.height >= MIN_FILLED_SHARE * free.height ? best : free;
}
