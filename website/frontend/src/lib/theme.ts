import { useSyncExternalStore } from "react";

import { LocalStorageStore } from "./local-storage-store";

export type Theme = "dark" | "light";

const stored = new LocalStorageStore<Theme | null>("theme", (value) =>
  value === "dark" || value === "light" ? value : null,
);
const system = matchMedia("(prefers-color-scheme: light)");

function currentTheme(): Theme {
  return stored.get() ?? (system.matches ? "light" : "dark");
}

function subscribe(listener: () => void): () => void {
  const off = stored.subscribe(listener);
  system.addEventListener("change", listener);
  return () => {
    off();
    system.removeEventListener("change", listener);
  };
}

/** Returns the current theme and a function to toggle it. */
export function useTheme(): [Theme, () => void] {
  const theme = useSyncExternalStore(subscribe, currentTheme);
  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    stored.set(next);
    document.documentElement.dataset.theme = next;
  };
  return [theme, toggle];
}
