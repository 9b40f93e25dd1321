import { useEffect, useRef } from "react";

const SHAKE_MS = 160;

/** A life lost is felt: by whoever plays with fingers in the phone, by whoever holds a gamepad there. */
export function useRumble(lives: number | null, touch: boolean, wanted: boolean): void {
  const before = useRef<number | null>(null);
  useEffect(() => {
    const lost = lives !== null && before.current !== null && lives < before.current;
    before.current = lives;
    if (!lost || !wanted) return;
    if (touch && "vibrate" in navigator) navigator.vibrate(SHAKE_MS);
    for (const pad of navigator.getGamepads()) {
      if (pad === null) continue;
      // Not every browser's gamepad has one, whatever the types say.
      const actuator = pad.vibrationActuator as GamepadHapticActuator | null | undefined;
      void actuator?.playEffect("dual-rumble", {
        duration: SHAKE_MS,
        strongMagnitude: 0.8,
        weakMagnitude: 0.5,
      });
    }
  }, [lives, touch, wanted]);
}
