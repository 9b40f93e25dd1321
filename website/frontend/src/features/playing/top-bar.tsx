import { Link } from "react-router";

import type { Game } from "@/api/client";
import { ThemeButton } from "@/components/theme-button";
import { Arcs } from "@/components/wordmark";
import { paths } from "@/config/paths";
import type { Engine, Snapshot } from "@/play/engine";

interface Props {
  engine: Engine;
  game: Game;
  snapshot: Snapshot;
}

const tool = "text-dim hover:text-ink min-h-10 rounded-full px-3 text-sm font-bold";

/** The machine's sign, the way out, and what one may do while it runs. */
export function TopBar({ engine, game, snapshot }: Props) {
  const { kind } = snapshot.phase;
  const playing = kind === "playing";
  return (
    <header className="flex items-stretch">
      <Link to={paths.games} aria-label="All games" className="grid w-14 place-items-center">
        <Arcs className="size-7" />
      </Link>
      <div className="flex h-14 min-w-0 flex-1 items-center rounded-b-none px-4 marquee sm:h-16">
        <h1 className="truncate text-[clamp(1.5rem,4vw,2.5rem)] sign">{game.name}</h1>
      </div>
      <div className="flex items-center pl-1">
        <Delay ms={snapshot.delayMs} />
        {playing && game.pace.kind === "real-time" && (
          <button type="button" className={tool} onClick={() => engine.pause()}>
            Pause
          </button>
        )}
        {(playing || kind === "paused") && (
          <button type="button" className={tool} onClick={() => engine.leave()}>
            Leave
          </button>
        )}
        <span className="hidden sm:block">
          <ThemeButton />
        </span>
      </div>
    </header>
  );
}

/** How far away the server is. */
function Delay({ ms }: { ms: number | null }) {
  if (ms === null) return null;
  const colour = ms < 60 ? "bg-teal" : ms < 150 ? "bg-marigold" : "bg-tomato";
  return (
    <span
      className="mx-2 hidden items-center gap-1.5 text-xs whitespace-nowrap text-dim md:flex"
      title="Round trip to the server"
    >
      <span className={`size-2 rounded-full ${colour}`} aria-hidden="true" />
      {ms} ms
    </span>
  );
}
