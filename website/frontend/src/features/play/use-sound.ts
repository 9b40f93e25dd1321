import { useEffect } from "react";

import { updatePreferences } from "@/api/preferences";
import type { Preferences } from "@/api/client";
import type { Engine } from "@/play/engine";

const MUTE_KEY = "KeyM";

/** The game is as loud as the person wants it; M turns it on and off, unless the game has that key for itself. */
export function useSound(engine: Engine, { sound, volume }: Preferences, hasSound: boolean): void {
  useEffect(() => engine.setVolume(sound ? toGain(volume) : null), [engine, sound, volume]);
  useEffect(() => {
    if (!hasSound) return;
    const toggleSound = (event: KeyboardEvent) => {
      if (event.repeat || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey)
        return;
      const typing = event.target instanceof Element && event.target.closest("input") !== null;
      if (event.code === MUTE_KEY && !typing) updatePreferences({ sound: !sound });
    };
    addEventListener("keydown", toggleSound);
    return () => removeEventListener("keydown", toggleSound);
  }, [hasSound, sound]);
}

/** What is half as much on the slider sounds about half as loud. */
const toGain = (percent: number): number => (percent / 100) ** 2;
