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
        name={realTime ? "Time" : "Moves"}
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
      <dt className="text-xs font-semibold text-[#b9a184]">{name}</dt>
      <dd data-testid={id} className="dots text-[clamp(1.5rem,3vw,2.25rem)] leading-none">
        {value}
      </dd>
    </div>
  );
}
