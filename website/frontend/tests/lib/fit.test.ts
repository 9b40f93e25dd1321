import { describe, expect, test } from "vitest";

import { fitPicture } from "@/lib/fit";

const atari = { width: 160, height: 210 };

describe("how large a picture is drawn", () => {
  test("fit with enough coverage uses a whole scale", () => {
    expect(fitPicture(atari, { width: 1200, height: 860 }, 1.75, 1)).toEqual({
      width: 1120,
      height: 840,
      isPixelPerfect: true,
    });
  });

  test("fit with a device pixel ratio counts device pixels, not CSS pixels", () => {
    const fit = fitPicture(atari, { width: 390, height: 400 }, 1.75, 3);
    expect(fit).toMatchObject({ isPixelPerfect: true });
    expect((fit.width * 3) % 160).toBeCloseTo(0);
    expect((fit.height * 3) % 210).toBeCloseTo(0);
  });

  test("fit with too little coverage at a whole scale fills the area", () => {
    const fit = fitPicture(atari, { width: 900, height: 600 }, 1.75, 1);
    expect(fit.isPixelPerfect).toBe(false);
    expect(fit.height).toBeCloseTo(600);
    expect(fit.width / fit.height).toBeCloseTo(280 / 210);
  });

  test.each([
    [300, 900],
    [2000, 300],
    [333, 333],
    [50, 50],
  ])("never beyond a place of %i by %i", (width, height) => {
    for (const aspect of [0.8, 1, 1.75]) {
      for (const ratio of [1, 1.5, 2, 3]) {
        const fit = fitPicture(atari, { width, height }, aspect, ratio);
        expect(fit.width).toBeLessThanOrEqual(width + 1e-9);
        expect(fit.height).toBeLessThanOrEqual(height + 1e-9);
        const bend = fit.width / fit.height / ((160 * aspect) / 210) - 1;
        expect(Math.abs(bend)).toBeLessThanOrEqual(0.0401);
      }
    }
  });
});
