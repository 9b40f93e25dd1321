import type { ReactNode } from "react";

import type { Options } from "../options";

/** A game that begins at a frame of a recorded episode: what the page of the game needs to know. */
export interface Branch {
  episode: string;
  frame: number;
  /** Token of the link that shares the episode, or null. */
  share: string | null;
  /** Options of the episode, which the game gets too. */
  options: Options;
  /** Section of the sidebar. */
  panel: ReactNode;
}
