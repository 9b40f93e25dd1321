import type { Game, GameControl } from "@/api/client";
import type { PadControls } from "@/play/input/touch";

/** A game's controls as they lie under thumbs: directions on a pad, all else on buttons. */
export interface TouchLayout {
  pad: PadControls | null;
  buttons: readonly GameControl[];
}

const DIRECTIONS = ["up", "down", "left", "right"] as const;

/** Controls that are named after directions go on the pad when there are at least two of them. */
export function touchLayoutFor(game: Pick<Game, "controls">): TouchLayout {
  const pad: PadControls = {};
  for (const direction of DIRECTIONS) {
    if (game.controls.some(({ name }) => name === direction)) pad[direction] = direction;
  }
  const onPad = Object.keys(pad);
  if (onPad.length < 2) return { pad: null, buttons: game.controls };
  return { pad, buttons: game.controls.filter(({ name }) => !onPad.includes(name)) };
}
