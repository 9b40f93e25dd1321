import { i18n } from "@/lib/i18n";

import { ContextRunner } from "./context-runner";
import type { AudioOutput } from "./speaker";
import worklet from "./worklet.ts?worker&url";
import type { ToWorklet, WorkletOptions } from "./worklet";

const UNSUPPORTED_MESSAGE =
  /*i18n*/ "Sound is not available: this browser does not support audio worklets.";
/** Time constant of a volume change in seconds. It avoids clicks. */
const RAMP_SECONDS = 0.01;
/** Delay before the audio context is suspended: longer than the fade-out. */
const SUSPEND_DELAY_MS = 100;

/** Opens the browser's audio output: a context with the sound worklet and a gain node. */
export function openAudioOutput(hz: number, onFailure: (words: string) => void): AudioOutput {
  const context = new AudioContext({ latencyHint: "interactive" });
  const volume = new GainNode(context, { gain: 0 });
  volume.connect(context.destination);
  const runner = new ContextRunner(context, window);
  let node: AudioWorkletNode | null = null;
  let isClosed = false;
  let isRunning = false;
  let suspendTimer: ReturnType<typeof setTimeout> | undefined;
  const send = (message: ToWorklet, transfer: Transferable[] = []) =>
    node?.port.postMessage(message, transfer);
  load(context).then(
    () => {
      if (isClosed) return;
      node = new AudioWorkletNode(context, "arcade-sound", {
        numberOfInputs: 0,
        outputChannelCount: [1],
        processorOptions: { hz } satisfies WorkletOptions,
      });
      node.connect(volume);
    },
    () => {
      if (!isClosed) onFailure(i18n._(UNSUPPORTED_MESSAGE));
    },
  );
  return {
    play: (frame, samples) => send({ kind: "step", frame, samples }, [samples.buffer]),
    setVolume: (loudness) =>
      volume.gain.setTargetAtTime(loudness, context.currentTime, RAMP_SECONDS),
    setRunning: (running) => {
      if (isClosed || running === isRunning) return;
      isRunning = running;
      clearTimeout(suspendTimer);
      if (running) runner.run();
      else {
        send({ kind: "clear" });
        suspendTimer = setTimeout(() => runner.suspend(), SUSPEND_DELAY_MS);
      }
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(suspendTimer);
      runner.close();
      send({ kind: "end" });
      node?.disconnect();
      void context.close();
    },
  };
}

/** Worklets are undefined on insecure pages, although the types do not say so. */
async function load(context: AudioContext): Promise<void> {
  const worklets = context.audioWorklet as AudioWorklet | undefined;
  if (worklets === undefined) throw new Error(UNSUPPORTED_MESSAGE);
  await worklets.addModule(worklet);
}
