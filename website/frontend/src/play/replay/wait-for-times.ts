import { i18n } from "@/lib/i18n";
import type { ReadableStore } from "../store";
import type { StepData } from "./step-data";

/** What is loaded of a replay: the steps, and whether loading failed. */
export interface StepLoading {
  readonly data: Pick<StepData, "loaded" | "stepCount">;
  readonly loaded: ReadableStore<{ readonly error: string | null }>;
}

/** Waits for the recorded times of the frames up to this one and of its end. Throws if loading failed. */
export function waitForTimes(
  { data, loaded }: StepLoading,
  frame: number,
  signal: AbortSignal,
): Promise<void> {
  const steps = Math.min(frame + 1, data.stepCount);
  return new Promise((resolve, reject) => {
    const finish = (error?: Error) => {
      unsubscribe();
      signal.removeEventListener("abort", abort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const check = () => {
      const { error } = loaded.getSnapshot();
      if (data.loaded >= steps) finish();
      else if (error !== null) finish(new Error(error));
    };
    const abort = () => finish(new DOMException(i18n._("The clip was cancelled."), "AbortError"));
    const unsubscribe = loaded.subscribe(check);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    else check();
  });
}
