import { useLingui } from "@lingui/react";
import type { Game } from "@/api/client";
import { formatScore, formatClock } from "@/lib/format";
import type { Phase, Snapshot } from "@/play/engine";

interface Props {
  game: Game;
  snapshot: Snapshot;
  /** Best score of the earlier episodes. */
  best: number | null;
}

/** Phases in which an overlay covers the screen. */
const COVERED_PHASES = new Set<Phase["kind"]>([
  "connecting",
  "ready",
  "paused",
  "leaving",
  "ended",
  "episode-lost",
  "reconnecting",
  "closed",
]);

/** Line above the screen: score, best score, lives, time. */
export function Hud({ game, snapshot, best }: Props) {
  const { i18n } = useLingui();
  const { score, lives, seconds, steps, phase } = snapshot;
  const realTime = game.pace.kind === "real-time";
  // In games whose score only decreases, the initial 0 is no record.
  const isAboveBest = best !== null && best > 0 && score > best;
  return (
    <dl
      data-testid="hud"
      className={`flex items-end justify-between gap-4 px-1 text-phosphor sm:gap-8 ${COVERED_PHASES.has(phase.kind) ? "invisible" : ""}`}
    >
      {game.show.score && (
        <HudValue
          name={i18n._("Score")}
          value={formatScore(score)}
          id="score"
          isWide
          isRecord={isAboveBest}
        />
      )}
      {game.show.score && (
        <HudValue name={i18n._("Best")} value={best === null ? "–" : formatScore(best)} id="best" />
      )}
      {game.show.lives !== null && lives !== null && (
        <HudValue name={i18n._("Lives")} value={String(lives)} id="lives" />
      )}
      <HudValue
        name={realTime ? i18n._("Time") : i18n._("Steps")}
        value={realTime ? formatClock(seconds) : String(steps)}
        id="time"
      />
    </dl>
  );
}

interface HudValueProps {
  name: string;
  value: string;
  id: string;
  isWide?: boolean;
  /** True for a new best score. */
  isRecord?: boolean;
}

function HudValue({ name, value, id, isWide = false, isRecord = false }: HudValueProps) {
  return (
    <div className={isWide ? "flex-1" : ""}>
      <dt className="text-xs font-semibold text-dim low:sr-only">{name}</dt>
      <dd
        data-testid={id}
        className={`dots text-[clamp(1.75rem,3.4vw,2.75rem)] leading-none low:text-xl ${isRecord ? "text-teal" : ""}`}
      >
        <DotMatrixText value={value} />
      </dd>
    </div>
  );
}

/** Renders a colon in another font, because the dot matrix font has no good one. */
function DotMatrixText({ value }: { value: string }) {
  const [minutes, seconds] = value.split(":");
  if (seconds === undefined) return value;
  return (
    <>
      {minutes}
      <span className="mx-px font-sans font-bold">:</span>
      {seconds}
    </>
  );
}
