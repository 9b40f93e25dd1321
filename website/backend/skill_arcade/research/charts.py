"""The charts: their columns, the SQL of their rows, and the summary that Python computes for some."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from skill_arcade.environments.positions import KNOWN_GAMES
from skill_arcade.research import summaries
from skill_arcade.research.flags import FLAG_COLUMNS, FLAGS, NEWEST_MISMATCH
from skill_arcade.research.selection import Selection, quote

MAX_POINT_PLAYERS, MAX_PLAYER_POINTS = 8, 120
"""Players, and points of each, that are shown as points. 960 points take less than 100 kB."""
MAX_FITTED_PLAYERS = 12
"""Players whose laws are fitted: each takes about 10 ms."""
N_BINS = 40
MAX_PROTOCOL_EPISODES = 1000
"""Newest selected episodes whose protocol is compared with those of published scores."""
MAX_PROGRAM_LINES = 12
"""Programs that are shown as lines, those with the most episodes."""
N_DEATH_COLUMNS, N_DEATH_ROWS = 20, 21
"""Cells of a picture without cells of its own: 8 by 10 pixels of an Atari game."""
MAX_DEATH_MAPS, MAX_DEATH_CELLS = 4, 600
"""Pictures, and cells of them, that are shown. 600 cells take less than 100 kB."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    * `columns`: name to meaning and unit, in order.
    * `sql`: returns the SELECT that follows the expressions `played` and `chosen`.
    * `reads`: columns of the selected episodes that the SQL reads; `measure` stands for the selected one.
    * `needs`: what the selection must name; otherwise the numbers would mix what cannot be compared.
    * `summarise`: name of a function of `summaries` that turns the rows of the SQL into those of the answer.
    * `explain`: returns notes about the rows of the answer.
    """

    subject: Literal["overview", "learning", "quality", "comparison", "behaviour"]
    title: str
    columns: dict[str, str]
    sql: Callable[[Selection], str]
    reads: tuple[str, ...] = ("value",)
    is_indexed: bool = False
    needs: Literal["nothing", "game", "game or normalised"] = "nothing"
    summarise: str | None = None
    notes: Sequence[str] = field(default=())
    explain: Callable[[Sequence[Row]], Sequence[str]] | None = None

    def write_sql(self, selection: Selection) -> str:
        """Return the complete SQL of the chart."""
        reads = [selection.measure if name == "measure" else name for name in self.reads]
        return f"{selection.to_sql(reads, indexed=self.is_indexed)}{self.sql(selection)}"

    def summarise_rows(self, rows: list[Row]) -> list[Row]:
        """Return the rows of the answer."""
        return rows if self.summarise is None else list(getattr(summaries, self.summarise)(rows))


_FINITE = "abs(value) < 'Infinity'"
_QUARTILES = """percentile_cont(0.25) WITHIN GROUP (ORDER BY {0}) AS p25,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY {0}) AS median,
  percentile_cont(0.75) WITHIN GROUP (ORDER BY {0}) AS p75"""
_QUARTILE_COLUMNS = {"p25": "lower quartile", "median": "median", "p75": "upper quartile"}
_X = {"episodes": "episode_index", "minutes": "minutes", "steps": "steps_so_far"}


def _write_members(selection: Selection) -> str:
    """Return the expression `members`: the chosen episodes with the group of their player."""
    if selection.split == "none":
        return ",\nmembers AS (SELECT *, 'all' AS grp FROM chosen)"
    mode = f"mode() WITHIN GROUP (ORDER BY coalesce({selection.split}, 'none'))"
    return (
        f",\ngrouped AS (SELECT user_id, {mode} AS grp FROM chosen GROUP BY user_id),\n"
        "members AS (SELECT chosen.*, grouped.grp FROM chosen JOIN grouped ON grouped.user_id = chosen.user_id)"
    )


def _games(_: Selection) -> str:
    return """,
totals AS (SELECT game_id, user_id, count(*) AS episodes, sum(steps) AS steps,
    sum(extract(epoch FROM time_ended - time_started)) AS seconds
  FROM chosen GROUP BY game_id, user_id)
SELECT t.game_id, coalesce(g.config ->> 'name', t.game_id) AS game_name, count(*) AS players,
  sum(t.episodes)::bigint AS episodes, (sum(t.seconds) / 3600)::float8 AS hours, sum(t.steps)::float8 AS steps
