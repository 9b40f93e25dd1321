"""Selection of episodes for charts. It consists of validated fields and never of SQL, and becomes one SQL text."""

from collections.abc import Sequence
from datetime import date
from typing import Literal
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from skill_arcade.errors import InvalidRequest
from skill_arcade.research.flags import N_FLAGS, NEWEST_MISMATCH

Split = Literal["none", "daytime", "device", "mode", "arm", "kind"]
Measure = Literal[
    "latency_p50_ms",
    "latency_p95_ms",
    "dropped_share",
    "missed_share",
    "focus_losses",
    "idle_seconds",
    "paused_seconds",
    "active_speed",
    "reaction_ms",
    "entropy_bits",
    "hold_steps",
]
_ID = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"


class Selection(BaseModel):
    """Filters of episodes, and options of charts. All charts understand the same fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    players: Literal["people", "programs", "all"] = Field(
        "people", description="people who allow research; programs, such as synthetic players; or all: both"
    )
    game: str | None = Field(None, max_length=100, pattern=_ID, description="id of a game, with all its variants")
    variant: str | None = Field(
        None, max_length=200, pattern=r"^[A-Za-z0-9_.?=&-]+$", description="variant, as in episode_measure.variant"
    )
    since: date | None = Field(None, description="first day on which episodes start, in `zone`")
    until: date | None = Field(None, description="last day on which episodes start, in `zone`")
    daytime: Literal["morning", "afternoon", "evening", "night"] | None = Field(
        None, description="part of the day in which episodes start, in `zone`: from 5, 12, 17 and 22 o'clock"
    )
    zone: str = Field("UTC", max_length=50, description="IANA time zone of days and parts of the day")
    device: Literal["keyboard", "touch", "mouse", "gamepad"] | None = None
    mode: Literal["streamed", "lockstep", "mixed"] | None = None
    study: str | None = Field(None, max_length=100, pattern=_ID)
    arm: str | None = Field(None, max_length=100, pattern=r"^[A-Za-z0-9 _.-]+$")
    player: str | None = Field(None, max_length=64, pattern=_ID, description="pseudonym of a player")
    certified: bool = Field(False, description="only episodes whose newest certificate says certified")
    flagged: Literal["keep", "leave-out"] = Field("keep", description="episodes with a flag of quality")
    min_episodes: int = Field(1, ge=1, le=100_000, description="least number of episodes of a player in a variant")
    metric: Literal["return", "normalised"] = "return"
    source: str = Field("dqn-zoo", max_length=50, pattern=_ID, description="baseline_source.id, for `normalised`")
    lines: Literal["published", "programs", "all", "none"] = Field(
        "published", description="lines beside people: published scores, programs that played here, all, or none"
    )
    x: Literal["episodes", "minutes", "steps"] = Field("episodes", description="horizontal axis of learning")
    split: Split = Field("none", description="groups of players, by the most frequent value of their episodes")
    measure: Measure = Field("latency_p95_ms", description="measure of a histogram")

    @field_validator("zone")
    @classmethod
    def check_zone(cls, zone: str) -> str:
        """Check that the time zone exists."""
        if zone not in available_timezones():
            raise ValueError("unknown time zone; use an IANA name such as Europe/Berlin")
        return zone

    def to_sql(self, columns: Sequence[str] = (), *, indexed: bool = False, leaves_out: bool = True) -> str:
        """Return the common table expressions `played` and `chosen`, which begin the SQL of every chart.

        Args:
            columns: columns of `episode_measure` or computed ones that the chart needs besides `_COLUMNS`. Postgres
                writes the chosen rows to memory if a chart reads them twice, so unused columns cost time.
            indexed: adds `episode_index`, `minutes`, `steps_so_far`, `gap_seconds` and `previous`, which count all
                episodes of the player in the variant, whatever the filters are.
            leaves_out: False keeps flagged episodes in `chosen` although the selection leaves them out, to count them.
        """
        needed = [*_COLUMNS, *columns, *self._filtered_columns()]
        listed = [self._column(name) for name in dict.fromkeys(needed)]
        sources = ["episode_measure m", _PLAYERS[self.players]]
        window = ""
        if indexed or self.min_episodes > 1:
            listed += [
                "row_number() OVER past AS episode_index",
                "(sum(extract(epoch FROM m.time_ended - m.time_started)) OVER past / 60)::float8 AS minutes",
                "(sum(m.steps) OVER past)::float8 AS steps_so_far",
                "extract(epoch FROM m.time_started - lag(m.time_ended) OVER past)::float8 AS gap_seconds",
                f"lag({self._value()}) OVER past AS previous",
            ]
            window = "\n  WINDOW past AS (PARTITION BY m.user_id, m.variant ORDER BY m.episode_id)"
        if self.min_episodes > 1:
            listed.append("count(*) OVER (PARTITION BY m.user_id, m.variant) AS n_episodes")
        if self.metric == "normalised":
            sources.append(
                f"JOIN baseline b ON b.environment_id = m.environment_id AND b.source_id = {quote(self.source)}"
            )
        if self.flagged == "leave-out":
            listed.append(f"{N_FLAGS} AS n_flags")
            sources.append(NEWEST_MISMATCH)
        where = f"\n  WHERE {' AND '.join(self._of_game())}" if self._of_game() else ""
        conditions = [*self._conditions(), *(["n_flags < 1"] if leaves_out and self.flagged == "leave-out" else [])]
        chosen = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        columns_text, sources_text = ",\n    ".join(listed), "\n  ".join(sources)
        return (
            f"WITH played AS (\n  SELECT {columns_text}\n  FROM {sources_text}{where}{window}\n),\n"
            f"chosen AS (SELECT * FROM played{chosen})"
        )

    def _column(self, name: str) -> str:
        """Return the expression of a column of `played`."""
        start = f"(m.time_started AT TIME ZONE {quote(self.zone)})"
        computed = {
            "local_start": start,
            "daytime": _DAYTIME.replace("local_start", start),
            "value": self._value(),
            "kind": _KINDS[self.players],
            "dropped_share": "m.dropped_frames / greatest(m.steps, 1)::float8",
            "missed_share": "m.missed_ticks / greatest(m.steps, 1)::float8",
        }
        return f"{computed[name]} AS {name}" if name in computed else f"m.{name}"

    def _filtered_columns(self) -> list[str]:
        """Columns that the conditions and the groups read."""
        names = [name for name in ("device", "mode", "study", "arm", "daytime") if getattr(self, name) is not None]
        if self.since is not None or self.until is not None:
            names.append("local_start")
        if self.split != "none":
            names.append(self.split)
        return names

    def _value(self) -> str:
        return "m.score" if self.metric == "return" else "(m.score - b.random) / nullif(b.human - b.random, 0)"

    def _of_game(self) -> list[str]:
        """Conditions under which the episodes of a player are still counted together, and who may be shown."""
        conditions = ["(u.is_synthetic OR c.is_allowed)"] if self.players == "all" else []
        if self.game is not None:
            conditions.append(f"m.game_id = {quote(self.game)}")
        if self.variant is not None:
            conditions.append(f"m.variant = {quote(self.variant)}")
        if self.player is not None:
            conditions.append(f"m.user_id = {quote(self.player)}")
        return conditions

    def _conditions(self) -> list[str]:
        conditions = []
        if self.since is not None:
            conditions.append(f"local_start >= '{self.since.isoformat()}'")
        if self.until is not None:
            conditions.append(f"local_start < date '{self.until.isoformat()}' + 1")
        if self.daytime is not None:
            conditions.append(f"daytime = '{self.daytime}'")
        for name in ("device", "mode", "study", "arm"):
            if (value := getattr(self, name)) is not None:
                conditions.append(f"{name} = {quote(value)}")
        if self.certified:
            conditions.append(_CERTIFIED)
        if self.min_episodes > 1:
            conditions.append(f"n_episodes >= {self.min_episodes:d}")
        return conditions


def parse_filters(text: str) -> Selection:
    """Return the filters in an address of the research page, or in its part after the question mark.

    Raises:
        InvalidRequest: a filter is unknown, or has no such value.
    """
    fields = dict(parse_qsl(urlsplit(text).query if "?" in text else text, keep_blank_values=True))
    fields.pop("view", None)
    try:
        return Selection.model_validate(fields)
    except ValidationError as error:
        problem = error.errors()[0]
        raise InvalidRequest(f"The filter {'.'.join(map(str, problem['loc']))}: {problem['msg']}.") from None


_COLUMNS = ("episode_id", "user_id", "variant")


def quote(value: str) -> str:
    """Return an SQL literal of a text."""
    return "'" + value.replace("'", "''") + "'"


# The view episode_consent has the episodes of people only.
_PLAYERS = {
    "people": "JOIN episode_consent c ON c.episode_id = m.episode_id AND c.scope = 'research' AND c.is_allowed",
    "programs": 'JOIN "user" u ON u.id = m.user_id AND u.is_synthetic',
    "all": 'JOIN "user" u ON u.id = m.user_id\n  '
    "LEFT JOIN episode_consent c ON c.episode_id = m.episode_id AND c.scope = 'research'",
}
_KINDS = {
    "people": "'people'",
    "programs": "'programs'",
    "all": "CASE WHEN u.is_synthetic THEN 'programs' ELSE 'people' END",
}
_CERTIFIED = (
    "episode_id IN (SELECT episode_id FROM (SELECT DISTINCT ON (episode_id) episode_id, result FROM certificate "
    "ORDER BY episode_id, time_created DESC) AS newest WHERE result = 'certified')"
)
_HOUR = "extract(hour FROM local_start)"
_DAYTIME = (
    f"CASE WHEN {_HOUR} < 5 OR {_HOUR} >= 22 THEN 'night' WHEN {_HOUR} < 12 THEN 'morning' "
    f"WHEN {_HOUR} < 17 THEN 'afternoon' ELSE 'evening' END"
)
