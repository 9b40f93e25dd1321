import type { I18n } from "@lingui/core";
import { useLingui } from "@lingui/react";
import type { Game } from "@/api/client";
import { formatScore } from "@/lib/format";
import type { Phase } from "@/play/engine";

/** Announces phase changes to screen readers. */
export function Announcer({ phase, game }: { phase: Phase; game: Game }) {
  const { i18n } = useLingui();
  return (
    <p role="status" className="sr-only">
      {statusText(i18n, phase, game)}
    </p>
  );
}

function statusText(i18n: I18n, phase: Phase, game: Game): string {
  switch (phase.kind) {
    case "connecting":
      return i18n._("Loading {game}.", { game: game.name });
    case "ready":
      return i18n._("{game} is ready.", { game: game.name });
    case "playing":
      return i18n._("Playing.");
    case "paused":
      return i18n._("Paused.");
    case "reconnecting":
      return phase.message;
    case "closed":
      return phase.closeReason.message;
    case "ended":
      return phase.status === "won"
        ? i18n._("You won with {score}.", { score: formatScore(phase.score) })
        : i18n._("The game is over with {score}.", { score: formatScore(phase.score) });
    default:
      return "";
  }
}
