import type { Game } from "@/api/client";
import { formatScore, formatTime } from "@/lib/format";
import type { Snapshot } from "@/play/engine";

interface Props {
  game: Game;
  snapshot: Snapshot;
  best: number | null;
}

/** The lit line above the screen: score, best, lives, time. */
export function Hud({ game, snapshot, best }: Props) {
  const { score, lives, seconds, moves } = snapshot;
  const realTime = game.pace.kind === "real-time";
  return (
    <dl className="flex items-end justify-between gap-4 px-1 text-phosphor sm:gap-8">
      {game.show.score && <Figure name="Score" value={formatScore(score)} id="score" wide />}
      {game.show.score && (
        <Figure
          name="Best"
          value={best === null ? "–" : formatScore(Math.max(best, score))}
          id="best"
        />
      )}
      {game.show.lives !== null && lives !== null && (
        <Figure name="Lives" value={String(lives)} id="lives" />
      )}
      <Figure
        name={realTime ? "Time" : "Steps"}
        value={realTime ? formatTime(seconds) : String(moves)}
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
}

function Figure({ name, value, id, wide = false }: FigureProps) {
  return (
    <div className={wide ? "flex-1" : ""}>
      <dt className="text-xs font-semibold text-dim low:sr-only">{name}</dt>
      <dd
        data-testid={id}
        className="dots text-[clamp(1.75rem,3.4vw,2.75rem)] leading-none low:text-xl"
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
