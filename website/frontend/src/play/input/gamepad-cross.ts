export type CrossDirection = "up" | "down" | "left" | "right";

/** Buttons of the direction pad in the standard mapping (W3C Gamepad, section 11). */
const CROSS_BUTTONS = { up: 12, down: 13, left: 14, right: 15 } as const;

/** Directions of a hat value, clockwise from -1 in steps of 2/7. */
const HAT_DIRECTIONS: readonly (readonly CrossDirection[])[] = [
  ["up"],
  ["up", "right"],
  ["right"],
  ["down", "right"],
  ["down"],
  ["down", "left"],
  ["left"],
  ["up", "left"],
];
/** Axis to which Chromium and Firefox on Windows map the hat (HID usage 0x39). */
const HAT_AXIS = 9;
/** Axes of the direction pad on Linux (ABS_HAT0X, ABS_HAT0Y), if there is no axis for a hat. */
const CROSS_AXES = [6, 7] as const;
const TOLERANCE = 0.02;

/** A pressed direction of the direction pad, with the button or axis that reports it. */
export interface CrossPress {
  direction: CrossDirection;
  part: string;
}

/**
 * Reads the direction pad of one gamepad.
 *
 * Without the standard mapping it is a hat on axis 9 or the axes 6 and 7. Other pads have a trigger
 * or a throttle there, which rests at -1. So an axis is ignored once it has had a value that a
 * direction pad cannot have, and a value that may be such a rest position is not a press until the
 * axis has been at the rest position of a direction pad.
 */
export class GamepadCross {
  /** Axes that have had a value greater than 1, as only a released hat has. */
  readonly #hats = new Set<number>();
  readonly #analogAxes = new Set<number>();
  #crossWasAtRest = false;

  read(pad: Gamepad, isPressed: (index: number) => boolean): CrossPress[] {
    if (pad.mapping === "standard") {
      return Object.entries(CROSS_BUTTONS)
        .filter(([, index]) => isPressed(index))
        .map(([direction, index]) => ({
          direction: direction as CrossDirection,
          part: `button-${String(index)}`,
        }));
    }
    const hat = pad.axes.flatMap((value, axis) => this.#readHat(value, axis));
    return hat.length > 0 || pad.axes.length > HAT_AXIS ? hat : this.#readCross(pad.axes);
  }

  #readHat(value: number, axis: number): CrossPress[] {
    if (value > 1 + TOLERANCE) this.#hats.add(axis);
    const isHat = this.#hats.has(axis);
    if (!isHat && (axis !== HAT_AXIS || this.#analogAxes.has(axis))) return [];
    const order = (value + 1) * 3.5;
    const directions =
      Math.abs(order - Math.round(order)) < 3.5 * TOLERANCE
        ? HAT_DIRECTIONS[Math.round(order)]
        : undefined;
    // Some browsers report 0 until the hat is used for the first time.
    if (directions === undefined && value !== 0) this.#analogAxes.add(axis);
    if (directions === undefined || (!isHat && Math.abs(value) > 1 - TOLERANCE)) return [];
    return directions.map((direction) => ({
      direction,
      part: `axis-${String(axis)}-${direction}`,
    }));
  }

  #readCross(axes: readonly number[]): CrossPress[] {
    const [x, y] = CROSS_AXES.map((axis) => axes[axis]);
    if (x === undefined || y === undefined) return [];
    CROSS_AXES.forEach((axis, order) => {
      const size = Math.abs(order === 0 ? x : y);
      if (size > TOLERANCE && size < 1 - TOLERANCE) this.#analogAxes.add(axis);
    });
    if (CROSS_AXES.some((axis) => this.#analogAxes.has(axis))) return [];
    if (Math.abs(x) < TOLERANCE || Math.abs(y) < TOLERANCE) this.#crossWasAtRest = true;
    if (!this.#crossWasAtRest) return [];
    const presses: CrossPress[] = [];
    const [xAxis, yAxis] = CROSS_AXES;
    if (Math.abs(x) > 0.5) {
      const direction = x < 0 ? "left" : "right";
      presses.push({ direction, part: `axis-${String(xAxis)}-${direction}` });
    }
    if (Math.abs(y) > 0.5) {
      const direction = y < 0 ? "up" : "down";
      presses.push({ direction, part: `axis-${String(yAxis)}-${direction}` });
    }
    return presses;
  }
}
