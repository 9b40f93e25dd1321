import type { Output } from "./speaker";
import worklet from "./worklet.ts?worker&url";
import type { ToWorklet, WorkletOptions } from "./worklet";

const NONE = "This browser plays no sound here; the game is silent.";
/** Time constant of a change of volume, seconds: no click. */
const RAMP = 0.01;
/** What the queue fades out in, and some. */
const FADE_MS = 100;

/** The browser's own sound: a context with the worklet and a volume. */
export function openOutput(hz: number, failed: (words: string) => void): Output {
  const context = new AudioContext({ latencyHint: "interactive" });
  const volume = new GainNode(context, { gain: 0 });
  volume.connect(context.destination);
  let node: AudioWorkletNode | null = null;
  let closed = false;
  let runs = false;
  let resting: ReturnType<typeof setTimeout> | undefined;
  const send = (message: ToWorklet, transfer: Transferable[] = []) =>
    node?.port.postMessage(message, transfer);
  load(context).then(
    () => {
      if (closed) return;
      node = new AudioWorkletNode(context, "arcade-sound", {
        numberOfInputs: 0,
        outputChannelCount: [1],
        processorOptions: { hz } satisfies WorkletOptions,
      });
      node.connect(volume);
    },
    () => {
      if (!closed) failed(NONE);
    },
  );
  return {
    play: (frame, samples) => send({ kind: "step", frame, samples }, [samples.buffer]),
    volume: (loudness) => volume.gain.setTargetAtTime(loudness, context.currentTime, RAMP),
    run: (running) => {
      if (closed || running === runs) return;
      runs = running;
      clearTimeout(resting);
      // Waits until somebody has pressed something, as the browser has it.
      if (running) void context.resume();
      else {
        send({ kind: "clear" });
        resting = setTimeout(() => void context.suspend(), FADE_MS);
      }
    },
    close: () => {
      if (closed) return;
      closed = true;
      clearTimeout(resting);
      send({ kind: "end" });
      node?.disconnect();
      void context.close();
    },
  };
}

/** A browser has worklets on secure pages only, whatever the types say. */
async function load(context: AudioContext): Promise<void> {
  const worklets = context.audioWorklet as AudioWorklet | undefined;
  if (worklets === undefined) throw new Error(NONE);
  await worklets.addModule(worklet);
}
