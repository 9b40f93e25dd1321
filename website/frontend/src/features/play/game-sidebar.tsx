import { useLingui } from "@lingui/react";
import type { ReactNode } from "react";
import { Link } from "react-router";

import type { Game } from "@/api/client";
import { formatCount, formatScore } from "@/lib/format";
import { translateGameText } from "@/lib/game-texts";
import type { Snapshot } from "@/play/engine";

import { compareResults, type EpisodeResult } from "./episode-results";

interface Props {
  game: Game;
  /** Selected options as text. */
  optionsText: string;
  /** Path of the game's leaderboard. */
  board: string;
  results: readonly EpisodeResult[];
  notice: Snapshot["notice"];
  /** Controls and settings. */
  children: ReactNode;
}

const MAX_BEST_RESULTS = 5;

/** Sidebar: how to play, controls, settings and best scores. */
export function GameSidebar({ game, optionsText, board, results, notice, children }: Props) {
  const { i18n } = useLingui();
  const top = results
    .filter(({ score }) => score !== null && !Number.isNaN(score))
    .sort(compareResults(game))
    .slice(0, MAX_BEST_RESULTS);
  return (
    <aside className="flex flex-col gap-8 p-5 sm:p-8 lg:h-[calc(100dvh-4rem)] lg:overflow-y-auto lg:p-6">
      {notice !== null && (
        <p key={notice.id} role="status" className="animate-rise rounded-xl bg-raised p-4">
          {notice.text}
        </p>
      )}
      <section>
        <h2 className="mb-3 text-2xl sign">{i18n._("How to play")}</h2>
        <p className="text-pretty">{translateGameText(game.summary)}</p>
        <p className="mt-3 text-sm text-dim">
          {game.pace.kind === "real-time"
            ? i18n._("Real time, {score} steps per second.", { score: formatScore(game.pace.hz) })
            : i18n._("Turn-based: each key press is one step.")}
        </p>
        {game.steer !== null && (
          <p className="mt-3 text-sm text-dim">
            {i18n._(
              "Use keys, a gamepad’s stick, or the mouse held down on the screen. Further from the middle is stronger.",
            )}
          </p>
        )}
        {optionsText !== "" && <p className="mt-3 font-bold">{optionsText}</p>}
        <p className="mt-3">
          <Link to={board} className="rounded font-semibold text-link underline">
            {i18n._("Leaderboard")}
          </Link>
        </p>
      </section>
      {children}
      {top.length > 0 && game.show.score && (
        <section>
          <h2 className="mb-3 text-2xl sign">{i18n._("Best scores")}</h2>
          <ol className="grid gap-1.5">
            {top.map(({ score, steps }, index) => (
              <li key={index} className="flex items-baseline gap-3">
                <span className="w-5 text-right text-sm text-dim">{index + 1}</span>
                <span className="dots text-2xl leading-none">{formatScore(score)}</span>
                {game.pace.kind === "turn-based" && (
                  <span className="ml-auto text-sm text-dim">{formatCount(steps, "step")}</span>
                )}
              </li>
            ))}
          </ol>
        </section>
      )}
    </aside>
  );
}

/** A section of the sidebar with a heading. */
export function SidebarSection({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-3 text-2xl sign">{title}</h2>
      {children}
    </section>
  );
}
