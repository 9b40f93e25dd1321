import { useKeyLabel } from "@/lib/keyboard-layout";

/** A key, as it is labelled on the player's keyboard. */
export function KeyCap({ code }: { code: string }) {
  const keyLabel = useKeyLabel();
  return (
    <kbd className="inline-grid h-8 min-w-8 place-items-center rounded-md border border-b-[3px] border-line bg-raised px-2 font-sans text-sm leading-none font-bold text-ink">
      {keyLabel(code)}
    </kbd>
  );
}
