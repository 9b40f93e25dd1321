/** Filters of the dashboard, as they are in the page's address and in requests. */

export const VIEWS = [
  ["overview", "Overview"],
  ["learning", "Learning"],
  ["quality", "Quality"],
  ["comparison", "Comparison"],
  ["behaviour", "Behaviour"],
  ["datasets", "Datasets"],
  ["studies", "Studies"],
  ["download", "Download"],
] as const;
export type View = (typeof VIEWS)[number][0];

/** Value and label; the first value is the default, which is not in the address. */
type Options = readonly (readonly [string, string])[];

export interface SelectFilter {
  name: string;
  label: string;
  options: Options;
}

const MEASURES: Readonly<Record<string, string>> = {
  latency_p95_ms: "Latency, 95th percentile (ms)",
  latency_p50_ms: "Latency, median (ms)",
  dropped_share: "Share of dropped frames",
  missed_share: "Share of skipped ticks",
  focus_losses: "Times the focus was lost",
  idle_seconds: "Longest time without input (s)",
  paused_seconds: "Paused time (s)",
  active_speed: "Speed, 1 is the game's own",
  reaction_ms: "Reaction time, median (ms)",
  entropy_bits: "Entropy of actions (bits)",
  hold_steps: "Mean length of a hold (steps)",
};
const QUALITY_MEASURES = Object.keys(MEASURES).slice(0, 8);
const BEHAVIOUR_MEASURES = Object.keys(MEASURES).slice(8);

export const describeMeasure = (name: string): string => MEASURES[name] ?? name;

const select = (name: string, label: string, ...options: Options): SelectFilter => ({
  name,
  label,
  options,
});

/** Filters of every view. Games and time zones are added by the page. */
export const COMMON_FILTERS: readonly SelectFilter[] = [
  select(
    "players",
    "Players",
    ["people", "People"],
    ["programs", "Programs"],
    ["all", "People and programs"],
  ),
  select(
    "daytime",
    "Time of day",
    ["", "Any"],
    ["morning", "Morning, 5 to 12"],
    ["afternoon", "Afternoon, 12 to 17"],
    ["evening", "Evening, 17 to 22"],
    ["night", "Night, 22 to 5"],
  ),
  select(
    "device",
    "Device",
    ["", "Any"],
    ["keyboard", "Keyboard"],
    ["touch", "Touch"],
    ["mouse", "Mouse"],
    ["gamepad", "Gamepad"],
  ),
  select(
    "mode",
    "Mode",
    ["", "Any"],
    ["streamed", "Streamed"],
    ["lockstep", "Lockstep"],
    ["mixed", "Mixed"],
  ),
  select("certified", "Certificate", ["", "Any"], ["true", "Certified only"]),
  select("flagged", "Flagged episodes", ["keep", "Keep"], ["leave-out", "Leave out"]),
];

const SPLIT = select(
  "split",
  "Split players by",
  ["none", "Not split"],
  ["daytime", "Time of day"],
  ["device", "Device"],
  ["mode", "Mode"],
  ["arm", "Arm of the study"],
  ["kind", "People or programs"],
);
const METRIC = select(
  "metric",
  "Score",
  ["return", "Return"],
  ["normalised", "Human-normalised (dqn-zoo)"],
);
const X = select(
  "x",
  "Against",
  ["episodes", "Episodes"],
  ["minutes", "Minutes of play"],
  ["steps", "Steps"],
);
const LINES = select(
  "lines",
  "Lines",
  ["published", "Published scores"],
  ["programs", "Programs that played here"],
  ["all", "Published scores and programs"],
  ["none", "None"],
);
const measureFilter = (names: readonly string[]) =>
  select("measure", "Measure", ...names.map((name) => [name, describeMeasure(name)] as const));

/** Filters of single views. */
export const VIEW_FILTERS: Readonly<Record<View, readonly SelectFilter[]>> = {
  overview: [],
  learning: [SPLIT, X, METRIC, LINES],
  quality: [SPLIT, measureFilter(QUALITY_MEASURES)],
  comparison: [SPLIT, METRIC, LINES],
  behaviour: [SPLIT, measureFilter(BEHAVIOUR_MEASURES)],
  datasets: [],
  studies: [],
  download: [],
};

const TEXT_FILTERS = ["game", "zone", "since", "until", "study", "arm", "min_episodes", "player"];

/** Returns the query of the charts of a view: its filters, without what belongs to other views. */
export function chartQueryOf(view: View, address: URLSearchParams): string {
  const query = new URLSearchParams();
  for (const { name, options } of [...COMMON_FILTERS, ...VIEW_FILTERS[view]]) {
    const value = address.get(name);
    const isKnown = options.some(([known]) => known === value);
    if (value !== null && value !== "" && isKnown) query.set(name, value);
    else if (name === "measure") query.set(name, options[0]?.[0] ?? "");
  }
  for (const name of TEXT_FILTERS) {
    const value = address.get(name) ?? "";
    if (value !== "") query.set(name, value);
  }
  return query.toString();
}

/** Returns a copy of the address with one filter changed. A default value is left out. */
export function withFilter(
  address: URLSearchParams,
  name: string,
  value: string,
  standard = "",
): URLSearchParams {
  const changed = new URLSearchParams(address);
  if (value === standard) changed.delete(name);
  else changed.set(name, value);
  return changed;
}
