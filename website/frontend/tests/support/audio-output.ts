import type { OpenAudioOutput } from "@/play/sound/speaker";

/** Audio output that records its calls. */
export class FakeAudioOutput {
  hz: number | null = null;
  openCount = 0;
  playedSteps: { frame: number; samples: Uint8Array }[] = [];
  volume = 0;
  running = false;
  closeCount = 0;
  /** Reports that the browser cannot play sound. */
  fail: (words: string) => void = () => undefined;

  open: OpenAudioOutput = (hz, failed) => {
    this.hz = hz;
    this.openCount++;
    this.fail = failed;
    return {
      play: (frame, samples) => this.playedSteps.push({ frame, samples }),
      setVolume: (loudness) => (this.volume = loudness),
      setRunning: (running) => (this.running = running),
      close: () => this.closeCount++,
    };
  };
}