FROM totals t JOIN game g ON g.id = t.game_id
GROUP BY t.game_id, g.config ->> 'name' ORDER BY episodes DESC, t.game_id LIMIT 50"""


def _days(_: Selection) -> str:
    return """,
of_days AS (SELECT date_trunc('day', local_start) AS day, game_id, user_id, count(*) AS n,
    sum(time_ended - time_started) AS played FROM chosen GROUP BY 1, 2, 3),
span AS (SELECT CASE WHEN max(day) - min(day) > interval '100 days' THEN 'week' ELSE 'day' END AS unit FROM of_days),
top AS (SELECT game_id FROM of_days GROUP BY game_id ORDER BY sum(n) DESC, game_id LIMIT 5)
SELECT to_char(date_trunc(span.unit, d.day), 'YYYY-MM-DD') AS day, span.unit,
  coalesce(top.game_id, 'others') AS game, sum(d.n)::bigint AS episodes, count(DISTINCT d.user_id) AS players,
  (sum(extract(epoch FROM d.played)) / 3600)::float8 AS hours
FROM of_days d CROSS JOIN span LEFT JOIN top ON top.game_id = d.game_id
GROUP BY 1, 2, 3 ORDER BY 1, 3 LIMIT 1000"""


def _ends(_: Selection) -> str:
    return """
SELECT coalesce(end_reason, 'unknown') AS end_reason, count(*) AS episodes,
  count(*) / sum(count(*)) OVER ()::float8 AS share, count(DISTINCT user_id) AS players
FROM chosen GROUP BY 1 ORDER BY episodes DESC, 1"""


def _recordings(_: Selection) -> str:
    return """,
newest AS (SELECT DISTINCT ON (episode_id) episode_id, result FROM certificate
  ORDER BY episode_id, time_created DESC),
verdicts AS (SELECT coalesce(n.result::text, 'not certified yet') AS name, count(*) AS n
  FROM chosen c LEFT JOIN newest n ON n.episode_id = c.episode_id GROUP BY n.result),
delays AS (SELECT extract(epoch FROM max(s.time_delivered) - c.time_ended)::float8 AS seconds
  FROM (SELECT * FROM chosen ORDER BY episode_id DESC LIMIT 1000) AS c
  JOIN segment s ON s.episode_id = c.episode_id GROUP BY c.episode_id, c.time_ended)
SELECT 'certificate: ' || name AS measure, n::float8 AS value, 'episodes' AS unit FROM verdicts
UNION ALL SELECT 'games that run now', count(*)::float8, 'episodes' FROM played_episode
  WHERE time_ended IS NULL AND EXISTS (SELECT FROM episode e WHERE e.id = played_episode.id
    AND e.time_ended IS NULL AND e.time_updated > now() - interval '2 minutes')
UNION ALL SELECT 'segments in quarantine', sum(quarantined_segments)::float8, 'segments' FROM chosen
UNION ALL SELECT 'upload after the end, median of the newest 1,000',
  percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), 's' FROM delays
UNION ALL SELECT 'upload after the end, 95 % of the newest 1,000',
  percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds), 's' FROM delays
ORDER BY 1"""


def _curve(selection: Selection) -> str:
    x = _X[selection.x]
    first = " - 1" if selection.x == "episodes" else ""
    width = (
        f"greatest((max({x}) + {N_BINS - 1})::bigint / {N_BINS}, 1)"
        if selection.x != "minutes"
        else (f"greatest(max({x}) / {N_BINS}, 0.1)")
    )
    return f"""{_write_members(selection)},
bins AS (SELECT {width}::float8 AS width FROM chosen WHERE {_FINITE}),
means AS (
  SELECT c.grp, least(floor(({x}{first}) / b.width), {N_BINS - 1}) AS bin, b.width, c.user_id, avg(c.value) AS value,
    count(*) AS n
  FROM members c CROSS JOIN bins b
  WHERE {_FINITE} GROUP BY 1, 2, 3, 4)
SELECT grp AS "group", (bin * width)::float8 AS x_from, ((bin + 1) * width)::float8 AS x_to, count(*) AS players,
  sum(n)::bigint AS episodes, {_QUARTILES.format("value")}
FROM means GROUP BY grp, bin, width ORDER BY grp, bin"""


def _points(selection: Selection) -> str:
    return f""",
best AS (SELECT user_id, count(*) AS n FROM chosen WHERE {_FINITE} GROUP BY user_id
  ORDER BY n DESC, user_id LIMIT {MAX_POINT_PLAYERS})
