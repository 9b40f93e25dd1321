import type { Game, GameControl } from "@/api/client";
import type { PadControls } from "@/play/input/touch";

/** Controls of a game on a touch screen: directions on a pad, the others on buttons. */
export interface TouchLayout {
  pad: PadControls | null;
  buttons: readonly GameControl[];
}

const DIRECTIONS = ["up", "down", "left", "right"] as const;

/** Puts the directions on the pad if there are at least two of them. */
export function touchLayoutFor(game: Pick<Game, "controls">): TouchLayout {
  const pad: PadControls = {};
  for (const direction of DIRECTIONS) {
    if (game.controls.some(({ name }) => name === direction)) pad[direction] = direction;
  }
  const onPad = Object.keys(pad);
  if (onPad.length < 2) return { pad: null, buttons: game.controls };
  return { pad, buttons: game.controls.filter(({ name }) => !onPad.includes(name)) };
}
