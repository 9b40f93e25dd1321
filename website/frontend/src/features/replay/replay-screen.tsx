import { useLingui } from "@lingui/react";
import { type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from "react";

import type { ReplayGame } from "@/api/replay";
import { fitPicture, type Fit } from "@/lib/fit";
import type { ReplayPlayer } from "@/play/replay/replay-player";

import { usePlayerState } from "./use-replay";

interface Props {
  player: ReplayPlayer;
  game: ReplayGame;
  /** Differs between two screens on one page. */
  testId?: string;
  /** Taps do nothing. */
  isPassive?: boolean;
}

/** Two taps within this time skip. */
const DOUBLE_TAP_MS = 300;
const SKIP_MS = 5000;

/** Canvas of the replay. A tap plays or pauses; two taps on a side skip five seconds. */
export function ReplayScreen({ player, game, testId = "screen", isPassive = false }: Props) {
  const { i18n } = useLingui();
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [fit, setFit] = useState<Fit | null>(null);
  const { size, isLoading, error } = usePlayerState(player);
  const taps = useTapToPlay(player);
  const { pixel_aspect: aspect, smooth } = game.show;

  useEffect(() => (canvas.current === null ? undefined : player.attach(canvas.current)), [player]);

  useLayoutEffect(() => {
    const here = place.current;
    if (here === null || size === null) return;
    const observer = new ResizeObserver(() => {
      const space = { width: here.clientWidth, height: here.clientHeight };
      setFit(fitPicture(size, space, aspect, devicePixelRatio));
    });
    observer.observe(here);
    return () => observer.disconnect();
  }, [size, aspect]);

  return (
    <div
      ref={place}
      className="absolute inset-0 grid place-items-center"
      onPointerUp={isPassive ? undefined : taps}
    >
      <div
        className="rounded-sm shadow-[0_0_0_1px_rgb(255_255_255/8%),0_0_70px_-18px_var(--hue)]"
        style={fit === null ? { visibility: "hidden" } : { width: fit.width, height: fit.height }}
      >
        <canvas
          ref={canvas}
          data-testid={testId}
          className={`size-full rounded-sm ${smooth ? "" : "[image-rendering:pixelated]"}`}
        >
          {i18n._("Recorded picture of {name}", { name: game.name })}
        </canvas>
      </div>
      {isLoading && error === null && (
        <p className="absolute bottom-2 rounded-full bg-black/70 px-3 py-1 text-sm">
          {i18n._("Loading…")}
        </p>
      )}
      {error !== null && (
        <p role="alert" className="absolute mx-4 rounded-xl bg-black/85 px-5 py-4 text-center">
          {error}
        </p>
      )}
    </div>
  );
}

/** A mouse click toggles at once; a touch waits for a second tap. */
function useTapToPlay(player: ReplayPlayer): (event: PointerEvent) => void {
  const last = useRef({ at: -Infinity, timer: 0 });
  useEffect(() => () => clearTimeout(last.current.timer), []);
  return (event) => {
    if (event.button !== 0) return;
    if (event.pointerType === "mouse") {
      player.toggle();
      return;
    }
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const side = (event.clientX - left) / width;
    clearTimeout(last.current.timer);
    if (event.timeStamp - last.current.at < DOUBLE_TAP_MS && Math.abs(side - 0.5) > 0.15) {
      void player.skip(side < 0.5 ? -SKIP_MS : SKIP_MS);
    } else {
      last.current.timer = window.setTimeout(() => player.toggle(), DOUBLE_TAP_MS);
    }
    last.current.at = event.timeStamp;
  };
}
