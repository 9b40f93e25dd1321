import { useEffect, useRef } from "react";

const VIBRATION_MS = 160;

/** Vibrates the phone or gamepad when a life is lost. */
export function useVibration(lives: number | null, touch: boolean, isEnabled: boolean): void {
  const before = useRef<number | null>(null);
  useEffect(() => {
    const lost = lives !== null && before.current !== null && lives < before.current;
    before.current = lives;
    if (!lost || !isEnabled) return;
    if (touch && "vibrate" in navigator) navigator.vibrate(VIBRATION_MS);
    for (const pad of navigator.getGamepads()) {
      if (pad === null) continue;
      // Some browsers have no actuator, although the types say so.
      const actuator = pad.vibrationActuator as GamepadHapticActuator | null | undefined;
      void actuator?.playEffect("dual-rumble", {
        duration: VIBRATION_MS,
        strongMagnitude: 0.8,
        weakMagnitude: 0.5,
      });
    }
  }, [lives, touch, isEnabled]);
}