SELECT player, x::float8 AS x, value, episode_id FROM (
  SELECT c.user_id AS player, {_X[selection.x]} AS x, c.value, c.episode_id::text AS episode_id,
    row_number() OVER (PARTITION BY c.user_id ORDER BY c.episode_id) AS place,
    (b.n + {MAX_PLAYER_POINTS - 1}) / {MAX_PLAYER_POINTS} AS every
  FROM chosen c JOIN best b ON b.user_id = c.user_id WHERE {_FINITE}) AS placed
WHERE (place - 1) % every = 0 ORDER BY player, x"""


def _scores_of_players(_: Selection) -> str:
    return f"""
SELECT user_id AS player, variant, count(*) AS episodes, array_agg(value ORDER BY episode_index) AS values
FROM chosen WHERE {_FINITE} GROUP BY user_id, variant
ORDER BY episodes DESC, player, variant LIMIT {MAX_FITTED_PLAYERS}"""


def _slopes(selection: Selection) -> str:
    return f"""{_write_members(selection)}
SELECT c.grp AS "group", c.user_id AS player, c.variant AS task, count(*) AS episodes,
  10 * regr_slope(c.value, c.episode_index) AS value
FROM members c
WHERE {_FINITE} AND c.episode_index <= 50
GROUP BY c.grp, c.user_id, c.variant HAVING count(*) >= 10 ORDER BY 1, 2, 3"""


def _breaks(_: Selection) -> str:
    return f""",
cut (place, name, above, below) AS (VALUES (1, 'under 1 min', 0, 60), (2, '1 to 30 min', 60, 1800),
  (3, '30 min to 8 h', 1800, 28800), (4, '8 to 24 h', 28800, 86400), (5, '1 to 7 days', 86400, 604800),
  (6, 'over 7 days', 604800, NULL))
SELECT cut.name AS pause, count(DISTINCT c.user_id) AS players, count(*) AS episodes,
  {_QUARTILES.format("c.value - c.previous")}
FROM chosen c JOIN cut ON c.gap_seconds >= cut.above AND (cut.below IS NULL OR c.gap_seconds < cut.below)
WHERE {_FINITE} AND abs(c.previous) < 'Infinity'
GROUP BY cut.place, cut.name ORDER BY cut.place"""


def _within_days(_: Selection) -> str:
    return f""",
days AS (
  SELECT user_id, variant, local_start::date AS day, count(*) AS n,
    (array_agg(value ORDER BY episode_index))[1] AS first, (array_agg(value ORDER BY episode_index DESC))[1] AS last
  FROM chosen WHERE {_FINITE} GROUP BY 1, 2, 3),
changes AS (
  SELECT user_id, n, last - first AS within, first - lag(last) OVER (PARTITION BY user_id, variant ORDER BY day) AS over
  FROM days)
SELECT 'within a day: last minus first' AS change, count(*) AS days, count(DISTINCT user_id) AS players,
  {_QUARTILES.format("within")}
FROM changes WHERE n >= 3
UNION ALL
SELECT 'between days: first minus last of the day before', count(*), count(DISTINCT user_id),
  {_QUARTILES.format("over")}
FROM changes WHERE over IS NOT NULL"""


def _histogram(selection: Selection) -> str:
    measure = selection.measure
    return f"""{_write_members(selection)},
bounds AS (SELECT min({measure}) AS low,
    greatest(percentile_cont(0.99) WITHIN GROUP (ORDER BY {measure}), min({measure}) + 1e-9) AS high FROM chosen),
binned AS (SELECT c.grp, least(floor((c.{measure} - b.low) / ((b.high - b.low) / {N_BINS})), {N_BINS}) AS bin,
    b.low, (b.high - b.low) / {N_BINS} AS width, c.user_id
  FROM members c CROSS JOIN bounds b WHERE c.{measure} IS NOT NULL)
SELECT grp AS "group", (low + bin * width)::float8 AS x_from,
  CASE WHEN bin < {N_BINS} THEN (low + (bin + 1) * width)::float8 END AS x_to, count(*) AS episodes,
  count(DISTINCT user_id) AS players, count(*) / sum(count(*)) OVER (PARTITION BY grp)::float8 AS share
