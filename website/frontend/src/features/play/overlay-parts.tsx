import type { ReactNode } from "react";

import type { Phase } from "@/play/engine";

/** Ids of texts. */
export const PAUSE_TEXTS = {
  player: /*i18n*/ "Take your time.",
  focus: /*i18n*/ "The game was paused because the window lost keyboard focus.",
  connection: /*i18n*/ "Reconnected. Your game was paused meanwhile.",
} as const;

/** Returns the id of a text. */
export function reconnectingTitle({
  cause,
  episodeActive,
}: Extract<Phase, { kind: "reconnecting" }>) {
  if (cause === "moving") return /*i18n*/ "Moving your game…";
  if (cause === "websocket-blocked") return /*i18n*/ "WebSockets are blocked";
  return episodeActive ? /*i18n*/ "Reconnecting…" : /*i18n*/ "Cannot connect";
}

interface FrameProps {
  kind: Phase["kind"];
  backdrop?: ReactNode;
  children: ReactNode;
}

/** Covers the screen while the game does not run. */
export function OverlayFrame({ kind, backdrop, children }: FrameProps) {
  if (kind === "playing" || kind === "starting") return null;
  return (
    <div
      className={`absolute inset-0 z-10 grid place-items-center overflow-y-auto p-4 text-center ${kind === "countdown" ? "bg-black/35" : "bg-tube/80"}`}
    >
      {backdrop}
      <div className="relative w-full max-w-lg animate-rise" key={kind}>
        {children}
      </div>
    </div>
  );
}

export function Panel({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <>
      <h2 className="text-[clamp(2.25rem,6vw,4.5rem)] sign text-balance">{title}</h2>
      {children}
    </>
  );
}

export const Countdown = ({ beatsLeft }: { beatsLeft: number }) => (
  <p
    key={beatsLeft}
    className="animate-beat dots text-[min(40vh,12rem)] leading-none text-phosphor"
  >
    {beatsLeft}
  </p>
);

export const Hint = ({ children }: { children: ReactNode }) => (
  <p className="mt-3 text-sm text-dim">{children}</p>
);

export const Actions = ({ children }: { children: ReactNode }) => (
  <div className="mt-6 flex flex-wrap justify-center gap-3">{children}</div>
);
