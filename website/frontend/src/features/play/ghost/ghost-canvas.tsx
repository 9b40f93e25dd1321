import { useLingui } from "@lingui/react";
import { useEffect, useRef } from "react";

import type { GhostPlayer } from "@/play/ghost/ghost-player";

interface CanvasProps {
  player: GhostPlayer;
  smooth: boolean;
  /** True over the picture of the game, false beside it. */
  isLayer: boolean;
}

/** Shows the frames of a ghost. */
export function GhostCanvas({ player, smooth, isLayer }: CanvasProps) {
  const { i18n } = useLingui();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => (canvas.current === null ? undefined : player.attach(canvas.current)), [player]);
  const place = isLayer
    ? "pointer-events-none absolute inset-0 size-full opacity-35"
    : "mt-3 w-full bg-black";
  return (
    <canvas
      ref={canvas}
      data-testid="ghost"
      aria-hidden={isLayer}
      className={`rounded-sm will-change-transform ${place} ${smooth ? "" : "[image-rendering:pixelated]"}`}
    >
      {i18n._("Recorded round")}
    </canvas>
  );
}
