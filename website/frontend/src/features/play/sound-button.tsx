import { useLingui } from "@lingui/react";
import { updatePreferences } from "@/api/preferences";
import { useKeyLabel } from "@/lib/keyboard-layout";

import { MUTE_KEY } from "./use-sound";

/** Toggles the sound. The state is visible by shape and announced to screen readers. */
export function SoundButton({ on }: { on: boolean }) {
  const { i18n } = useLingui();
  const muteKey = useKeyLabel()(MUTE_KEY);
  return (
    <button
      type="button"
      data-testid="sound"
      aria-pressed={on}
      aria-keyshortcuts={muteKey}
      title={
        on
          ? i18n._("Sound is on ({key})", { key: muteKey })
          : i18n._("Sound is off ({key})", { key: muteKey })
      }
      onClick={() => updatePreferences({ sound: !on })}
      className="grid size-10 shrink-0 place-items-center rounded-full hover:bg-black/10 active:bg-black/20"
    >
      <span className="sr-only">{i18n._("Sound")}</span>
      <svg
        viewBox="0 0 24 24"
        className="size-6"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        <path d="M4 9.5v5h3.5l4.5 4v-13l-4.5 4z" fill="currentColor" />
        <path d={on ? "M15.5 9a4.2 4.2 0 010 6M18 6.5a7.8 7.8 0 010 11" : "M16 9.5l5 5m0-5l-5 5"} />
      </svg>
    </button>
  );
}
