import { useLingui } from "@lingui/react";
import { Dialog } from "./dialog";
import { KEYS } from "./use-replay-keys";

/** The list of keys. */
export function HelpDialog({ onClose }: { onClose: () => void }) {
  const { i18n } = useLingui();
  return (
    <Dialog title={i18n._("Keys")} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-2">
        {KEYS.map(([keys, meaning]) => (
          <div key={keys} className="col-span-2 grid grid-cols-subgrid items-baseline">
            <dt className="font-bold whitespace-nowrap">{i18n._(keys)}</dt>
            <dd className="text-dim">{i18n._(meaning)}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-4 text-sm text-dim">
        {i18n._(
          "On a touch screen, tap the picture to play or pause, and tap twice on its left or right side to skip five seconds.",
        )}
      </p>
    </Dialog>
  );
}
