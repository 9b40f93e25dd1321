import type { I18n } from "@lingui/core";
import { useLingui } from "@lingui/react";
import type { ReplayEvent } from "@/api/replay";

import { type ReplayModel, useFrame, useLoaded } from "./use-replay";

const NAMES = {
  focus: /*i18n*/ "Focus",
  pause: /*i18n*/ "Paused",
  resume: /*i18n*/ "Resumed",
  detach: /*i18n*/ "Connection lost",
  attach: /*i18n*/ "Reconnected",
  late: /*i18n*/ "Late step",
  "left-out": /*i18n*/ "Frames not sent",
  stream: /*i18n*/ "Continued streamed",
  incident: /*i18n*/ "Message rejected",
  crash: /*i18n*/ "Crash",
  "handed-over": /*i18n*/ "Left to another server",
  moved: /*i18n*/ "Continued by another server",
  rewound: /*i18n*/ "Continued by another server, some steps lost",
} as const;
const FOCUS_NAMES: Readonly<Record<string, string>> = {
  blur: /*i18n*/ "Window lost focus",
  focus: /*i18n*/ "Window got focus",
  hidden: /*i18n*/ "Page hidden",
  visible: /*i18n*/ "Page visible",
};
const MAX_SHOWN = 60;

function describeEvent(i18n: I18n, { kind, data }: ReplayEvent): string {
  const { state, frames, late_us: lateUs } = data;
  if (kind === "focus" && typeof state === "string")
    return i18n._(FOCUS_NAMES[state] ?? NAMES.focus);
  if (kind === "left-out" && typeof frames === "number")
    return i18n._("{count, plural, one {# frame} other {# frames}} not sent", { count: frames });
  if (kind === "late" && typeof lateUs === "number")
    return i18n._("Step {milliseconds} ms late", { milliseconds: Math.round(lateUs / 1000) });
  return i18n._((NAMES as Readonly<Record<string, string>>)[kind] ?? kind);
}

/** Events near the frame; each is a button that goes there. */
export function EventsList({ model }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const { notable } = useLoaded(model);
  const frame = useFrame(model.player);
  if (notable.length === 0) return <p className="text-sm text-dim">{i18n._("No events.")}</p>;
  const next = notable.findIndex(({ step }) => step > frame);
  const middle = next === -1 ? notable.length : next;
  const start = Math.max(Math.min(middle - MAX_SHOWN / 2, notable.length - MAX_SHOWN), 0);
  const shown = notable.slice(start, start + MAX_SHOWN);
  return (
    <ul
      aria-label={i18n._("Events")}
      className="-mx-2 grid max-h-60 overflow-y-auto"
      data-testid="events"
    >
      {shown.map((event) => (
        <li key={event.number}>
          <button
            type="button"
            aria-current={event.step === frame}
            className="flex w-full items-baseline gap-3 rounded-lg px-2 py-1 text-left text-sm hover:bg-raised aria-[current=true]:bg-raised"
            onClick={() => void model.player.seek(event.step)}
          >
            <span className="w-16 shrink-0 text-right text-dim tabular-nums">
              {i18n.number(event.step)}
            </span>
            <span>{describeEvent(i18n, event)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
