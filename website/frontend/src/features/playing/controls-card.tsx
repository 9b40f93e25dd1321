import type { Game } from "@/api/client";
import { KeyCap } from "@/components/key-cap";
import { keyLabel } from "@/lib/key-label";

/** Which key does what. */
export function ControlsCard({ game }: { game: Game }) {
  return (
    <dl className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-2.5">
      {game.controls.map((control) => (
        <div key={control.name} className="contents">
          <dt>{control.label}</dt>
          <dd className="flex justify-end gap-1.5">
            {unlike(control.keys).map((code) => (
              <KeyCap key={code} code={code} />
            ))}
          </dd>
        </div>
      ))}
      {game.pace.kind === "real-time" && (
        <div className="contents">
          <dt className="text-dim">Pause</dt>
          <dd className="flex justify-end">
            <KeyCap code="Escape" />
          </dd>
        </div>
      )}
    </dl>
  );
}

/** Keys that bear the same sign, as both 1s of a keyboard do, are shown once. */
function unlike(codes: readonly string[]): string[] {
  return [...new Map(codes.toReversed().map((code) => [keyLabel(code), code])).values()].reverse();
}
