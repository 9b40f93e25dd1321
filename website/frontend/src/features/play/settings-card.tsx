import { useLingui } from "@lingui/react";
import { useId, type ReactNode } from "react";

import { updatePreferences, usePreferences } from "@/api/preferences";
import { usePrefersReducedMotion } from "@/lib/media";

interface Props {
  touch: boolean;
  gamepads: readonly string[];
  /** True if the game has sound. */
  hasSound: boolean;
}

/** Settings that apply to all games and devices of the player. */
export function SettingsCard({ touch, gamepads, hasSound }: Props) {
  const { i18n } = useLingui();
  const { hand, haptics, gauge, sound, volume } = usePreferences();
  const reducedMotion = usePrefersReducedMotion();
  const canVibrate = (touch && "vibrate" in navigator) || gamepads.length > 0;
  return (
    <div className="grid gap-1">
      {touch && (
        <Switch
          on={hand === "left"}
          onChange={(on) => updatePreferences({ hand: on ? "left" : "right" })}
        >
          {i18n._("Left-handed buttons")}
        </Switch>
      )}
      {canVibrate && !reducedMotion && (
        <Switch on={haptics} onChange={(on) => updatePreferences({ haptics: on })}>
          {i18n._("Vibration")}
        </Switch>
      )}
      {canVibrate && reducedMotion && (
        <p className="flex min-h-11 items-center text-sm text-dim">
          {i18n._("Vibration is off because your system has reduced motion enabled.")}
        </p>
      )}
      {hasSound && (
        <Switch on={sound} onChange={(on) => updatePreferences({ sound: on })}>
          {i18n._("Sound")}
        </Switch>
      )}
      {hasSound && sound && <VolumeSlider volume={volume} />}
      <Switch on={gauge} onChange={(on) => updatePreferences({ gauge: on })}>
        {i18n._("Show latency and FPS")}
      </Switch>
      {gamepads.map((name, index) => (
        <p key={index} className="mt-1 text-sm break-words text-dim">
          {i18n._("Gamepad: {name}", { name })}
        </p>
      ))}
    </div>
  );
}

function VolumeSlider({ volume }: { volume: number }) {
  const { i18n } = useLingui();
  const id = useId();
  return (
    <div className="flex min-h-11 items-center gap-3">
      <label htmlFor={id}>{i18n._("Volume")}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={100}
        step={5}
        value={volume}
        aria-valuetext={`${volume} %`}
        onChange={(event) => updatePreferences({ volume: event.target.valueAsNumber })}
        className="min-w-0 flex-1 accent-[var(--action)]"
      />
    </div>
  );
}

interface SwitchProps {
  on: boolean;
  onChange: (on: boolean) => void;
  children: ReactNode;
}

function Switch({ on, onChange, children }: SwitchProps) {
  const id = useId();
  return (
    <div className="flex min-h-11 items-center gap-3">
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={on}
        onChange={(event) => onChange(event.target.checked)}
        className="size-5 shrink-0 accent-[var(--action)]"
      />
      <label htmlFor={id}>{children}</label>
    </div>
  );
}
