import { useEffect, useRef } from "react";

import type { GameControl } from "@/api/client";
import type { InputSink } from "@/play/input/controls";
import { listenButton, listenPad, type PadControls } from "@/play/input/touch";

const ARROWS = [
  ["up", "M50 8 66 28H34z"],
  ["down", "M50 92 34 72h32z"],
  ["left", "M8 50 28 34v32z"],
  ["right", "M92 50 72 66V34z"],
] as const;

/** A direction pad for a thumb: sliding is enough. */
export function TouchPad({ pad, input }: { pad: PadControls; input: InputSink }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const here = element.current;
    if (here === null) return;
    return listenPad(here, pad, input, (pressed) => {
      for (const [direction] of ARROWS)
        here.toggleAttribute(`data-${direction}`, pressed.has(direction));
    });
  }, [pad, input]);
  return (
    <div
      ref={element}
      role="group"
      aria-label="Direction pad"
      data-testid="pad"
      className="group relative aspect-square w-[min(42vw,12rem)] touch-none rounded-full border-2 border-line bg-raised select-none"
    >
      <svg viewBox="0 0 100 100" className="size-full text-dim" aria-hidden="true">
        <path
          d="M36 6h28v30h30v28H64v30H36V64H6V36h30z"
          fill="var(--surface)"
          stroke="var(--line)"
          strokeWidth="1.5"
          strokeLinejoin="round"
        />
        {ARROWS.filter(([direction]) => pad[direction] !== undefined).map(([direction, shape]) => (
          <path key={direction} d={shape} className={LIT[direction]} fill="currentColor" />
        ))}
      </svg>
    </div>
  );
}

const LIT = {
  up: "group-data-up:text-action",
  down: "group-data-down:text-action",
  left: "group-data-left:text-action",
  right: "group-data-right:text-action",
} as const;

const COLOURS = [
  "bg-tomato",
  "bg-marigold",
  "bg-teal",
  "bg-sky",
  "bg-pink",
  "bg-tangerine",
] as const;

/** Buttons that may be held by several fingers at once. */
export function TouchButtons({
  buttons,
  input,
}: {
  buttons: readonly GameControl[];
  input: InputSink;
}) {
  const few = buttons.length <= 2;
  return (
    <div
      className={
        few
          ? "flex flex-row-reverse flex-wrap items-center justify-center gap-4"
          : "grid w-full max-w-md grid-cols-[repeat(auto-fit,minmax(5.5rem,1fr))] gap-2.5"
      }
    >
      {buttons.map((control, index) => (
        <TouchButton
          key={control.name}
          control={control}
          input={input}
          look={`${COLOURS[index % COLOURS.length] ?? ""} ${few ? "size-24 rounded-full" : "min-h-16 rounded-2xl px-2"}`}
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
      className={`touch-none leading-tight font-bold text-on-bright shadow-[0_5px_0_var(--shade)] select-none data-held:translate-y-1 data-held:shadow-none data-held:brightness-110 ${look}`}
    >
      {control.label}
    </button>
  );
}
