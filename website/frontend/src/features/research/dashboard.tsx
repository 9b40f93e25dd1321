import { useLingui } from "@lingui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef, type ReactNode } from "react";
import { Link, useSearchParams } from "react-router";

import { chartQuery, chartsKey, measuresQuery } from "@/api/research";
import { Button, buttonClass } from "@/components/button";

import { DeathMap } from "./death-map";
import {
  drawActions,
  drawChanges,
  drawCurve,
  drawDays,
  drawGames,
  drawGroups,
  drawHistogram,
  drawPoints,
  drawProfile,
  drawShares,
} from "./draw";
import { listLines } from "./reference-lines";
import { FilterBar } from "./filter-bar";
import { Figure } from "./figure";
import { chartQueryOf, describeMeasure, VIEWS, withFilter, type View } from "./filters";

const Studies = lazy(async () => ({ default: (await import("./studies")).Studies }));

const X_LABELS: Readonly<Record<string, string>> & { episodes: string } = {
  episodes: /*i18n*/ "Episode of the player in this game",
  minutes: /*i18n*/ "Minutes of play in this game",
  steps: /*i18n*/ "Steps in this game",
};

const QUESTIONS: Readonly<Record<View, string>> = {
  overview: /*i18n*/ "Who plays, how much, and are the recordings complete?",
  learning: /*i18n*/ "How do people improve, and do groups improve at different speeds?",
  quality: /*i18n*/ "Which recordings are doubtful, and why?",
  comparison: /*i18n*/ "Which group is better, and how certain is that?",
  behaviour: /*i18n*/ "How fast do people react, what do they press, and where do they die?",
  datasets: /*i18n*/ "Which recordings does a paper use?",
  studies: /*i18n*/ "Where are the participants of a study, and how well are they recorded?",
  download: /*i18n*/ "Take the recordings away.",
};

/** Ids of texts that say how probably a player of a group is ahead of one of another group. */
const FASTER_TEXT = /*i18n*/ "{players}; improves faster than another group’s player: {share}";
const BETTER_TEXT = /*i18n*/ "{players}; better than another group’s player: {share}";

/** Source of the human whose normalised score is 1. */
const DEFAULT_SOURCE = "dqn-zoo";

/** Views whose charts compare returns, which are those of one game. */
const VIEWS_OF_A_GAME: readonly View[] = ["learning", "comparison", "behaviour"];

interface Props {
  userId: string;
  /** Content of the view Download. */
  download: ReactNode;
  /** Returns the content of the view Datasets for the filters in the address. */
  datasets: (filters: string) => ReactNode;
}

/** Charts for researchers. Everything that can be chosen is in the address. */
export function Dashboard({ userId, download, datasets }: Props) {
  const { i18n } = useLingui();
  const [address] = useSearchParams();
  const view = VIEWS.find(([name]) => name === address.get("view"))?.[0] ?? "overview";
  return (
    <div className="pt-10">
      <h1 className="text-6xl sign sm:text-7xl">{i18n._("Research")}</h1>
      <nav aria-label={i18n._("Views")} className="mt-6 flex flex-wrap gap-2">
        {VIEWS.map(([name, label]) => (
          <Link
            key={name}
            to={`?${withFilter(address, "view", name, "overview").toString()}`}
            preventScrollReset
            aria-current={name === view ? "page" : undefined}
            className={buttonClass(name === view ? "action" : "plain")}
          >
            {i18n._(label)}
          </Link>
        ))}
      </nav>
      <p className="mt-4 text-lg text-dim">{i18n._(QUESTIONS[view])}</p>
      {view === "download" && download}
      {view === "studies" && (
        <Suspense>
          <Studies userId={userId} />
        </Suspense>
      )}
      {view !== "download" && view !== "studies" && (
        <Charts userId={userId} view={view} datasets={datasets} />
      )}
    </div>
  );
}

function Charts({ userId, view, datasets }: Omit<Props, "download"> & { view: View }) {
  const { i18n } = useLingui();
  const [address, setAddress] = useSearchParams();
  const wanted = address.get("players") ?? "";
  const players = ["programs", "all"].includes(wanted) ? `players=${wanted}` : "";
  const games = useQuery(chartQuery(userId, "games", players));
  const played = games.data?.rows.map(([id, name]) => [String(id), String(name)] as const) ?? [];
  const mostPlayed = played[0]?.[0];
  const needsGame = VIEWS_OF_A_GAME.includes(view);
  const isWithoutGame = needsGame && (address.get("game") ?? "") === "";
  useEffect(() => {
    if (isWithoutGame && mostPlayed !== undefined)
      setAddress((before) => withFilter(before, "game", mostPlayed), { replace: true });
  }, [isWithoutGame, mostPlayed, setAddress]);
  return (
    <>
      <FilterBar view={view} games={played} isGameNeeded={needsGame} />
      <Freshness userId={userId} />
      {games.isSuccess && played.length === 0 && players === "" && (
        <p className="mt-6 max-w-prose text-lg">
          {i18n._(
            "No recordings yet. Charts show the finished episodes of players who allow research.",
          )}
        </p>
      )}
      {games.isError && (
        <div role="alert" className="mt-6 grid justify-items-start gap-4">
          <p>{games.error.message}</p>
          <Button onClick={() => void games.refetch()}>{i18n._("Try again")}</Button>
        </div>
      )}
      {view === "datasets" && datasets(chartQueryOf(view, address))}
      {view !== "datasets" && played.length > 0 && !isWithoutGame && (
        <div className="mt-6 grid items-start gap-6 xl:grid-cols-2">
          <Figures userId={userId} view={view} address={address} />
        </div>
      )}
    </>
  );
}

