import type { Game } from "@/api/client";
import { formatScore, formatTime } from "@/lib/format";
import type { Phase, Snapshot } from "@/play/engine";

interface Props {
  game: Game;
  snapshot: Snapshot;
  /** Of the rounds before this one; what a round comes to is known at its end. */
  best: number | null;
}

/** Phases in which words lie over the screen, and nothing should shine through them. */
const UNSEEN = new Set<Phase["kind"]>([
  "connecting",
  "ready",
  "paused",
  "leaving",
  "ended",
  "gone",
  "broken",
  "closed",
]);

/** The lit line above the screen: score, best, lives, time. */
export function Hud({ game, snapshot, best }: Props) {
  const { score, lives, seconds, steps, phase } = snapshot;
  const realTime = game.pace.kind === "real-time";
  // Where a score only falls, its first 0 is no feat.
  const ahead = best !== null && best > 0 && score > best;
  return (
    <dl
      data-testid="hud"
      className={`flex items-end justify-between gap-4 px-1 text-phosphor sm:gap-8 ${UNSEEN.has(phase.kind) ? "invisible" : ""}`}
    >
      {game.show.score && (
        <Figure name="Score" value={formatScore(score)} id="score" wide proud={ahead} />
      )}
      {game.show.score && (
        <Figure name="Best" value={best === null ? "–" : formatScore(best)} id="best" />
      )}
      {game.show.lives !== null && lives !== null && (
        <Figure name="Lives" value={String(lives)} id="lives" />
      )}
      <Figure
        name={realTime ? "Time" : "Steps"}
        value={realTime ? formatTime(seconds) : String(steps)}
        id="time"
      />
    </dl>
  );
}

interface FigureProps {
  name: string;
  value: string;
  id: string;
  wide?: boolean;
  /** More than ever before. */
  proud?: boolean;
}

function Figure({ name, value, id, wide = false, proud = false }: FigureProps) {
  return (
    <div className={wide ? "flex-1" : ""}>
      <dt className="text-xs font-semibold text-dim low:sr-only">{name}</dt>
      <dd
        data-testid={id}
        className={`dots text-[clamp(1.75rem,3.4vw,2.75rem)] leading-none low:text-xl ${proud ? "text-teal" : ""}`}
      >
        <Dots value={value} />
      </dd>
    </div>
  );
}

/** The dot matrix font has no colon worth the name. */
function Dots({ value }: { value: string }) {
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
