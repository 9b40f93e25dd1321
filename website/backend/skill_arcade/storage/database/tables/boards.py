"""Tables of leaderboards, the daily challenge and published baselines."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    bigint_column,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)


class BaselineSource(Table, table=True):
    """A source of published scores. Its scores never change; another version of them is another source."""

    __tablename__ = "baseline_source"

    id: str = Field(primary_key=True, sa_column_kwargs=commented("short name"))
    version: str = Field(sa_column_kwargs=commented("commit or table that contains the scores"))
    citation: str = Field(sa_column_kwargs=commented("reference to cite"))
    protocol: str = Field(sa_column_kwargs=commented("protocol by which the scores were measured"))


class Baseline(Table, table=True):
    """Published scores for an environment: the returns that have the normalised scores 0 and 1."""

    source_id: str = Field(foreign_key="baseline_source.id", primary_key=True, sa_column_kwargs=commented("source"))
    environment_id: str = Field(primary_key=True, sa_column_kwargs=commented("Gymnasium id, such as ALE/Breakout-v5"))
    random: float = Field(sa_column_kwargs=commented("mean return of a random agent; normalised score 0"))
    human: float = Field(sa_column_kwargs=commented("return of a human, given by the source; normalised score 1"))


class PublishedAgent(Table, table=True):
    """An agent with published scores, and the protocol by which they were measured."""

    __tablename__ = "published_agent"

    id: str = Field(primary_key=True, sa_column_kwargs=commented("short name"))
    name: str = Field(sa_column_kwargs=commented("name for charts"))
    version: str = Field(sa_column_kwargs=commented("commit that contains the scores"))
    citation: str = Field(sa_column_kwargs=commented("reference to cite"))
    sticky_probability: float = Field(
        sa_column_kwargs=commented("probability that the emulator repeats the last action instead")
    )
    frame_skip: int = Field(sa_column_kwargs=commented("number of emulator frames that an action lasts"))
    max_episode_frames: int = Field(
        sa_column_kwargs=commented("number of emulator frames after which an episode is cut off")
    )
    start: str = Field(sa_column_kwargs=commented("how an episode starts"))
    trained_frames: int = Field(sa_column=bigint_column("number of emulator frames that the agent was trained for"))
    evaluation: str = Field(sa_column_kwargs=commented("what the score is the mean of"))


class PublishedScore(Table, table=True):
    """The return of a published agent in an environment."""

    __tablename__ = "published_score"

    agent_id: str = Field(foreign_key="published_agent.id", primary_key=True, sa_column_kwargs=commented("agent"))
    environment_id: str = Field(primary_key=True, sa_column_kwargs=commented("Gymnasium id, such as ALE/Breakout-v5"))
    score: float = Field(sa_column_kwargs=commented("return"))


class Daily(Table, table=True):
    """The daily challenge of one day: one game with the same seed for all. Researchers cannot read it."""

    day: date = Field(primary_key=True, sa_column_kwargs=commented("day, UTC"))
    game_id: str = Field(foreign_key="game.id", sa_column_kwargs=commented("game"))
    arguments: dict[str, Any] = Field(
        sa_column=json_column("arguments of gymnasium.make that differ from the manifest")
    )
    key: str = Field(
        sa_column_kwargs=commented(
            "random key that the seed is derived from, hexadecimal; secret until the day is over"
        )
    )
    commitment: str = Field(sa_column_kwargs=commented("SHA-256 of the key, hexadecimal; published before the day"))
    time_created: datetime = Field(sa_column=database_time_column("time of the draw, database clock"))


class Board(Table, table=True):
    """A leaderboard: one game with certain settings, in one edition (versions of what decides it)."""

    __table_args__ = (Index(None, "game_id", "settings"),)

    id: str = Field(primary_key=True, sa_column_kwargs=commented("game_id?settings#edition"))
    game_id: str = Field(foreign_key="game.id", sa_column_kwargs=commented("game"))
    settings: str = Field(
        sa_column_kwargs=commented("chosen options as name=value, joined by &; daily=DAY for a daily challenge")
    )
    edition: str = Field(sa_column_kwargs=commented("hash of `contents`"))
    contents: dict[str, Any] = Field(
        sa_column=json_column("environment, arguments, ROM, steps per second and package versions of the edition")
    )
    day: date | None = Field(None, sa_column_kwargs=commented("day of a daily challenge; null: an ordinary board"))
    newest_id: UUID = Field(
        sa_column_kwargs=commented("id of the newest episode that ranked; of several editions the newest is shown")
    )


class BoardSeason(Table, table=True):
    """A season of a board: a day, an ISO week or all time. A frozen season gets no new rows."""

    __tablename__ = "board_season"

    board_id: str = Field(foreign_key="board.id", primary_key=True, sa_column_kwargs=commented("board"))
    season: str = Field(primary_key=True, sa_column_kwargs=commented("all, 2026-11-28 or 2026-W48; UTC"))
    time_ends: datetime | None = Field(
        None, sa_column=timestamp_column("end of the season; null: it has none", nullable=True)
    )
    time_frozen: datetime | None = Field(
        None, sa_column=timestamp_column("time at which ranks and names were fixed; null: open", nullable=True)
    )
    n_players: int = Field(
        0, sa_column_kwargs=commented("number of ranked players when it was frozen", server_default="0")
    )


class BoardPlayer(Table, table=True):
    """A player who has chosen to be on leaderboards. The row is deleted when they opt out."""

    __tablename__ = "board_player"

    user_id: str = Field(
        primary_key=True, foreign_key="user.id", ondelete="CASCADE", sa_column_kwargs=commented("player")
    )
    name: str = Field(unique=True, sa_column_kwargs=commented("name on the boards"))
    skeleton: str = Field(
        unique=True, sa_column_kwargs=commented("the name without what looks alike, so that no two names look alike")
    )
    is_chosen: bool = Field(False, sa_column_kwargs=commented("false: a neutral name, given by the server"))
    n_reports: int = Field(0, sa_column_kwargs=commented("reports of this name that nobody has decided on"))
    time_created: datetime = Field(sa_column=database_time_column("time of the consent, database clock"))
    time_updated: datetime = Field(
        sa_column=database_time_column("time of the last change, database clock", updates=True)
    )


class BoardQueue(Table, table=True):
    """An episode of a player on leaderboards that is to be judged (again)."""

    __tablename__ = "board_queue"

    episode_id: UUID = Field(
        foreign_key="episode.id", ondelete="CASCADE", primary_key=True, sa_column_kwargs=commented("episode")
    )
    time_created: datetime = Field(sa_column=database_time_column("time of the request, database clock"))


class BoardEntry(Table, table=True):
    """A judged episode of a player on leaderboards: its board, or why it does not rank; signals; a review."""

    __tablename__ = "board_entry"
    __table_args__ = (Index(None, "user_id", "board_id"),)

    episode_id: UUID = Field(
        foreign_key="episode.id", ondelete="CASCADE", primary_key=True, sa_column_kwargs=commented("episode")
    )
    user_id: str = Field(foreign_key="user.id", ondelete="CASCADE", sa_column_kwargs=commented("player"))
    board_id: str | None = Field(
        None, foreign_key="board.id", sa_column_kwargs=commented("board; null: it does not rank")
    )
    score: float = Field(sa_column_kwargs=commented("episode.score"))
    time_ended: datetime = Field(sa_column=timestamp_column("episode.time_ended"))
    rejection: str | None = Field(
        None, sa_column_kwargs=commented("why it does not rank: unfinished, slow-motion, ...; null: it ranks")
    )
    signals: list[str] = Field(
        sa_column=Column(
            JSONB,
            nullable=False,
            server_default=text("'[]'::jsonb"),
            comment="signals of programs and of slow motion, for a review; they change no rank by themselves",
        )
    )
    review: str | None = Field(
        None, sa_column_kwargs=commented("decision of a maintainer: accepted or hidden; null: none")
    )
    review_reason: str | None = Field(None, sa_column_kwargs=commented("reason of the decision; the player sees it"))
    time_reviewed: datetime | None = Field(
        None, sa_column=timestamp_column("time of the decision, database clock; null: none", nullable=True)
    )
    time_created: datetime = Field(sa_column=database_time_column("time of the judgement, database clock"))


class BoardStanding(Table, table=True):
    """The best entry of a player on a board in a season."""

    __tablename__ = "board_standing"
    __table_args__ = (
        Index("board_standing_rank_idx", "board_id", "season", text("score DESC"), "time_reached", "episode_id"),
    )

    board_id: str = Field(foreign_key="board.id", primary_key=True, sa_column_kwargs=commented("board"))
    season: str = Field(primary_key=True, sa_column_kwargs=commented("season of the board"))
    user_id: str = Field(
        foreign_key="user.id", ondelete="CASCADE", primary_key=True, index=True, sa_column_kwargs=commented("player")
    )
    episode_id: UUID = Field(
        foreign_key="episode.id",
        ondelete="CASCADE",
        index=True,
        sa_column_kwargs=commented("the player's best episode"),
    )
    score: float = Field(sa_column_kwargs=commented("its score"))
    time_reached: datetime = Field(sa_column=timestamp_column("end of that episode; of equal scores the earlier leads"))
    rank: int | None = Field(None, sa_column_kwargs=commented("rank in a frozen season; null: open season"))
    name: str | None = Field(None, sa_column_kwargs=commented("name in a frozen season; null: open season"))
