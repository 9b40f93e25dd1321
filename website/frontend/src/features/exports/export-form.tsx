import { useState, type ReactNode, type SubmitEvent } from "react";

import type { ExportFormat, ExportRequest, PlayedGame } from "@/api/client";
import { Button } from "@/components/button";
import { FORMATS } from "./formats";

interface Props {
  games: readonly PlayedGame[];
  busy: boolean;
  ask: (request: ExportRequest) => void;
}

const field = "h-11 rounded-xl border-2 border-line bg-surface px-3 text-ink";

/** Which episodes, and in which format. */
export function ExportForm({ games, busy, ask }: Props) {
  const [chosen, choose] = useState<ExportRequest>({
    format: "minari",
    games: [],
    certified: true,
    least_steps: 0,
    since: null,
    until: null,
  });
  const change = (part: Partial<ExportRequest>) => choose({ ...chosen, ...part });
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    ask(chosen);
  };
  return (
    <form onSubmit={send} className="grid gap-6">
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2 lg:grid-cols-4">
        <Labelled name="Game">
          <select
            className={field}
            value={chosen.games[0] ?? ""}
            onChange={({ target }) => change({ games: target.value === "" ? [] : [target.value] })}
          >
            <option value="">All games</option>
            {games.map((game) => (
              <option key={game.game_id} value={game.game_id}>
                {game.game_name}
              </option>
            ))}
          </select>
        </Labelled>
        <Labelled name="Steps, at least">
          <input
            className={field}
            type="number"
            min={0}
            max={1_000_000_000}
            required
            value={chosen.least_steps}
            onChange={({ target }) =>
              change({ least_steps: Math.max(0, Math.round(Number(target.value))) })
            }
          />
        </Labelled>
        <Labelled name="First day (UTC)">
          <input
            className={field}
            type="date"
            value={chosen.since ?? ""}
            onChange={({ target }) => change({ since: target.value || null })}
          />
        </Labelled>
        <Labelled name="Last day (UTC)">
          <input
            className={field}
            type="date"
            value={chosen.until ?? ""}
            onChange={({ target }) => change({ until: target.value || null })}
          />
        </Labelled>
      </div>
      <label className="flex min-h-11 items-center gap-3">
        <input
          type="checkbox"
          className="size-5 accent-action"
          checked={chosen.certified}
          onChange={({ target }) => change({ certified: target.checked })}
        />
        Certified only: run again from seed and actions, and the same to the last bit
      </label>
      <Formats format={chosen.format} choose={(format) => change({ format })} />
      <Button type="submit" disabled={busy} className="justify-self-start">
        {busy ? "Downloading…" : "Download"}
      </Button>
    </form>
  );
}

function Labelled({ name, children }: { name: string; children: ReactNode }) {
  return (
    <label className="grid gap-1.5 font-bold">
      {name}
      {children}
    </label>
  );
}

function Formats({
  format,
  choose,
}: {
  format: ExportFormat;
  choose: (format: ExportFormat) => void;
}) {
  return (
    <fieldset>
      <legend className="mb-2 font-bold">Format</legend>
      <div className="grid gap-x-6 gap-y-1 sm:grid-cols-2">
        {FORMATS.map(({ id, name, words }) => (
          <label key={id} className="flex min-h-11 items-center gap-3">
            <input
              type="radio"
              name="format"
              className="size-5 shrink-0 accent-action"
              checked={format === id}
              onChange={() => choose(id)}
            />
            <span>
              <span className="font-semibold">{name}</span>{" "}
              <span className="text-dim">{words}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
