import { useLingui } from "@lingui/react";
import type { ReactNode } from "react";
import { useSearchParams } from "react-router";

import { Button } from "@/components/button";

import { COMMON_FILTERS, VIEW_FILTERS, withFilter, type View } from "./filters";

const fieldClass =
  "h-11 w-full min-w-0 rounded-xl border-2 border-line bg-surface px-3 text-ink font-normal";

interface Props {
  view: View;
  /** Ids and names of games with recordings. */
  games: readonly (readonly [string, string])[];
  isGameNeeded: boolean;
}

/** Filters of a view. Each change is in the address, so that a link shows the same charts. */
export function FilterBar({ view, games, isGameNeeded }: Props) {
  const { i18n } = useLingui();
  const [address, setAddress] = useSearchParams();
  const change = (name: string, value: string, standard = "") =>
    setAddress((before) => withFilter(before, name, value, standard), {
      replace: true,
      preventScrollReset: true,
    });
  const value = (name: string) => address.get(name) ?? "";
  const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zones = [...new Set(["UTC", local, value("zone")])].filter((zone) => zone !== "");
  return (
    <form
      aria-label={i18n._("Filters")}
      onSubmit={(event) => event.preventDefault()}
      className="mt-6 grid gap-4"
    >
      <div className="grid grid-cols-2 gap-x-4 gap-y-3 md:grid-cols-4 xl:grid-cols-6">
        <Labelled name={i18n._("Game")}>
          <select
            className={fieldClass}
            value={value("game")}
            onChange={({ target }) => change("game", target.value)}
          >
            {!isGameNeeded && <option value="">{i18n._("All games")}</option>}
            {games.map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </Labelled>
        {[...VIEW_FILTERS[view], ...COMMON_FILTERS].map(({ name, label, options }) => {
          const standard = options[0]?.[0] ?? "";
          const isKnown = options.some(([known]) => known === value(name));
          return (
            <Labelled key={name} name={i18n._(label)}>
              <select
                className={fieldClass}
                value={isKnown ? value(name) : standard}
                onChange={({ target }) => change(name, target.value, standard)}
              >
                {options.map(([id, text]) => (
                  <option key={id} value={id}>
                    {i18n._(text)}
                  </option>
                ))}
              </select>
            </Labelled>
          );
        })}
      </div>
      <details
        open={["since", "until", "study", "arm", "min_episodes"].some((name) => value(name) !== "")}
      >
        <summary className="min-h-11 cursor-pointer py-2 font-semibold text-link">
          {i18n._("More filters")}
        </summary>
        <div className="mt-2 grid grid-cols-2 gap-x-4 gap-y-3 md:grid-cols-4 xl:grid-cols-6">
          <Labelled name={i18n._("Time zone")}>
            <select
              className={fieldClass}
              value={value("zone") === "" ? "UTC" : value("zone")}
              onChange={({ target }) => change("zone", target.value, "UTC")}
            >
              {zones.map((zone) => (
                <option key={zone}>{zone}</option>
              ))}
            </select>
          </Labelled>
          {(["since", "until"] as const).map((name) => (
            <Labelled key={name} name={name === "since" ? i18n._("First day") : i18n._("Last day")}>
              <input
                className={fieldClass}
                type="date"
                value={value(name)}
                onChange={({ target }) => change(name, target.value)}
              />
            </Labelled>
          ))}
          {(["study", "arm"] as const).map((name) => (
            <Labelled key={name} name={name === "study" ? i18n._("Study") : i18n._("Arm")}>
              <input
                className={fieldClass}
                key={value(name)}
                defaultValue={value(name)}
                onBlur={({ target }) => change(name, target.value.trim())}
              />
            </Labelled>
          ))}
          <Labelled name={i18n._("Least episodes of a player")}>
            <input
              className={fieldClass}
              type="number"
              min={1}
              max={100_000}
              key={value("min_episodes")}
              defaultValue={value("min_episodes") === "" ? "1" : value("min_episodes")}
              onBlur={({ target }) =>
                change("min_episodes", String(Math.max(1, Math.round(Number(target.value)))), "1")
              }
            />
          </Labelled>
        </div>
        <p className="mt-2 max-w-prose text-sm text-dim">
          {i18n._(
            "Days and times of day are in this zone for all players: their own zones are not recorded.",
          )}
        </p>
      </details>
      <div>
        <Button
          look="plain"
          onClick={() =>
            setAddress(view === "overview" ? {} : { view }, {
              replace: true,
              preventScrollReset: true,
            })
          }
        >
          {i18n._("Reset filters")}
        </Button>
      </div>
    </form>
  );
}

function Labelled({ name, children }: { name: string; children: ReactNode }) {
  return (
    <label className="grid min-w-0 content-start gap-1 text-sm font-bold">
      {name}
      {children}
    </label>
  );
}
