const BEEP_SECONDS = 0.15;
const PERIOD_SECONDS = 0.5;
const FREQUENCY_HZ = 660;

/** Plays `count` tones. Needs a user gesture. */
export function playBeeps(count: number): void {
  const context = new AudioContext();
  for (let index = 0; index < count; index++) {
    const tone = new OscillatorNode(context, { frequency: FREQUENCY_HZ });
    tone.connect(new GainNode(context, { gain: 0.2 })).connect(context.destination);
    const at = context.currentTime + 0.1 + index * PERIOD_SECONDS;
    tone.start(at);
    tone.stop(at + BEEP_SECONDS);
    if (index === count - 1) tone.onended = () => void context.close();
  }
}
