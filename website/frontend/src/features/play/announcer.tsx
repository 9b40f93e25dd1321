import type { Game } from "@/api/client";
import { formatScore } from "@/lib/format";
import type { Phase } from "@/play/engine";

/** Announces phase changes to screen readers. */
export function Announcer({ phase, game }: { phase: Phase; game: Game }) {
  return (
    <p role="status" className="sr-only">
      {statusText(phase, game)}
    </p>
  );
}

function statusText(phase: Phase, game: Game): string {
  switch (phase.kind) {
    case "connecting":
      return `Loading ${game.name}.`;
    case "ready":
      return `${game.name} is ready.`;
    case "playing":
      return "Playing.";
    case "paused":
      return "Paused.";
    case "reconnecting":
      return phase.message;
    case "closed":
      return phase.closeReason.message;
    case "ended":
      return phase.status === "won"
        ? `You won with ${formatScore(phase.score)}.`
        : `The game is over with ${formatScore(phase.score)}.`;
    default:
      return "";
  }
}
