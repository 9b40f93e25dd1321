import type { FromWorker } from "./messages";
import type { WorkerPort } from "./lockstep-game";

/** Starts the game's worker. A worker that cannot start reports `failed`, like one that throws. */
export function openWorker(hear: (message: FromWorker) => void): WorkerPort {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<FromWorker>) => hear(event.data);
  worker.onerror = (event) => hear({ kind: "failed", words: event.message });
  return {
    send: (message, transfer = []) => worker.postMessage(message, transfer),
    close: () => worker.terminate(),
  };
}
