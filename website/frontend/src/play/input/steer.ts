import type { Cancel } from "../platform";
import type { InputSink } from "./held-controls";

/** Controls for each step of deflection in one direction; null if the direction has none. */
export type DeflectionSteps = readonly (readonly string[])[] | null;

/** Controls that an analogue stick or a pointer on the screen presses. */
export interface Steer {
  left: DeflectionSteps;
  right: DeflectionSteps;
  up: DeflectionSteps;
  down: DeflectionSteps;
}

/** Returns the controls of a deflection. `x` and `y` range from -1 to 1, with y downwards. */
export function steerControls(x: number, y: number, steer: Steer, deadZone: number): Set<string> {
  const pressed = new Set<string>();
  for (const [direction, steps] of [
    [x, x < 0 ? steer.left : steer.right],
    [y, y < 0 ? steer.up : steer.down],
  ] as const) {
    const deflection = (Math.min(1, Math.abs(direction)) - deadZone) / (1 - deadZone);
    if (steps === null || deflection <= 0) continue;
    const step = steps[Math.min(steps.length - 1, Math.floor(deflection * steps.length))];
    for (const control of step ?? []) pressed.add(control);
  }
  return pressed;
}

const DEAD_ZONE = 0.08;

/** Uses the screen as an analogue stick: a held pointer steers by its distance from the middle. */
export function listenSteer(element: HTMLElement, steer: Steer, sink: InputSink): Cancel {
  let held = new Set<string>();
  let pointer: number | null = null;
  const code = (control: string): string => `screen-${control}`.slice(0, 40);
  const update = (event: PointerEvent, now: Set<string>): void => {
    const device = event.pointerType === "mouse" ? "mouse" : "touch";
    for (const control of held) {
      if (!now.has(control)) sink.release(device, code(control), event.timeStamp);
    }
    for (const control of now) {
      if (!held.has(control)) sink.press(control, device, code(control), event.timeStamp);
    }
    held = now;
  };
  const controlsAt = (event: PointerEvent): Set<string> => {
    const box = element.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 2 - 1;
    const y = ((event.clientY - box.top) / box.height) * 2 - 1;
    return steerControls(x, y, steer, DEAD_ZONE);
  };
  const down = (event: PointerEvent): void => {
    if (pointer !== null) return;
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    pointer = event.pointerId;
    update(event, controlsAt(event));
  };
  const move = (event: PointerEvent): void => {
    if (event.pointerId === pointer) update(event, controlsAt(event));
  };
  const up = (event: PointerEvent): void => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    update(event, new Set());
  };
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", up);
  return () => {
    element.removeEventListener("pointerdown", down);
    element.removeEventListener("pointermove", move);
    element.removeEventListener("pointerup", up);
    element.removeEventListener("pointercancel", up);
  };
}
