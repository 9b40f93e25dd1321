import type { ReplayEvent } from "@/api/replay";

import { type ReplayModel, useFrame, useLoaded } from "./use-replay";

const NAMES: Readonly<Record<string, string>> = {
  focus: "Focus",
  pause: "Paused",
  resume: "Resumed",
  detach: "Connection lost",
  attach: "Reconnected",
  late: "Late step",
  "left-out": "Frames not sent",
  stream: "Continued streamed",
  incident: "Message rejected",
  crash: "Crash",
  "handed-over": "Left to another server",
  moved: "Continued by another server",
  rewound: "Continued by another server, some steps lost",
};
const FOCUS_NAMES: Readonly<Record<string, string>> = {
  blur: "Window lost focus",
  focus: "Window got focus",
  hidden: "Page hidden",
  visible: "Page visible",
};
const MAX_SHOWN = 60;

function describeEvent({ kind, data }: ReplayEvent): string {
  const { state, frames, late_us: lateUs } = data;
  if (kind === "focus" && typeof state === "string") return FOCUS_NAMES[state] ?? "Focus";
  if (kind === "left-out" && typeof frames === "number") return `${frames} frames not sent`;
  if (kind === "late" && typeof lateUs === "number")
    return `Step ${Math.round(lateUs / 1000)} ms late`;
  return NAMES[kind] ?? kind;
}

/** Events near the frame; each is a button that goes there. */
export function EventsList({ model }: { model: ReplayModel }) {
  const { notable } = useLoaded(model);
  const frame = useFrame(model.player);
  if (notable.length === 0) return <p className="text-sm text-dim">No events.</p>;
  const next = notable.findIndex(({ step }) => step > frame);
  const middle = next === -1 ? notable.length : next;
  const start = Math.max(Math.min(middle - MAX_SHOWN / 2, notable.length - MAX_SHOWN), 0);
  const shown = notable.slice(start, start + MAX_SHOWN);
  return (
    <ul aria-label="Events" className="-mx-2 grid max-h-60 overflow-y-auto" data-testid="events">
      {shown.map((event) => (
        <li key={event.number}>
          <button
            type="button"
            aria-current={event.step === frame}
            className="flex w-full items-baseline gap-3 rounded-lg px-2 py-1 text-left text-sm hover:bg-raised aria-[current=true]:bg-raised"
            onClick={() => void model.player.seek(event.step)}
          >
            <span className="w-16 shrink-0 text-right text-dim tabular-nums">
              {event.step.toLocaleString("en")}
            </span>
            <span>{describeEvent(event)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
