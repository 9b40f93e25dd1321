import type { FocusState } from "@/wire/messages";

import type { Cancel } from "../platform";

/** Reports focus changes of the window and visibility changes of the page. */
export function listenFocus(onChange: (state: FocusState, at: number) => void): Cancel {
  const blur = (event: Event): void => onChange("blur", event.timeStamp);
  const focus = (event: Event): void => onChange("focus", event.timeStamp);
  const visibility = (event: Event): void => onChange(document.visibilityState, event.timeStamp);
  window.addEventListener("blur", blur);
  window.addEventListener("focus", focus);
  document.addEventListener("visibilitychange", visibility);
  return () => {
    window.removeEventListener("blur", blur);
    window.removeEventListener("focus", focus);
    document.removeEventListener("visibilitychange", visibility);
  };
}
