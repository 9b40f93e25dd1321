import type { OpenAudioOutput } from "@/play/sound/speaker";

/** A sound card that remembers what it was told. */
export class HandOutput {
  hz: number | null = null;
  opened = 0;
  played: { frame: number; samples: Uint8Array }[] = [];
  volume = 0;
  running = false;
  closed = 0;
  /** The browser can't play after all. */
  fail: (words: string) => void = () => undefined;

  open: OpenAudioOutput = (hz, failed) => {
    this.hz = hz;
    this.opened++;
    this.fail = failed;
    return {
      play: (frame, samples) => this.played.push({ frame, samples }),
      setVolume: (loudness) => (this.volume = loudness),
      setRunning: (running) => (this.running = running),
      close: () => this.closed++,
    };
  };
}