function Figures({
  userId,
  view,
  address,
}: {
  userId: string;
  view: View;
  address: URLSearchParams;
}) {
  const { i18n } = useLingui();
  const query = chartQueryOf(view, address);
  const score =
    address.get("metric") === "normalised" ? i18n._("Normalised score") : i18n._("Return");
  const xLabel = i18n._(X_LABELS[address.get("x") ?? "episodes"] ?? X_LABELS.episodes);
  const measure = i18n._(describeMeasure(new URLSearchParams(query).get("measure") ?? ""));
  const common = { userId, query };
  const wantedLines = new URLSearchParams(query).get("lines") ?? "published";
  const hasLines = (view === "learning" || view === "comparison") && wantedLines !== "none";
  const references = useQuery({
    ...chartQuery(userId, "references", query),
    enabled: hasLines,
    placeholderData: (before) => before,
  });
  const source = address.get("source") ?? DEFAULT_SOURCE;
  const lines = hasLines ? listLines(references.data, wantedLines, source) : [];
  switch (view) {
    case "overview":
      return (
        <>
          <Figure {...common} chart="days" draw={drawDays} />
          <Figure {...common} chart="games" draw={drawGames} />
          <Figure {...common} chart="ends" draw={drawShares("end_reason")} />
          <Figure {...common} chart="recordings" />
        </>
      );
    case "learning":
      return (
        <>
          <Figure {...common} chart="curve" draw={drawCurve(xLabel, score, lines)} />
          <Figure
            {...common}
            chart="speed"
            draw={drawGroups(i18n._("{score}, change per 10 episodes", { score }), FASTER_TEXT)}
          />
          <Figure {...common} chart="points" draw={drawPoints(xLabel, score, lines)} />
          <Figure {...common} chart="laws" />
          <Figure
            {...common}
            chart="breaks"
            draw={drawChanges("pause", i18n._("{score}, change", { score }))}
          />
          <Figure
            {...common}
            chart="within-days"
            draw={drawChanges("change", i18n._("{score}, change", { score }))}
          />
        </>
      );
    case "quality":
      return (
        <>
          <Figure {...common} chart="flags" draw={drawShares("flag")} />
          <Figure {...common} chart="quality" title={measure} draw={drawHistogram(measure)} />
        </>
      );
    case "comparison":
      return (
        <>
          <Figure {...common} chart="groups" draw={drawGroups(score, BETTER_TEXT, lines)} />
          <Figure {...common} chart="profile" draw={drawProfile(score, lines)} />
          {hasLines && <Figure {...common} chart="references" />}
        </>
      );
    case "behaviour":
      return (
        <>
          <Figure {...common} chart="behaviour" title={measure} draw={drawHistogram(measure)} />
          <Figure {...common} chart="actions" draw={drawActions} />
          <Figure
            {...common}
            chart="deaths"
            draw={(rows, width, label) => (
              <DeathMap rows={rows} width={width} label={label} userId={userId} />
            )}
          />
        </>
      );
    case "datasets":
    case "download":
      return null;
  }
}

function Freshness({ userId }: { userId: string }) {
  const { i18n } = useLingui();
  const client = useQueryClient();
  const measures = useQuery(measuresQuery(userId));
  const { unmeasured } = measures.data ?? {};
  const isMeasuring = useRef(false);
  useEffect(() => {
    if (unmeasured === undefined) return;
    // The charts in view were computed without the episodes that have just been measured.
    if (isMeasuring.current && unmeasured === 0)
      void client.invalidateQueries({ queryKey: chartsKey(userId) });
    isMeasuring.current = unmeasured > 0;
  }, [client, userId, unmeasured]);
  if (unmeasured === undefined) return null;
  return (
    <p role="status" className="mt-3 text-sm text-dim">
      {unmeasured === 0
        ? i18n._("The charts have all finished episodes.")
        : i18n._(
            "{count, plural, one {# finished episode is} other {# finished episodes are}} being measured; the charts do not have them yet.",
            { count: unmeasured },
          )}
    </p>
  );
}
