import { useLingui } from "@lingui/react";
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";

import type { Game } from "@/api/client";
import type { Engine } from "@/play/engine";
import { listenSteer } from "@/play/input/steer";

import { fitPicture, type Fit } from "@/lib/fit";

interface Props {
  engine: Engine;
  game: Game;
  size: { width: number; height: number } | null;
  /** Layer over the picture. */
  children?: ReactNode;
}

/** Canvas of the game, as large as possible. The engine paints on it. */
export function Screen({ engine, game, size, children }: Props) {
  const { i18n } = useLingui();
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [fit, setFit] = useState<Fit | null>(null);
  const { pixel_aspect: aspect, smooth } = game.show;

  useEffect(() => (canvas.current === null ? undefined : engine.attach(canvas.current)), [engine]);

  useEffect(() => {
    if (canvas.current === null || game.steer === null) return;
    return listenSteer(canvas.current, game.steer, engine.input);
  }, [engine, game.steer]);

  useLayoutEffect(() => {
    const here = place.current;
    if (here === null || size === null) return;
    const measure = () => {
      const space = { width: here.clientWidth, height: here.clientHeight };
      setFit(fitPicture(size, space, aspect, devicePixelRatio));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(here);
    return () => observer.disconnect();
  }, [size, aspect]);

  return (
    <div ref={place} className="absolute inset-0 grid place-items-center">
      {/* The glow is not the canvas's own: else it would be drawn anew with every picture. */}
      <div
        className="relative rounded-sm shadow-[0_0_0_1px_rgb(255_255_255/8%),0_0_70px_-18px_var(--hue)]"
        style={fit === null ? { visibility: "hidden" } : { width: fit.width, height: fit.height }}
      >
        <canvas
          ref={canvas}
          data-testid="screen"
          className={`size-full rounded-sm will-change-transform ${game.steer === null ? "" : "cursor-crosshair touch-none"} ${smooth ? "" : "[image-rendering:pixelated]"}`}
        >
          {i18n._("Screen of {game}", { game: game.name })}
        </canvas>
        {children}
      </div>
    </div>
  );
}
