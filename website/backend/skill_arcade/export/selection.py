"""The selection of an export that is requested over the web. It consists of validated fields and never of SQL."""

from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict, Field

from skill_arcade.export.formats import FormatName


class ExportSelection(BaseModel):
    """A format and filters of episodes."""

    model_config = ConfigDict(frozen=True)

    format: FormatName
    ended_before: datetime = Field(description="end of the selection, so that new episodes do not change the result")
    user_id: str | None = Field(None, description="id of the player; None: all players")
    games: tuple[str, ...] = Field((), description="ids of games; empty: all games")
    certified: bool = False
    min_steps: int = 0
    since: date | None = Field(None, description="first day (UTC) on which the episodes start")
    until: date | None = Field(None, description="last day (UTC) on which the episodes start")

    @property
    def to_sql(self) -> str:
        """SQL condition on the columns of `episode_summary`, without the filter by user."""
        conditions = [f"time_ended <= {_quote(self.ended_before.astimezone(UTC).isoformat())}"]
        if self.games:
            conditions.append(f"game_id IN ({', '.join(map(_quote, self.games))})")
        if self.certified:
            conditions.append("certified")
        if self.min_steps:
            conditions.append(f"steps >= {self.min_steps:d}")
        if self.since:
            conditions.append(f"time_created >= '{self.since.isoformat()} 00:00:00+00'")
        if self.until:
            conditions.append(f"time_created < timestamptz '{self.until.isoformat()} 00:00:00+00' + interval '1 day'")
        return "\n  AND ".join(conditions)

    @property
    def name(self) -> str:
        """File name of the download, without extension."""
        prefix = "skill-arcade" if self.user_id is None else "my-skill-arcade"
        return f"{prefix}-{self.format}-{self.ended_before:%Y-%m-%d}"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
