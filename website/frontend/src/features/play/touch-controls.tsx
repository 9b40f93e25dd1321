import { useLingui } from "@lingui/react";
import { useEffect, useRef } from "react";

import type { GameControl } from "@/api/client";
import { translateGameText } from "@/lib/game-texts";
import type { InputSink } from "@/play/input/held-controls";
import { listenButton, listenPad, type PadControls } from "@/play/input/touch";

import type { TouchLayout } from "./touch-layout";

/** Touch controls for any number of fingers. */
export function TouchControls({ layout, input }: { layout: TouchLayout; input: InputSink }) {
  return (
    <div className="deck" data-pad={padPlacement(layout)}>
      {layout.pad !== null && (
        <div className="grid place-items-center p-3 [grid-area:pad]">
          <TouchPad pad={layout.pad} input={input} />
        </div>
      )}
      {layout.buttons.length > 0 && (
        <div className="grid place-items-center p-3 [grid-area:buttons]">
          <TouchButtons buttons={layout.buttons} input={input} isWide={layout.pad === null} />
        </div>
      )}
    </div>
  );
}

/** Returns how the direction pad is placed. */
function padPlacement({ pad, buttons }: TouchLayout): "alone" | "beside" | undefined {
  if (pad === null) return undefined;
  return buttons.length === 0 ? "alone" : "beside";
}

/** Directions with their rotation in degrees and the class of a pressed arrow. */
const ARMS = [
  ["up", 0, "group-data-up:text-action"],
  ["right", 90, "group-data-right:text-action"],
  ["down", 180, "group-data-down:text-action"],
  ["left", 270, "group-data-left:text-action"],
] as const;

const ARM = "M35 52V10a4 4 0 0 1 4-4h22a4 4 0 0 1 4 4v42z";
const ARROW = "M50 13 64 30H36z";

/** Direction pad. Unused directions are not drawn. */
function TouchPad({ pad, input }: { pad: PadControls; input: InputSink }) {
  const { i18n } = useLingui();
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const here = element.current;
    if (here === null) return;
    return listenPad(here, pad, input, (pressed) => {
      for (const [direction] of ARMS) {
        here.toggleAttribute(`data-${direction}`, pressed.has(direction));
      }
    });
  }, [pad, input]);
  const arms = ARMS.filter(([direction]) => pad[direction] !== undefined);
  return (
    <div
      ref={element}
      role="group"
      aria-label={i18n._("Direction pad")}
      data-testid="pad"
      className="group aspect-square w-[min(44vw,13rem,40dvh)] touch-none rounded-full bg-raised shadow-[inset_0_2px_6px_var(--shade)] select-none"
    >
      <svg viewBox="0 0 100 100" className="size-full text-ink" aria-hidden="true">
        <g fill="var(--arm)">
          <rect x="35" y="35" width="30" height="30" rx="4" />
          {arms.map(([direction, turn]) => (
            <path key={direction} d={ARM} transform={`rotate(${turn} 50 50)`} />
          ))}
        </g>
        {arms.map(([direction, turn, lit]) => (
          <path
            key={direction}
            d={ARROW}
            transform={`rotate(${turn} 50 50)`}
            className={lit}
            fill="currentColor"
          />
        ))}
      </svg>
    </div>
  );
}

const COLOURS = [
  "bg-tomato",
  "bg-marigold",
  "bg-teal",
  "bg-sky",
  "bg-pink",
  "bg-tangerine",
] as const;

interface ButtonsProps {
  buttons: readonly GameControl[];
  input: InputSink;
  /** True if the buttons have the full width. */
  isWide: boolean;
}

/** Up to two buttons are round and large; more form a grid. */
function TouchButtons({ buttons, input, isWide }: ButtonsProps) {
  const isRoundLayout = !isWide && buttons.length <= 2;
  const grid = isWide
    ? "grid w-full max-w-lg grid-cols-[repeat(auto-fit,minmax(6.5rem,1fr))] gap-3"
    : "grid w-full max-w-52 grid-cols-2 gap-2.5";
  const shape = isRoundLayout
    ? "size-[min(24vw,6.5rem)] rounded-full"
    : "min-h-18 rounded-2xl px-2";
  return (
    <div
      className={
        isRoundLayout ? "flex flex-wrap-reverse items-center justify-center gap-x-3 gap-y-4" : grid
      }
    >
      {buttons.map((control, index) => (
        <TouchButton
          key={control.name}
          control={control}
          input={input}
          look={`${COLOURS[index % COLOURS.length] ?? ""} ${shape}`}
        />
      ))}
    </div>
  );
}

interface ButtonProps {
  control: GameControl;
  input: InputSink;
  look: string;
}

function TouchButton({ control, input, look }: ButtonProps) {
  const element = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const here = element.current;
    if (here === null) return;
    return listenButton(here, control.name, input);
  }, [control.name, input]);
  return (
    <button
      ref={element}
      type="button"
      tabIndex={-1}
      className={`touch-none leading-tight font-bold text-balance text-on-bright shadow-[0_5px_0_var(--shade)] select-none data-held:translate-y-1 data-held:shadow-none data-held:brightness-110 ${look}`}
    >
      {translateGameText(control.label)}
    </button>
  );
}
