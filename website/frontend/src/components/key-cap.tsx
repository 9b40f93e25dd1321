import { keyLabel } from "@/lib/key-label";

/** A keyboard key. */
export function KeyCap({ code }: { code: string }) {
  return (
    <kbd className="inline-grid h-8 min-w-8 place-items-center rounded-md border border-b-[3px] border-line bg-raised px-2 font-sans text-sm leading-none font-bold text-ink">
      {keyLabel(code)}
    </kbd>
  );
}
