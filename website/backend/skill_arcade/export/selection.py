"""What somebody asks for who may not write SQL: a format, and which episodes, in words that can't do harm."""

from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict, Field

from skill_arcade.export.formats import FormatName


class ExportSelection(BaseModel):
    """An export that was asked for over the network."""

    model_config = ConfigDict(frozen=True)

    format: FormatName
    ended_before: datetime = Field(description="so that what is played meanwhile does not change the answer")
    user_id: str | None = Field(None, description="only this player's; None: everybody's")
    games: tuple[str, ...] = Field((), description="ids; none: all")
    certified: bool = False
    min_steps: int = 0
    since: date | None = Field(None, description="first day, UTC, of the episodes' start")
    until: date | None = Field(None, description="last day, likewise")

    @property
    def to_sql(self) -> str:
        """The choice as SQL on the columns of `episode_summary`; of whose episodes, it does not say."""
        config = [f"time_ended <= {_quote(self.ended_before.astimezone(UTC).isoformat())}"]
        if self.games:
            config.append(f"game_id IN ({', '.join(map(_quote, self.games))})")
        if self.certified:
            config.append("certified")
        if self.min_steps:
            config.append(f"steps >= {self.min_steps:d}")
        if self.since:
            config.append(f"time_created >= '{self.since.isoformat()} 00:00:00+00'")
        if self.until:
            config.append(f"time_created < timestamptz '{self.until.isoformat()} 00:00:00+00' + interval '1 day'")
        return "\n  AND ".join(config)

    @property
    def name(self) -> str:
        """What the download is called."""
        whose = "skill-arcade" if self.user_id is None else "my-skill-arcade"
        return f"{whose}-{self.format}-{self.ended_before:%Y-%m-%d}"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
