import { useLingui } from "@lingui/react";
import { useState, type ReactNode, type SubmitEvent } from "react";

import type { ExportFormat, ExportRequest, PlayedGame } from "@/api/client";
import { Button } from "@/components/button";
import { FORMATS } from "./formats";

interface Props {
  games: readonly PlayedGame[];
  isBusy: boolean;
  onSubmit: (request: ExportRequest) => void;
}

const fieldClass = "h-11 rounded-xl border-2 border-line bg-surface px-3 text-ink";

/** Form for the filter and format of an export. */
export function ExportForm({ games, isBusy, onSubmit }: Props) {
  const { i18n } = useLingui();
  const [request, setRequest] = useState<ExportRequest>({
    format: "minari",
    games: [],
    certified: true,
    min_steps: 0,
    since: null,
    until: null,
  });
  const change = (part: Partial<ExportRequest>) => setRequest({ ...request, ...part });
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    onSubmit(request);
  };
  return (
    <form onSubmit={send} className="grid gap-6">
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2 lg:grid-cols-4">
        <LabelledField name={i18n._("Game")}>
          <select
            className={fieldClass}
            value={request.games[0] ?? ""}
            onChange={({ target }) => change({ games: target.value === "" ? [] : [target.value] })}
          >
            <option value="">{i18n._("All games")}</option>
            {games.map((game) => (
              <option key={game.game_id} value={game.game_id}>
                {game.game_name}
              </option>
            ))}
          </select>
        </LabelledField>
        <LabelledField name={i18n._("Minimum steps")}>
          <input
            className={fieldClass}
            type="number"
            min={0}
            max={1_000_000_000}
            required
            value={request.min_steps}
            onChange={({ target }) =>
              change({ min_steps: Math.max(0, Math.round(Number(target.value))) })
            }
          />
        </LabelledField>
        <LabelledField name={i18n._("First day (UTC)")}>
          <input
            className={fieldClass}
            type="date"
            value={request.since ?? ""}
            onChange={({ target }) => change({ since: target.value || null })}
          />
        </LabelledField>
        <LabelledField name={i18n._("Last day (UTC)")}>
          <input
            className={fieldClass}
            type="date"
            value={request.until ?? ""}
            onChange={({ target }) => change({ until: target.value || null })}
          />
        </LabelledField>
      </div>
      <label className="flex min-h-11 items-center gap-3">
        <input
          type="checkbox"
          className="size-5 accent-action"
          checked={request.certified}
          onChange={({ target }) => change({ certified: target.checked })}
        />
        {i18n._("Certified only: a re-run from seed and actions gave identical results")}
      </label>
      <Formats format={request.format} choose={(format) => change({ format })} />
      <Button type="submit" disabled={isBusy} className="justify-self-start">
        {isBusy ? i18n._("Downloading…") : i18n._("Download")}
      </Button>
    </form>
  );
}

function LabelledField({ name, children }: { name: string; children: ReactNode }) {
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
  const { i18n } = useLingui();
  return (
    <fieldset>
      <legend className="mb-2 font-bold">{i18n._("Format")}</legend>
      <div className="grid gap-x-6 gap-y-1 sm:grid-cols-2">
        {FORMATS.map(({ id, name, description }) => (
          <label key={id} className="flex min-h-11 items-center gap-3">
            <input
              type="radio"
              name="format"
              className="size-5 shrink-0 accent-action"
              checked={format === id}
              onChange={() => choose(id)}
            />
            <span>
              <span className="font-semibold">{i18n._(name)}</span>{" "}
              <span className="text-dim">{i18n._(description)}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
