import { useEffect, useRef } from "react";

const VIBRATION_MS = 160;

/** A life lost is felt: by whoever plays with fingers in the phone, by whoever holds a gamepad there. */
export function useVibration(lives: number | null, touch: boolean, isEnabled: boolean): void {
  const before = useRef<number | null>(null);
  useEffect(() => {
    const lost = lives !== null && before.current !== null && lives < before.current;
    before.current = lives;
    if (!lost || !isEnabled) return;
    if (touch && "vibrate" in navigator) navigator.vibrate(VIBRATION_MS);
    for (const pad of navigator.getGamepads()) {
      if (pad === null) continue;
      // Not every browser's gamepad has one, whatever the types say.
      const actuator = pad.vibrationActuator as GamepadHapticActuator | null | undefined;
      void actuator?.playEffect("dual-rumble", {
        duration: VIBRATION_MS,
        strongMagnitude: 0.8,
        weakMagnitude: 0.5,
      });
    }
  }, [lives, touch, isEnabled]);
}
