import { useEffect } from "react";

import { prefer } from "@/api/preferences";
import type { Preferences } from "@/api/client";
import type { Engine } from "@/play/engine";

const KEY = "KeyM";

/** The game is as loud as the person wants it; M turns it on and off, unless the game has that key for itself. */
export function useSound(engine: Engine, { sound, volume }: Preferences, audible: boolean): void {
  useEffect(() => engine.setVolume(sound ? gainOf(volume) : null), [engine, sound, volume]);
  useEffect(() => {
    if (!audible) return;
    const turn = (event: KeyboardEvent) => {
      if (event.repeat || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey)
        return;
      const typing = event.target instanceof Element && event.target.closest("input") !== null;
      if (event.code === KEY && !typing) prefer({ sound: !sound });
    };
    addEventListener("keydown", turn);
    return () => removeEventListener("keydown", turn);
  }, [audible, sound]);
}

/** What is half as much on the slider sounds about half as loud. */
const gainOf = (percent: number): number => (percent / 100) ** 2;
