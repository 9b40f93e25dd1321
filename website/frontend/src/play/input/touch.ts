import type { Device } from "@/wire/messages";

import type { Cancel } from "../platform";
import type { InputSink } from "./held-controls";

/** Controls of a direction pad. A game may not have all four. */
export interface PadControls {
  up?: string;
  down?: string;
  left?: string;
  right?: string;
}

/** Share of the pad's radius around its middle that presses nothing. */
const DEAD_ZONE = 0.22;

/**
 * Returns the directions of a touch. `x` and `y` range from -1 to 1 from the middle, with y
 * downwards.
 */
export function padDirections(
  x: number,
  y: number,
  pad: PadControls,
  deadZone = DEAD_ZONE,
): (keyof PadControls)[] {
  if (Math.hypot(x, y) < deadZone) return [];
  const hasHorizontal = pad.left !== undefined || pad.right !== undefined;
  const hasVertical = pad.up !== undefined || pad.down !== undefined;
  const horizontal = x < 0 ? "left" : "right";
  const vertical = y < 0 ? "up" : "down";
  // Each of the four diagonals covers an eighth of the circle, if the pad has both axes.
  const slope = Math.tan(Math.PI / 8);
  const pressed: (keyof PadControls)[] = [];
  if (hasHorizontal && (!hasVertical || Math.abs(x) > slope * Math.abs(y)))
    pressed.push(horizontal);
  if (hasVertical && (!hasHorizontal || Math.abs(y) > slope * Math.abs(x))) pressed.push(vertical);
  return pressed.filter((direction) => pad[direction] !== undefined);
}

/** Listens to a direction pad with any number of fingers. Sliding changes the direction. */
export function listenPad(
  element: HTMLElement,
  pad: PadControls,
  sink: InputSink,
  onChange: (pressed: ReadonlySet<keyof PadControls>) => void = () => undefined,
): Cancel {
  const fingers = new Map<number, Set<keyof PadControls>>();
  const report = (): void => onChange(new Set([...fingers.values()].flatMap((held) => [...held])));
  const code = (event: PointerEvent, direction: string): string =>
    `pad-${direction}-${event.pointerId}`;
  const update = (event: PointerEvent, now: (keyof PadControls)[]): void => {
    const device = pointerDevice(event);
    const before = fingers.get(event.pointerId) ?? new Set();
    for (const direction of before) {
      if (!now.includes(direction)) sink.release(device, code(event, direction), event.timeStamp);
    }
    for (const direction of now) {
      const control = pad[direction];
      if (control === undefined || before.has(direction)) continue;
      sink.press(control, device, code(event, direction), event.timeStamp);
    }
    fingers.set(event.pointerId, new Set(now));
    report();
  };
  const directionsAt = (event: PointerEvent): (keyof PadControls)[] => {
    const box = element.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * 2 - 1;
    const y = ((event.clientY - box.top) / box.height) * 2 - 1;
    return padDirections(x, y, pad);
  };
  return listenPointers(element, {
    down: (event) => update(event, directionsAt(event)),
    move: (event) => {
      if (fingers.has(event.pointerId)) update(event, directionsAt(event));
    },
    up: (event) => {
      if (!fingers.has(event.pointerId)) return;
      update(event, []);
      fingers.delete(event.pointerId);
    },
  });
}

/** Listens to a button on the screen, which holds its control while a finger is on it. */
export function listenButton(element: HTMLElement, control: string, sink: InputSink): Cancel {
  const code = (event: PointerEvent): string => `button-${control}-${event.pointerId}`.slice(-40);
  return listenPointers(element, {
    down: (event) => {
      element.dataset.held = "";
      sink.press(control, pointerDevice(event), code(event), event.timeStamp);
    },
    move: () => undefined,
    up: (event) => {
      delete element.dataset.held;
      sink.release(pointerDevice(event), code(event), event.timeStamp);
    },
  });
}

interface PointerHandlers {
  down: (event: PointerEvent) => void;
  move: (event: PointerEvent) => void;
  up: (event: PointerEvent) => void;
}

function listenPointers(element: HTMLElement, handlers: PointerHandlers): Cancel {
  const down = (event: PointerEvent): void => {
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    handlers.down(event);
  };
  // Otherwise a long press opens the browser's context menu.
  const preventMenu = (event: Event): void => event.preventDefault();
  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", handlers.move);
  element.addEventListener("pointerup", handlers.up);
  element.addEventListener("pointercancel", handlers.up);
  element.addEventListener("contextmenu", preventMenu);
  return () => {
    element.removeEventListener("pointerdown", down);
    element.removeEventListener("pointermove", handlers.move);
    element.removeEventListener("pointerup", handlers.up);
    element.removeEventListener("pointercancel", handlers.up);
    element.removeEventListener("contextmenu", preventMenu);
  };
}

function pointerDevice(event: PointerEvent): Device {
  return event.pointerType === "mouse" ? "mouse" : "touch";
}
