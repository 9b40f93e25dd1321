import type { ReactNode } from "react";

import type { Game } from "@/api/client";
import { formatCount, formatScore } from "@/lib/format";
import type { Snapshot } from "@/play/engine";

import { compareResults, type EpisodeResult } from "./episode-results";

interface Props {
  game: Game;
  /** Mode and so on, in words. */
  optionsText: string;
  results: readonly EpisodeResult[];
  notice: Snapshot["notice"];
  /** Keys and the person's other ways to play. */
  children: ReactNode;
}

const MAX_BEST_RESULTS = 5;

/** The card beside the machine: what it is about, which key does what, how one did. */
export function GameSidebar({ game, optionsText, results, notice, children }: Props) {
  const top = [...results].sort(compareResults(game)).slice(0, MAX_BEST_RESULTS);
  return (
    <aside className="flex flex-col gap-8 p-5 sm:p-8 lg:h-[calc(100dvh-4rem)] lg:overflow-y-auto lg:p-6">
      {notice !== null && (
        <p key={notice.id} role="status" className="animate-rise rounded-xl bg-raised p-4">
          {notice.text}
        </p>
      )}
      <section>
        <h2 className="mb-3 text-2xl sign">What to do</h2>
        <p className="text-pretty">{game.summary}</p>
        <p className="mt-3 text-sm text-dim">
          {game.pace.kind === "real-time"
            ? `Runs by itself, ${formatScore(game.pace.hz)} steps a second.`
            : "Waits for you: each key press is one step."}
        </p>
        {game.steer !== null && (
          <p className="mt-3 text-sm text-dim">
            By keys, by a gamepad’s stick, or by the mouse held down on the screen: further out is
            more.
          </p>
        )}
        {optionsText !== "" && <p className="mt-3 font-bold">{optionsText}</p>}
      </section>
      {children}
      {top.length > 0 && game.show.score && (
        <section>
          <h2 className="mb-3 text-2xl sign">Your best</h2>
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

/** A part of the card with its sign. */
export function SidebarSection({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-3 text-2xl sign">{title}</h2>
      {children}
    </section>
  );
}
