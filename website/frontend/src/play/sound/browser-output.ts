import type { AudioOutput } from "./speaker";
import worklet from "./worklet.ts?worker&url";
import type { ToWorklet, WorkletOptions } from "./worklet";

const UNSUPPORTED_MESSAGE = "This browser plays no sound here; the game is silent.";
/** Time constant of a change of volume, seconds: no click. */
const RAMP_SECONDS = 0.01;
/** What the queue fades out in, and some. */
const SUSPEND_DELAY_MS = 100;

/** The browser's own sound: a context with the worklet and a volume. */
export function openAudioOutput(hz: number, onFailure: (words: string) => void): AudioOutput {
  const context = new AudioContext({ latencyHint: "interactive" });
  const volume = new GainNode(context, { gain: 0 });
  volume.connect(context.destination);
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
      if (!isClosed) onFailure(UNSUPPORTED_MESSAGE);
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
      // Waits until somebody has pressed something, as the browser has it.
      if (running) void context.resume();
      else {
        send({ kind: "clear" });
        suspendTimer = setTimeout(() => void context.suspend(), SUSPEND_DELAY_MS);
      }
    },
    close: () => {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(suspendTimer);
      send({ kind: "end" });
      node?.disconnect();
      void context.close();
    },
  };
}

/** A browser has worklets on secure pages only, whatever the types say. */
async function load(context: AudioContext): Promise<void> {
  const worklets = context.audioWorklet as AudioWorklet | undefined;
  if (worklets === undefined) throw new Error(UNSUPPORTED_MESSAGE);
  await worklets.addModule(worklet);
}
