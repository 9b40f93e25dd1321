import { useLingui } from "@lingui/react";
import { useEffect, useEffectEvent, useState, type RefObject } from "react";

import type { Game, GameControl } from "@/api/client";
import { updatePreferences, usePreferences } from "@/api/preferences";
import { Button } from "@/components/button";
import { KeyCap } from "@/components/key-cap";
import { idsOf, storedFor } from "@/lib/game-ids";
import { translateGameText } from "@/lib/game-texts";
import { useKeyLabel } from "@/lib/keyboard-layout";

import { bindKey, isBindable, type Keys } from "./keys";
import { MUTE_KEY } from "./use-sound";

interface Props {
  game: Game;
  keys: Keys;
  /** True while the player chooses a key, so that the key does not play. */
  isChoosingRef: RefObject<boolean>;
  /** True if the game has sound. */
  hasSound: boolean;
}

/** Lists the keys of the game and lets the player change them. */
export function ControlsCard({ game, keys, isChoosingRef, hasSound }: Props) {
  const { i18n } = useLingui();
  const { keys: customKeys } = usePreferences();
  const keyLabel = useKeyLabel();
  const [isEditing, setEditing] = useState(false);
  const [control, setControl] = useState<string | null>(null);
  const [status, setStatus] = useState("");
  const saveKeys = (own: Record<string, string[]> | null) => {
    const ids = idsOf(game);
    const rest = Object.entries(customKeys).filter(([id]) => !ids.includes(id));
    updatePreferences({
      keys: Object.fromEntries(own === null ? rest : [...rest, [game.id, own]]),
    });
  };
  useKeyCapture(isChoosingRef, control, (code) => {
    setControl(null);
    if (control === null || code === null) return;
    const found = game.controls.find(({ name }) => name === control);
    const label = found === undefined ? control : translateGameText(found.label);
    if (!isBindable(code)) {
      setStatus(i18n._("{key} is reserved. Choose another key.", { key: keyLabel(code) }));
      return;
    }
    saveKeys(bindKey(keys, control, code));
    setStatus(i18n._("{label} is now on {key}.", { label, key: keyLabel(code) }));
  });
  return (
    <>
      <dl className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-2.5">
        {game.controls.map((one) => (
          <div key={one.name} className="contents">
            <dt>{translateGameText(one.label)}</dt>
            <dd className="flex justify-end gap-1.5">
              {isEditing ? (
                <KeyButton
                  control={one}
                  codes={keys[one.name] ?? []}
                  active={control === one.name}
                  onChoose={() => setControl(control === one.name ? null : one.name)}
                />
              ) : (
                <KeyCaps codes={keys[one.name] ?? []} />
              )}
            </dd>
          </div>
        ))}
        {game.pace.kind === "real-time" && (
          <div className="contents">
            <dt className="text-dim">{i18n._("Pause")}</dt>
            <dd className="flex justify-end">
              <KeyCap code="Escape" />
            </dd>
          </div>
        )}
        {hasSound && (
          <div className="contents">
            <dt className="text-dim">{i18n._("Sound")}</dt>
            <dd className="flex justify-end">
              <KeyCap code={MUTE_KEY} />
            </dd>
          </div>
        )}
      </dl>
      <div className="mt-4 flex flex-wrap gap-2">
        <Button
          look="plain"
          aria-expanded={isEditing}
          onClick={() => {
            setEditing(!isEditing);
            setControl(null);
            setStatus("");
          }}
        >
          {isEditing ? i18n._("Done") : i18n._("Change keys")}
        </Button>
        {isEditing && storedFor(customKeys, game) !== undefined && (
          <Button look="quiet" onClick={() => saveKeys(null)}>
            {i18n._("Reset keys")}
          </Button>
        )}
      </div>
      <p role="status" className="mt-2 text-sm text-dim">
        {control === null ? status : i18n._("Press the new key. Press Escape to cancel.")}
      </p>
    </>
  );
}

/** Calls `onKey` with the next key while `control` is being changed; null for Escape. */
function useKeyCapture(
  isChoosingRef: RefObject<boolean>,
  control: string | null,
  onKey: (code: string | null) => void,
): void {
  const isChoosing = control !== null;
  const chooseKey = useEffectEvent(onKey);
  // The listener must survive a render that another listener of the same key press causes.
  useEffect(() => {
    if (!isChoosing) return;
    isChoosingRef.current = true;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.code === "Tab") return;
      event.preventDefault();
      event.stopPropagation();
      chooseKey(event.code === "Escape" ? null : event.code);
    };
    addEventListener("keydown", onKeyDown, { capture: true });
    return () => {
      isChoosingRef.current = false;
      removeEventListener("keydown", onKeyDown, { capture: true });
    };
  }, [isChoosing, isChoosingRef]);
}

interface KeyButtonProps {
  control: GameControl;
  codes: readonly string[];
  active: boolean;
  onChoose: () => void;
}

function KeyButton({ control, codes, active, onChoose }: KeyButtonProps) {
  const { i18n } = useLingui();
  const keyLabel = useKeyLabel();
  const now = codes.map(keyLabel).join(` ${i18n._("or")} `) || i18n._("no key");
  return (
    <button
      type="button"
      aria-label={i18n._("Change key for {label}, currently {now}", {
        label: translateGameText(control.label),
        now,
      })}
      aria-pressed={active}
      onClick={onChoose}
      className="flex min-h-10 items-center gap-1.5 rounded-lg border-2 border-dashed border-line px-2 hover:border-dim aria-pressed:border-solid aria-pressed:border-focus"
    >
      {active ? (
        <span className="px-1 text-sm font-bold">{i18n._("Press a key…")}</span>
      ) : (
        <KeyCaps codes={codes} />
      )}
    </button>
  );
}

function KeyCaps({ codes }: { codes: readonly string[] }) {
  const { i18n } = useLingui();
  const keyLabel = useKeyLabel();
  if (codes.length === 0) return <span className="text-sm text-dim">{i18n._("no key")}</span>;
  return distinctLabels(codes, keyLabel).map((code) => <KeyCap key={code} code={code} />);
}

/** Removes keys with the same label, such as both digit 1 keys. */
function distinctLabels(codes: readonly string[], keyLabel: (code: string) => string): string[] {
  return [...new Map(codes.toReversed().map((code) => [keyLabel(code), code])).values()].reverse();
}
