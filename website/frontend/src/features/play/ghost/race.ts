import type { ReactNode } from "react";

import type { Engine } from "@/play/engine";
import type { ShownGhost } from "@/wire/messages";

import type { Options } from "../options";

/** A game in which a recorded episode is shown: what the page of the game needs to know of it. */
export interface Race {
  /** Episode that is shown. */
  episode: string;
  /** Token of the link that shares it, or null. */
  share: string | null;
  /** Options of the episode, which the game gets too. */
  options: Options;
  /** Connects the ghost to the engine. Returns a function that disconnects it. */
  onEngine: (engine: Engine) => () => void;
  /** Layer over the picture of the game, if both begin with the same seed. */
  layer: ReactNode;
  /** Section of the sidebar. `ghost` is null before the server has confirmed it. */
  panel: (ghost: ShownGhost | null) => ReactNode;
}
