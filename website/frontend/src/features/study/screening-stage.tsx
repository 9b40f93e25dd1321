import { useLingui } from "@lingui/react";
import { useEffect, useState } from "react";

import { measureRoundTrip } from "@/api/studies";
import { Button } from "@/components/button";
import { getRefreshRate } from "@/play/remote/refresh-rate";

import { ChoiceList } from "./choice-list";
import { playBeeps } from "./play-beeps";
import type { StageProps } from "./stage-props";

const MIN_BEEPS = 2;
const MAX_BEEPS = 5;

/** Measures the device, and asks for keys and sound where the study needs them. */
export function ScreeningStage({ stage, isBusy, onAnswer }: StageProps<"screening">) {
  const { i18n } = useLingui();
  const measures = useMeasures();
  const keys = useHeldKeys(stage.asks_keyboard);
  const [hasSound, setHasSound] = useState(false);
  return (
    <>
      <h1 className="text-3xl sign sm:text-5xl">{i18n._("Your device")}</h1>
      <p role="status" className="mt-4">
        {measures === null
          ? i18n._("Measuring the screen and the connection…")
          : i18n._("Measured.")}
      </p>
      {stage.asks_keyboard && (
        <section className="mt-6">
          <h2 className="text-xl font-bold">{i18n._("Keyboard")}</h2>
          <p className="mt-1 text-pretty">
            {stage.rollover_keys > 1
              ? i18n._("Hold {count} letter keys at once, such as {keys}.", {
                  count: stage.rollover_keys,
                  keys: "ASD JKL".slice(0, stage.rollover_keys),
                })
              : i18n._("Press a letter key.")}
          </p>
          <p role="status" className="mt-1 text-dim">
            {i18n._("Keys seen at once: {count}", { count: keys.most })}
          </p>
        </section>
      )}
      {stage.asks_sound && <SoundCheck onResult={setHasSound} />}
      <Button
        className="mt-8"
        disabled={isBusy || measures === null}
        onClick={() =>
          onAnswer({
            ...measures,
            has_keyboard: keys.most > 0,
            rollover_keys: keys.most,
            has_sound: hasSound,
          })
        }
      >
        {i18n._("Continue")}
      </Button>
    </>
  );
}

interface Measures {
  refresh_hz: number | null;
  round_trip_ms: number | null;
}

function useMeasures(): Measures | null {
  const [measures, setMeasures] = useState<Measures | null>(null);
  useEffect(() => {
    const effect = { isCurrent: true };
    void (async () => {
      const refresh_hz = await getRefreshRate();
      const round_trip_ms = await measureRoundTrip();
      if (effect.isCurrent) setMeasures({ refresh_hz, round_trip_ms });
    })();
    return () => {
      effect.isCurrent = false;
    };
  }, []);
  return measures;
}

/** Returns the greatest number of keys that were held at once. On-screen keyboards have no codes. */
function useHeldKeys(isOn: boolean): { most: number } {
  const [most, setMost] = useState(0);
  useEffect(() => {
    if (!isOn) return;
    const held = new Set<string>();
    const down = (event: KeyboardEvent) => {
      if (!/^(Key|Digit|Arrow|Space)/.test(event.code)) return;
      held.add(event.code);
      setMost((before) => Math.max(before, held.size));
    };
    const up = (event: KeyboardEvent) => held.delete(event.code);
    const clear = () => held.clear();
    addEventListener("keydown", down);
    addEventListener("keyup", up);
    addEventListener("blur", clear);
    return () => {
      removeEventListener("keydown", down);
      removeEventListener("keyup", up);
      removeEventListener("blur", clear);
    };
  }, [isOn]);
  return { most };
}

/** Plays some beeps and asks how many they were. */
function SoundCheck({ onResult }: { onResult: (hears: boolean) => void }) {
  const { i18n } = useLingui();
  const [count] = useState(
    () => MIN_BEEPS + Math.floor(Math.random() * (MAX_BEEPS - MIN_BEEPS + 1)),
  );
  const [answer, setAnswer] = useState<number | string>();
  const choices = [2, 3, 4, 5].map((value) => ({ value, text: String(value) }));
  return (
    <section className="mt-6">
      <h2 className="text-xl font-bold">{i18n._("Sound")}</h2>
      <Button look="plain" className="mt-2" onClick={() => playBeeps(count)}>
        {i18n._("Play the sound")}
      </Button>
      <div className="mt-4">
        <ChoiceList
          title={i18n._("How many tones did you hear?")}
          isRequired={false}
          isRow
          choices={[...choices, { value: "none", text: i18n._("None") }]}
          value={answer}
          onChange={(value) => {
            setAnswer(value);
            onResult(value === count);
          }}
        />
      </div>
    </section>
  );
}
