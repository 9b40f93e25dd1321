import { useEffect } from "react";

import { updatePreferences } from "@/api/preferences";
import type { Preferences } from "@/api/client";
import type { Engine } from "@/play/engine";

export const MUTE_KEY = "KeyM";

/**
 * Applies the sound settings. If `hasToggle`, MUTE_KEY toggles the sound, unless the game uses that
 * key.
 */
export function useSound(engine: Engine, { sound, volume }: Preferences, hasToggle: boolean): void {
  useEffect(() => engine.setVolume(sound ? toGain(volume) : null), [engine, sound, volume]);
  useEffect(() => {
    if (!hasToggle) return;
    const toggleSound = (event: KeyboardEvent) => {
      if (event.repeat || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey)
        return;
      const typing = event.target instanceof Element && event.target.closest("input") !== null;
      if (event.code === MUTE_KEY && !typing) updatePreferences({ sound: !sound });
    };
    addEventListener("keydown", toggleSound);
    return () => removeEventListener("keydown", toggleSound);
  }, [hasToggle, sound]);
}

/** Maps the slider to a gain: half the slider sounds about half as loud. */
const toGain = (percent: number): number => (percent / 100) ** 2;