FROM binned GROUP BY grp, bin, low, width ORDER BY grp, bin"""


def _flags(_: Selection) -> str:
    counts = ",\n  ".join(f"count(*) FILTER (WHERE {condition}) AS {name}" for name, condition in FLAGS.items())
    listed = ", ".join(f"({place}, '{name}', {name})" for place, name in enumerate(FLAGS))
    return f""",
counted AS (SELECT count(*) AS n,
  {counts}
FROM chosen m {NEWEST_MISMATCH})
SELECT flag.name AS flag, flag.episodes, flag.episodes / greatest(counted.n, 1)::float8 AS share
FROM counted CROSS JOIN LATERAL (VALUES {listed}) AS flag (place, name, episodes) ORDER BY flag.place"""


def _means_of_players(selection: Selection) -> str:
    return f"""{_write_members(selection)}
SELECT c.grp AS "group", c.user_id AS player, c.variant AS task, count(*) AS episodes, avg(c.value) AS value
FROM members c
WHERE {_FINITE} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def _actions(selection: Selection) -> str:
    return f"""{_write_members(selection)},
used AS (SELECT c.grp, a.key::int AS action, sum(a.value::bigint) AS steps
  FROM members c CROSS JOIN LATERAL jsonb_each_text(c.actions) a GROUP BY 1, 2)
SELECT grp AS "group", action, steps::float8 AS steps, (steps / sum(steps) OVER (PARTITION BY grp))::float8 AS share
FROM used ORDER BY grp, action LIMIT 400"""


def _references(selection: Selection) -> str:
    """Return the SQL of the lines beside people, each with the columns of its protocol."""
    baseline = f"SELECT environment_id, random, human FROM baseline WHERE source_id = {quote(selection.source)}"
    scale = {"return": "{0}", "normalised": "({0} - b.random) / nullif(b.human - b.random, 0)"}[selection.metric]
    played = [f"m.game_id = {quote(selection.game)}"] if selection.game is not None else []
    played += [f"m.variant = {quote(selection.variant)}"] if selection.variant is not None else []
    has_programs = selection.lines in ("programs", "all")
    protocol = """NULL::float8 AS sticky_probability, NULL::int AS frame_skip, NULL::int AS max_episode_frames,
    NULL::bigint AS trained_frames, NULL AS start, NULL AS evaluation"""
    # Arguments of the registration, and above them those of the game and its options.
    kwargs = """coalesce(e.environment #> '{gymnasium,kwargs}', '{}') || coalesce(e.environment -> 'kwargs', '{}')"""
    emulation = """(kwargs ->> 'repeat_action_probability')::float8 AS sticky_probability,
    CASE WHEN jsonb_typeof(kwargs -> 'frameskip') = 'number' THEN (kwargs ->> 'frameskip')::int END AS frame_skip,
    (kwargs ->> 'max_num_frames_per_episode')::int AS max_episode_frames"""
    return f""",
used AS (SELECT mode() WITHIN GROUP (ORDER BY environment_id) AS id FROM chosen),
b AS (SELECT b.* FROM ({baseline}) AS b JOIN used ON used.id = b.environment_id),
shown AS (SELECT user_id, pace, {emulation}
  FROM (SELECT e.user_id, e.provenance #>> '{{program,pace}}' AS pace, {kwargs} AS kwargs
    FROM (SELECT episode_id FROM chosen ORDER BY episode_id DESC LIMIT {MAX_PROTOCOL_EPISODES}) AS c
    JOIN episode e ON e.id = c.episode_id) AS described),
programs AS (SELECT user_id, score, pace, name, {emulation}
  FROM (SELECT e.user_id, m.score, e.provenance #>> '{{program,pace}}' AS pace, {kwargs} AS kwargs,
      regexp_replace(e.provenance #>> '{{player,browser}}', '^skill_arcade[.]client ', '') AS name
    FROM episode_measure m JOIN "user" u ON u.id = m.user_id AND u.is_synthetic JOIN episode e ON e.id = m.episode_id
    WHERE {" AND ".join([*played, "e.provenance ? 'program'", "true" if has_programs else "false"])}) AS described),
lines AS (
  SELECT 1 AS place, 'random' AS kind, 'Random agent' AS name, {scale.format("s.random")} AS value, NULL::bigint AS n,
    NULL::bigint AS n_players, NULL AS pace, s.source_id || ' (' || o.version || '): ' || o.citation AS source,
    'random agent of ' || split_part(o.protocol, '; random agent: ', 2) AS protocol, {protocol}
  FROM used JOIN baseline s ON s.environment_id = used.id AND s.source_id = {quote(selection.source)}
  JOIN baseline_source o ON o.id = s.source_id LEFT JOIN b ON true
  UNION ALL SELECT 2, 'human', 'Human, ' || s.source_id, {scale.format("s.human")}, NULL, NULL, NULL,
    s.source_id || ' (' || o.version || '): ' || o.citation,
    split_part(o.protocol, '; random agent: ', 1), {protocol}
  FROM used JOIN baseline s ON s.environment_id = used.id JOIN baseline_source o ON o.id = s.source_id
  LEFT JOIN b ON true
  UNION ALL SELECT 3, 'agent', a.name, {scale.format("s.score")}, NULL, NULL, 'stepped',
    a.citation || ' (' || a.version || ')', NULL, a.sticky_probability, a.frame_skip, a.max_episode_frames,
    a.trained_frames, a.start, a.evaluation
  FROM used JOIN published_score s ON s.environment_id = used.id JOIN published_agent a ON a.id = s.agent_id
  LEFT JOIN b ON true
  UNION ALL SELECT * FROM (
    SELECT 4, 'program', p.name, avg({scale.format("p.score")}), count(*), count(DISTINCT p.user_id), p.pace,
      'episodes of this arcade', NULL, p.sticky_probability, p.frame_skip, p.max_episode_frames, NULL::bigint, NULL,
      NULL
    FROM programs p LEFT JOIN b ON true
    GROUP BY p.name, p.pace, p.sticky_probability, p.frame_skip, p.max_episode_frames
    ORDER BY count(*) DESC, p.name LIMIT {MAX_PROGRAM_LINES}) AS programs
  UNION ALL SELECT * FROM (
    SELECT 0, 'shown', 'Shown episodes', NULL::float8, count(*), count(DISTINCT s.user_id), s.pace,
      'newest {MAX_PROTOCOL_EPISODES} of the selected episodes', NULL, s.sticky_probability, s.frame_skip,
      s.max_episode_frames, NULL::bigint, NULL, NULL
    FROM shown s GROUP BY s.pace, s.sticky_probability, s.frame_skip, s.max_episode_frames
    ORDER BY count(*) DESC LIMIT 5) AS shown)
SELECT kind, name, value, n_players AS players, n AS episodes, pace, sticky_probability, frame_skip,
  max_episode_frames, trained_frames, start, evaluation, protocol, source
FROM lines ORDER BY place, n DESC NULLS LAST, value, name, source, sticky_probability, frame_skip"""


