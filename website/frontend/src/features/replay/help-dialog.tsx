import { Dialog } from "./dialog";
import { KEYS } from "./use-replay-keys";

/** The list of keys. */
export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-2">
        {KEYS.map(([keys, meaning]) => (
          <div key={keys} className="col-span-2 grid grid-cols-subgrid items-baseline">
            <dt className="font-bold whitespace-nowrap">{keys}</dt>
            <dd className="text-dim">{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-4 text-sm text-dim">
        On a touch screen, tap the picture to play or pause, and tap twice on its left or right side
        to skip five seconds.
      </p>
    </Dialog>
  );
}
