/** Filters of the dashboard, as they are in the page's address and in requests. */

export const VIEWS = [
  ["overview", /*i18n*/ "Overview"],
  ["learning", /*i18n*/ "Learning"],
  ["quality", /*i18n*/ "Quality"],
  ["comparison", /*i18n*/ "Comparison"],
  ["behaviour", /*i18n*/ "Behaviour"],
  ["datasets", /*i18n*/ "Datasets"],
  ["studies", /*i18n*/ "Studies"],
  ["download", /*i18n*/ "Download"],
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
  latency_p95_ms: /*i18n*/ "Latency, 95th percentile (ms)",
  latency_p50_ms: /*i18n*/ "Latency, median (ms)",
  dropped_share: /*i18n*/ "Share of dropped frames",
  missed_share: /*i18n*/ "Share of skipped ticks",
  focus_losses: /*i18n*/ "Times the focus was lost",
  idle_seconds: /*i18n*/ "Longest time without input (s)",
  paused_seconds: /*i18n*/ "Paused time (s)",
  active_speed: /*i18n*/ "Speed, 1 is the game's own",
  reaction_ms: /*i18n*/ "Reaction time, median (ms)",
  entropy_bits: /*i18n*/ "Entropy of actions (bits)",
  hold_steps: /*i18n*/ "Mean length of a hold (steps)",
};
const QUALITY_MEASURES = Object.keys(MEASURES).slice(0, 8);
const BEHAVIOUR_MEASURES = Object.keys(MEASURES).slice(8);

/** Returns the id of the text that names a measure. */
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
    /*i18n*/ "Players",
    ["people", /*i18n*/ "People"],
    ["programs", /*i18n*/ "Programs"],
    ["all", /*i18n*/ "People and programs"],
  ),
  select(
    "daytime",
    /*i18n*/ "Time of day",
    ["", /*i18n*/ "Any"],
    ["morning", /*i18n*/ "Morning, 5 to 12"],
    ["afternoon", /*i18n*/ "Afternoon, 12 to 17"],
    ["evening", /*i18n*/ "Evening, 17 to 22"],
    ["night", /*i18n*/ "Night, 22 to 5"],
  ),
  select(
    "device",
    /*i18n*/ "Device",
    ["", /*i18n*/ "Any"],
    ["keyboard", /*i18n*/ "Keyboard"],
    ["touch", /*i18n*/ "Touch"],
    ["mouse", /*i18n*/ "Mouse"],
    ["gamepad", /*i18n*/ "Gamepad"],
  ),
  select(
    "mode",
    /*i18n*/ "Mode",
    ["", /*i18n*/ "Any"],
    ["streamed", /*i18n*/ "Streamed"],
    ["lockstep", /*i18n*/ "Lockstep"],
    ["mixed", /*i18n*/ "Mixed"],
  ),
  select(
    "certified",
    /*i18n*/ "Certificate",
    ["", /*i18n*/ "Any"],
    ["true", /*i18n*/ "Certified only"],
  ),
  select(
    "flagged",
    /*i18n*/ "Flagged episodes",
    ["keep", /*i18n*/ "Keep"],
    ["leave-out", /*i18n*/ "Leave out"],
  ),
];

const SPLIT = select(
  "split",
  /*i18n*/ "Split players by",
  ["none", /*i18n*/ "Not split"],
  ["daytime", /*i18n*/ "Time of day"],
  ["device", /*i18n*/ "Device"],
  ["mode", /*i18n*/ "Mode"],
  ["arm", /*i18n*/ "Arm of the study"],
  ["kind", /*i18n*/ "People or programs"],
);
const METRIC = select(
  "metric",
  /*i18n*/ "Score",
  ["return", /*i18n*/ "Return"],
  ["normalised", /*i18n*/ "Human-normalised (dqn-zoo)"],
);
const X = select(
  "x",
  /*i18n*/ "Against",
  ["episodes", /*i18n*/ "Episodes"],
  ["minutes", /*i18n*/ "Minutes of play"],
  ["steps", /*i18n*/ "Steps"],
);
const LINES = select(
  "lines",
  /*i18n*/ "Lines",
  ["published", /*i18n*/ "Published scores"],
  ["programs", /*i18n*/ "Programs that played here"],
  ["all", /*i18n*/ "Published scores and programs"],
  ["none", /*i18n*/ "None"],
);
const measureFilter = (names: readonly string[]) =>
  select(
    "measure",
    /*i18n*/ "Measure",
    ...names.map((name) => [name, describeMeasure(name)] as const),
  );

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
