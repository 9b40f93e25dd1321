import { useLingui } from "@lingui/react";
import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";

import type { JudgementState } from "@/api/judgements";
import { type Fit, fitPicture } from "@/lib/fit";
import type { ClipPlayer } from "@/play/judge/clip-player";

interface Props {
  set: JudgementState;
  player: ClipPlayer;
  index: number;
  label: string;
}

/** Canvas of a clip, as large as its place allows. */
export function ClipScreen({ set, player, index, label }: Props) {
  const { i18n } = useLingui();
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [fit, setFit] = useState<Fit | null>(null);
  const { sizes } = useSyncExternalStore(player.state.subscribe, player.state.getSnapshot);
  const size = sizes[index];

  useEffect(
    () => (canvas.current === null ? undefined : player.attach(index, canvas.current)),
    [player, index],
  );

  useLayoutEffect(() => {
    const here = place.current;
    if (here === null || size === undefined) return;
    const observer = new ResizeObserver(() => {
      const space = { width: here.clientWidth, height: here.clientHeight };
      setFit(fitPicture(size, space, set.pixel_aspect, devicePixelRatio));
    });
    observer.observe(here);
    return () => observer.disconnect();
  }, [size, set.pixel_aspect]);

  return (
    <figure className="flex min-h-0 min-w-0 flex-1 flex-col">
      <figcaption className="pb-1 text-center text-sm font-semibold text-dim">{label}</figcaption>
      <div ref={place} className="relative min-h-0 flex-1">
        <div className="absolute inset-0 grid place-items-center">
          <div
            className="rounded-sm shadow-[0_0_0_1px_rgb(255_255_255/8%)]"
            style={
              fit === null ? { visibility: "hidden" } : { width: fit.width, height: fit.height }
            }
          >
            <canvas
              ref={canvas}
              data-testid={`clip-${String(index)}`}
              className={`size-full rounded-sm ${set.smooth ? "" : "[image-rendering:pixelated]"}`}
            >
              {i18n._("Recorded picture of {name}", { name: set.game })}
            </canvas>
          </div>
        </div>
      </div>
    </figure>
  );
}