def _deaths(_: Selection) -> str:
    return f""",
placed AS (SELECT c.variant, c.user_id, d.episode_id, d.frame, d.screen,
    coalesce(d.columns, {N_DEATH_COLUMNS}) AS columns, coalesce(d.rows, {N_DEATH_ROWS}) AS rows, d.x, d.y
  FROM death d JOIN chosen c ON c.episode_id = d.episode_id),
of_players AS (SELECT variant, screen, columns, rows, least(floor(x * columns)::int, columns - 1) AS "column",
    least(floor(y * rows)::int, rows - 1) AS "row", user_id, count(*) AS deaths,
    max((episode_id::text || ' ' || frame) COLLATE "C") AS newest
  FROM placed GROUP BY 1, 2, 3, 4, 5, 6, 7),
cells AS (SELECT variant, screen, columns, rows, "column", "row", sum(deaths)::bigint AS deaths, count(*) AS players,
    max(newest) AS newest
  FROM of_players GROUP BY 1, 2, 3, 4, 5, 6),
maps AS (SELECT variant, screen, columns, rows FROM cells GROUP BY 1, 2, 3, 4
  ORDER BY sum(deaths) DESC, variant, screen LIMIT {MAX_DEATH_MAPS})
SELECT c.variant, c.screen, c.columns, c.rows, c."column", c."row", c.deaths, c.players,
  split_part(c.newest, ' ', 1) AS episode_id, split_part(c.newest, ' ', 2)::int AS frame
FROM cells c JOIN maps USING (variant, screen, columns, rows)
ORDER BY c.deaths DESC, c.variant, c.screen, c."row", c."column" LIMIT {MAX_DEATH_CELLS}"""


