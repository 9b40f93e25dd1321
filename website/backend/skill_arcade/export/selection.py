"""The selection of an export that is requested over the web. It consists of validated fields and never of SQL."""

from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict, Field

from skill_arcade.export.formats import FormatName
from skill_arcade.storage.database.consents import RESEARCH


class ExportSelection(BaseModel):
    """A format and filters of episodes."""

    model_config = ConfigDict(frozen=True)

    format: FormatName
    ended_before: datetime = Field(description="end of the selection, so that new episodes do not change the result")
    user_id: str | None = Field(None, description="id of the player; None: all players")
    games: tuple[str, ...] = Field(
        (), description="ids of games; a former id selects what was recorded under it; empty: all games"
    )
    certified: bool = False
    min_steps: int = 0
    since: date | None = Field(None, description="first day (UTC) on which the episodes start")
    until: date | None = Field(None, description="last day (UTC) on which the episodes start")
    dataset: str | None = Field(None, description="name of a saved dataset, whose `version` is exported; None: none")
    version: int | None = None
    scope: str = Field(RESEARCH, description="scope of the consent that the episodes of others must have")

    @property
    def to_sql(self) -> str:
        """SQL condition on the columns of `episode_summary`, without the filter by user."""
        conditions = [f"time_ended <= {_quote(self.ended_before.astimezone(UTC).isoformat())}"]
        if self.games:
            ids = ", ".join(map(_quote, self.games))
            conditions.append(f"game_id IN (SELECT id FROM game WHERE id IN ({ids}) OR alias_of IN ({ids}))")
        if self.dataset is not None and self.version is not None:
            conditions.append(
                "episode_id IN (SELECT d.episode_id FROM dataset_episode d JOIN dataset_version v "
                f"ON v.id = d.version_id WHERE v.dataset_name = {_quote(self.dataset)} AND v.number = {self.version:d})"
            )
        if self.certified:
            conditions.append("certified")
        if self.min_steps:
            conditions.append(f"steps >= {self.min_steps:d}")
        if self.since:
            conditions.append(f"time_created >= '{self.since.isoformat()} 00:00:00+00'")
        if self.until:
            conditions.append(f"time_created < timestamptz '{self.until.isoformat()} 00:00:00+00' + interval '1 day'")
        if self.user_id is not None:  # a player learns the seed of a daily challenge when its day is over
            day = self.ended_before.astimezone(UTC).date().isoformat()
            running = f"SELECT id FROM played_episode WHERE provenance ->> 'daily' >= '{day}'"
            conditions.append(f"episode_id NOT IN ({running} AND user_id = {_quote(self.user_id)})")
        return "\n  AND ".join(conditions)

    @property
    def name(self) -> str:
        """File name of the download, without extension."""
        if self.dataset is not None:
            return f"{self.dataset}-{self.version}-{self.format}"
        prefix = "skill-arcade" if self.user_id is None else "my-skill-arcade"
        return f"{prefix}-{self.format}-{self.ended_before:%Y-%m-%d}"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
