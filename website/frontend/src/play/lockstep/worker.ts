import { Emulator } from "@/lockstep/emulator";

import type { FromWorker, LockstepGameSetup, ToWorker } from "./messages";
import { Stepper } from "./stepper";

/** Steps run before the first episode so that the code is compiled. Any seed will do. */
const WARM_UP = { seed: 1, steps: 120 } as const;

/**
 * The used part of a worker's global scope. TypeScript cannot load the DOM and worker types
 * together.
 */
const scope = globalThis as unknown as {
  postMessage: (message: FromWorker, transfer: Transferable[]) => void;
  onmessage: (event: MessageEvent<ToWorker>) => void;
};

let stepper: Stepper | null = null;

function post(message: FromWorker, transfer: Transferable[] = []): void {
  scope.postMessage(message, transfer);
}

async function load({ module, cartridge, origin, ...rules }: LockstepGameSetup): Promise<void> {
  const emulator = await Emulator.create(module, cartridge);
  emulator.load({ ...rules.setup, seed: WARM_UP.seed });
  for (let step = 0; step < WARM_UP.steps; step++) {
    const { terminated, truncated } = emulator.step(0);
    if (terminated || truncated) break;
  }
  const shift = performance.timeOrigin - origin;
  stepper = new Stepper(emulator, rules, {
    now: () => performance.now() + shift,
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    post,
  });
  post({ kind: "loaded" });
}

function handle(message: ToWorker): void {
  switch (message.kind) {
    case "load":
      load(message).catch(fail);
      return;
    case "begin":
      return stepper?.begin(message.seed);
    case "input":
      return stepper?.input(message.change);
    case "set-audio":
      return stepper?.setAudioEnabled(message.on);
    case "resume":
      return stepper?.resume();
    case "stop":
      return stepper?.stop();
    case "display-frame":
      return stepper?.onDisplayFrame(message.at, message.newest);
    case "recycle-buffer":
      return stepper?.recycleBuffer(message.buffer);
  }
}

/** Reports an emulator failure; the page then switches to streaming. */
function fail(error: unknown): void {
  post({ kind: "failed", words: error instanceof Error ? error.message : String(error) });
}

scope.onmessage = (event) => {
  try {
    handle(event.data);
  } catch (error) {
    fail(error);
  }
};