def _explain_deaths(rows: Sequence[Row]) -> list[str]:
    if rows:
        n = sum(row["deaths"] for row in rows)
        return [f"{n:,} deaths are shown."]
    return [
        "No place of a death is known for these episodes. The environment tells it in "
        f"{', '.join(KNOWN_GAMES)}; in other games it does not tell where the player is."
    ]


_GROUP = {"group": "group of players: the most frequent value of their episodes"}
_N = {"players": "number of players", "episodes": "number of episodes"}
_BIN = {"x_from": "start of the bin", "x_to": "end of the bin; null: open"}
_VALUE_NOTE = "A player counts once in each bin, by the mean of their episodes in it."
_HISTOGRAM = {
    **_GROUP,
    **_BIN,
    "episodes": "number of episodes",
    "players": "number of players",
    "share": "share of the group's episodes",
}

CHARTS: dict[str, Chart] = {
    "games": Chart(
        "overview",
        "Play by game",
        {
            "game_id": "game",
            "game_name": "name",
            **_N,
            "hours": "hours of play, with pauses",
            "steps": "number of steps",
        },
        _games,
        reads=("game_id", "time_started", "time_ended", "steps"),
    ),
    "days": Chart(
        "overview",
        "Episodes by day and game",
        {
            "day": "first day of the bin, in the time zone of the selection",
            "unit": "length of the bin: a day, or a week if the selection is longer than 100 days",
            "game": "game; the five most played, and others",
            "episodes": "number of episodes",
            "players": "number of players",
            "hours": "hours of play, with pauses",
        },
        _days,
        reads=("game_id", "local_start", "time_started", "time_ended"),
    ),
    "ends": Chart(
        "overview",
        "How episodes end",
        {
            "end_reason": "reason of the end; left and disconnected are drop-outs",
            "episodes": "number of episodes",
            "share": "share of the episodes",
            "players": "number of players",
        },
        _ends,
        reads=("end_reason",),
    ),
    "recordings": Chart(
        "overview",
        "Health of the recordings",
        {"measure": "measure", "value": "value", "unit": "unit"},
        _recordings,
        reads=("quarantined_segments", "time_ended"),
        notes=("Games that run now are those of all people, whatever the filters are.",),
    ),
    "curve": Chart(
        "learning",
        "Learning curve",
        {**_GROUP, **_BIN, **_N, **_QUARTILE_COLUMNS},
        _curve,
        is_indexed=True,
        needs="game",
        notes=(
            _VALUE_NOTE,
            "Players who stop early are missing from the tail. Compare the numbers of players before you read it, or "
            "set a minimum number of episodes.",
            "The mean of sudden improvements looks like gradual learning: see the laws of single players.",
        ),
    ),
    "speed": Chart(
        "learning",
        "Speed of improvement",
        {
            **_GROUP,
            **_N,
            **_QUARTILE_COLUMNS,
            "iqm": "interquartile mean",
            "low": "lower end of its 95 % interval",
            "high": "upper end of its 95 % interval",
            "p_faster": "probability that a player improves faster than one of another group; null: one group",
        },
        _slopes,
        is_indexed=True,
        needs="game",
        summarise="compare_groups",
        notes=(
            "Change per 10 episodes: the least-squares slope of each player's first 50 episodes, players with at least "
            "10 of them.",
            "Groups are not drawn by lot, so a difference need not be an effect of what they differ in.",
        ),
    ),
    "points": Chart(
        "learning",
        "Single players",
        {"player": "player", "x": "value of the horizontal axis", "value": "return", "episode_id": "episode"},
        _points,
        is_indexed=True,
        needs="game",
        notes=(
            f"The {MAX_POINT_PLAYERS} players with the most episodes. Of long series, every n-th episode is shown, at "
            f"most {MAX_PLAYER_POINTS}.",
        ),
    ),
    "laws": Chart(
        "learning",
        "Laws of practice",
        {
            "player": "player",
            "variant": "variant of the game",
            "episodes": "number of episodes",
            "verdict": "law that is better than every other by a BIC of 6; otherwise undecided",
            "best": "law with the least BIC",
            "candidates": "laws within a BIC of 6",
            "noise_to_gain": "noise divided by gain; null: no gain. Above 0.25, smooth laws cannot be told apart",
            "gain": "change of the best law from the first score to the last",
            "bic_flat": "BIC above the best",
            "bic_exponential": "BIC above the best",
            "bic_power": "BIC above the best",
            "bic_delayed_exponential": "BIC above the best",
            "bic_step": "BIC above the best",
        },
        _scores_of_players,
        is_indexed=True,
        needs="game",
        summarise="fit_players",
        notes=(f"The {MAX_FITTED_PLAYERS} players with the most episodes, each by their own.",),
    ),
    "breaks": Chart(
        "learning",
        "Change after a break",
        {"pause": "time without this game", **_N, **_QUARTILE_COLUMNS},
        _breaks,
        is_indexed=True,
        needs="game",
        notes=("Value of an episode minus that of the one before.",),
    ),
    "within-days": Chart(
        "learning",
        "First of the day against last",
        {"change": "change", "days": "number of days of players", "players": "number of players", **_QUARTILE_COLUMNS},
        _within_days,
        reads=("value", "local_start"),
        is_indexed=True,
        needs="game",
        notes=("Days of a player with at least three episodes for the change within a day.",),
    ),
    "flags": Chart(
        "quality",
        "Flagged episodes",
        {
            "flag": "flag",
            "reason": "what it says",
            "episodes": "number of episodes",
            "share": "share of the episodes",
        },
        _flags,
        reads=FLAG_COLUMNS,
        summarise="explain_flags",
        notes=("An episode may have several flags. Nothing is deleted.",),
    ),
    "quality": Chart("quality", "Distribution of a measure", _HISTOGRAM, _histogram, reads=("measure",)),
    "references": Chart(
        "comparison",
        "Published scores and programs",
        {
            "kind": "shown: protocol of the selected episodes; random, human or agent: published; program: played here",
            "name": "name",
            "value": "return or normalised score; null: none",
            "players": "number of players; null: published",
            "episodes": "number of episodes; null: published",
            "protocol": "how the value was measured",
            "differs": "what differs from the protocol of the selected episodes; null: nothing known",
            "source": "where the value is from",
        },
        _references,
        reads=("environment_id",),
        needs="game",
        summarise="describe_references",
        notes=(
            "Published scores are those of the game's default mode and difficulty. Scores of different protocols are "
            "not directly comparable.",
        ),
        explain=summaries.explain_references,
    ),
    "groups": Chart(
        "comparison",
        "Groups compared",
        {
            **_GROUP,
            **_N,
            **_QUARTILE_COLUMNS,
            "iqm": "interquartile mean",
            "low": "lower end of its 95 % interval",
            "high": "upper end of its 95 % interval",
            "p_faster": "probability that a player is better than one of another group; null: one group",
        },
        _means_of_players,
        needs="game or normalised",
        summarise="compare_groups",
        notes=("A player counts once in each variant, by the mean of their episodes.",),
    ),
    "profile": Chart(
        "comparison",
        "Performance profile",
        {**_GROUP, "threshold": "value", "share": "share of players above it", "players": "number of players"},
        _means_of_players,
        needs="game or normalised",
        summarise="profile_groups",
    ),
    "behaviour": Chart(
        "behaviour",
        "Distribution of a measure",
        _HISTOGRAM,
        _histogram,
        reads=("measure",),
        notes=(
            "Reaction times include the unknown delay of keyboard and screen, 20 to 90 ms: compare them within a "
            "player, not between devices.",
        ),
    ),
    "actions": Chart(
        "behaviour",
        "Use of actions",
        {
            **_GROUP,
            "action": "index in the environment's action space",
            "steps": "number of steps",
            "share": "share of the group's steps",
        },
        _actions,
        reads=("actions",),
        needs="game",
    ),
    "deaths": Chart(
        "behaviour",
        "Where people die",
        {
            "variant": "variant of the game",
            "screen": "number of the screen in a game with several; otherwise 0",
            "columns": "number of columns of the picture",
            "rows": "number of rows of the picture",
            "column": "0-based column from the left",
            "row": "0-based row from above",
            "deaths": "number of deaths in this cell",
            "players": "number of players who died in this cell",
            "episode_id": "episode of the newest death in this cell",
            "frame": "index of the last observation before that death",
        },
        _deaths,
        reads=(),
        needs="game",
        notes=(
            "The certifier finds places when it re-runs an episode. Episodes without a certificate, or with one from "
            "before this was measured, are missing until `skill-arcade verify --all`.",
            f"The {MAX_DEATH_MAPS} screens or variants with the most deaths, and of them the {MAX_DEATH_CELLS} cells "
            "with the most. A level that changes with the seed is shown as the picture of one episode.",
        ),
        explain=_explain_deaths,
    ),
}
