import type { CSSProperties } from "react";

import type { Game } from "@/api/client";

/** Aspect ratio of the picture as a CSS variable. */
export function aspectStyle(
  game: Game,
  size: { width: number; height: number } | null,
): CSSProperties {
  const { width, height } = size ?? { width: 4 / game.show.pixel_aspect, height: 3 };
  return { "--shape": (width * game.show.pixel_aspect) / height } as CSSProperties;
}
