import type { Cancel, Platform } from "../platform";
import { GamepadCross } from "./gamepad-cross";
import type { InputSink } from "./held-controls";
import { steerControls, type Steer } from "./steer";
import { padDirections, type PadControls } from "./touch";

/** Mapping of a gamepad: directions on stick and D-pad, the other controls on buttons in order. */
export interface GamepadMap {
  directions: PadControls;
  buttons: readonly string[];
  /** Controls per deflection of the stick, for games with analogue control. */
  steer: Steer | null;
}

export interface GamepadEvents {
  /** A button was pressed; its index in the standard mapping. */
  button: (index: number, at: number) => void;
  /** The set of connected gamepads changed; their names. */
  connectedPads: (names: readonly string[]) => void;
  /** A connected gamepad was disconnected. */
  disconnected: () => void;
}

/**
 * Deflection below which the stick presses nothing. Its release threshold is lower (hysteresis).
 */
const DEAD_ZONE = 0.35;
const RELEASE_ZONE = 0.25;
/** Analogue triggers count as pressed above this value. */
const PRESS_THRESHOLD = 0.5;
/** Buttons of the standard mapping (W3C Gamepad, section 11): face buttons, shoulders, triggers. */
const CONTROL_BUTTONS = [0, 1, 2, 3, 4, 5, 6, 7];
/**
 * Age that `Gamepad.timestamp` may have at the poll before the one that sees the change. An older
 * timestamp, or one that does not change, is not the time of the press.
 */
const TIMESTAMP_SLACK_MS = 20;

type HeldCodes = Map<string, string>;

/** State of a connected gamepad between two polls. */
interface PadState {
  cross: GamepadCross;
  /** Pressed codes with their controls. */
  held: HeldCodes;
  /** Pressed buttons; null before the first poll. */
  buttons: Set<number> | null;
  timestamp: number;
  polledAt: number;
}

/**
 * Polls every connected gamepad at each animation frame while at least one is connected.
 *
 * `list` is `navigator.getGamepads`. It returns a snapshot, so it is called at each poll.
 */
export function listenGamepads(
  platform: Platform,
  list: () => readonly (Gamepad | null)[],
  map: GamepadMap,
  sink: InputSink,
  events: GamepadEvents,
): Cancel {
  const states = new Map<number, PadState>();
  let names = "";
  let frame: Cancel | null = null;

  const connected = () => list().filter((pad) => pad?.connected === true) as Gamepad[];
  const reportConnected = (pads: readonly Gamepad[]): void => {
    const now = pads.map(({ id }) => id);
    if (now.join("\n") === names) return;
    names = now.join("\n");
    events.connectedPads(now);
  };
  const releaseGamepad = (index: number, at: number): void => {
    for (const code of states.get(index)?.held.keys() ?? []) sink.release("gamepad", code, at);
    states.delete(index);
  };
  const poll = (now: number): void => {
    const pads = connected();
    reportConnected(pads);
    for (const index of [...states.keys()]) {
      if (pads.some((pad) => pad.index === index)) continue;
      releaseGamepad(index, now);
      events.disconnected();
    }
    for (const pad of pads) {
      const state = states.get(pad.index) ?? newPadState();
      states.set(pad.index, state);
      const at = changeTime(pad, state, now);
      const before = state.held;
      const pressed = readControls(pad, map, state);
      state.held = pressed;
      for (const code of before.keys()) if (!pressed.has(code)) sink.release("gamepad", code, at);
      for (const [code, control] of pressed) {
        if (!before.has(code)) sink.press(control, "gamepad", code, at);
      }
      const buttons = pressedButtons(pad);
      for (const index of buttons) {
        if (state.buttons?.has(index) === false) events.button(index, at);
      }
      state.buttons = buttons;
      state.timestamp = pad.timestamp;
      state.polledAt = now;
    }
    frame = pads.length > 0 ? platform.nextFrame(() => poll(platform.now())) : null;
  };
  const startPolling = (): void => {
    if (frame === null) poll(platform.now());
  };
  addEventListener("gamepadconnected", startPolling);
  startPolling();
  return () => {
    removeEventListener("gamepadconnected", startPolling);
    frame?.();
    for (const index of [...states.keys()]) releaseGamepad(index, platform.now());
  };
}

const newPadState = (): PadState => ({
  cross: new GamepadCross(),
  held: new Map(),
  buttons: null,
  timestamp: NaN,
  polledAt: Infinity,
});

/** Returns the time of a change that this poll sees: the gamepad's timestamp if it can be right. */
function changeTime({ timestamp }: Gamepad, state: PadState, now: number): number {
  const isPlausible =
    timestamp !== state.timestamp &&
    timestamp > state.polledAt - TIMESTAMP_SLACK_MS &&
    timestamp <= now;
  return isPlausible ? timestamp : now;
}

/** Returns the pressed codes with their controls. */
function readControls(pad: Gamepad, map: GamepadMap, state: PadState): HeldCodes {
  const pressed: HeldCodes = new Map();
  const name = (part: string): string => `gamepad-${pad.index}-${part}`;
  const [x = 0, y = 0] = pad.axes;
  const holds = [...state.held.keys()].some((code) => code.startsWith(name("stick")));
  const zone = holds ? RELEASE_ZONE : DEAD_ZONE;
  const steered = map.steer === null ? [] : steerControls(x, y, map.steer, zone);
  for (const control of steered) pressed.set(name(`stick-${control}`.slice(0, 28)), control);
  for (const way of map.steer === null ? padDirections(x, y, map.directions, zone) : []) {
    const control = map.directions[way];
    if (control !== undefined) pressed.set(name(`stick-${way}`), control);
  }
  for (const { direction, part } of state.cross.read(pad, (index) => isPressed(pad, index))) {
    const control = map.directions[direction];
    if (control !== undefined) pressed.set(name(part), control);
  }
  map.buttons.forEach((control, order) => {
    const index = CONTROL_BUTTONS[order];
    if (index !== undefined && isPressed(pad, index)) pressed.set(name(`button-${index}`), control);
  });
  return pressed;
}

function isPressed(pad: Gamepad, index: number): boolean {
  const button = pad.buttons[index];
  return button !== undefined && (button.pressed || button.value > PRESS_THRESHOLD);
}

function pressedButtons(pad: Gamepad): Set<number> {
  return new Set(pad.buttons.flatMap((_, index) => (isPressed(pad, index) ? [index] : [])));
}
