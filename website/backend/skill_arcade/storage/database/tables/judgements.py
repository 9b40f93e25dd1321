"""Tables of judgements: people compare or rate clips of recorded episodes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, String, text
from sqlmodel import Field

from skill_arcade.storage.database.tables.base import (
    Table,
    commented,
    database_time_column,
    json_column,
    timestamp_column,
)


class JudgementSet(Table, table=True):
    """A set of clips to judge. Rows are only added; `time_closed` alone is set later."""

    __tablename__ = "judgement_set"
    __table_args__ = (
        CheckConstraint("kind IN ('pair', 'rating')", name="kind"),
        CheckConstraint("audience IN ('researchers', 'everyone')", name="audience"),
    )

    name: str = Field(primary_key=True, sa_column_kwargs=commented("name, such as breakout-pairs"))
    sha256: str = Field(
        sa_column_kwargs=commented("SHA-256 of the canonical JSON of `content` and of the items that were drawn")
    )
    kind: str = Field(sa_column_kwargs=commented("pair: two clips are compared; rating: one clip is rated"))
    audience: str = Field(sa_column_kwargs=commented("who may judge: researchers, or everyone who is signed in"))
    content: dict[str, Any] = Field(sa_column=json_column("complete specification, with the seed of the draw"))
    game_id: str = Field(foreign_key="game.id", sa_column_kwargs=commented("game"))
    n_items: int = Field(sa_column_kwargs=commented("number of items that were drawn, without repeats"))
    n_repeats: int = Field(sa_column_kwargs=commented("number of repeats that were drawn"))
    n_frames: int = Field(sa_column_kwargs=commented("number of frames of each clip"))
    frames_per_second: float = Field(sa_column_kwargs=commented("pace at which the page shows the frames"))
    time_created: datetime = Field(sa_column=database_time_column("time of the draw, database clock"))
    time_closed: datetime | None = Field(
        None, sa_column=timestamp_column("time from which nobody can judge, database clock; null: open", nullable=True)
    )


class JudgementItem(Table, table=True):
    """A pair of clips to compare, or a clip to rate. It is deleted with the first of its episodes."""

    __tablename__ = "judgement_item"
    __table_args__ = (CheckConstraint("gold IN ('first', 'second')", name="gold"),)

    set_name: str = Field(
        primary_key=True, foreign_key="judgement_set.name", sa_column_kwargs=commented("set of clips")
    )
    number: int = Field(primary_key=True, sa_column_kwargs=commented("0-based number; repeats follow the others"))
    repeat_of: int | None = Field(
        None, sa_column_kwargs=commented("number of the item that is shown again, sides swapped; null: no repeat")
    )
    gold: str | None = Field(
        None, sa_column_kwargs=commented("clip that is known to be the better one: first or second; null: not known")
    )


class JudgementClip(Table, table=True):
    """A clip of an item: consecutive frames of an episode."""

    __tablename__ = "judgement_clip"
    __table_args__ = (
        ForeignKeyConstraint(
            ["set_name", "number"], ["judgement_item.set_name", "judgement_item.number"], ondelete="CASCADE"
        ),
        CheckConstraint("side IN ('first', 'second')", name="side"),
    )

    set_name: str = Field(primary_key=True, sa_column_kwargs=commented("set of clips"))
    number: int = Field(primary_key=True, sa_column_kwargs=commented("item"))
    side: str = Field(primary_key=True, sa_column_kwargs=commented("first or second clip of the item; a rating: first"))
    episode_id: UUID = Field(foreign_key="episode.id", index=True, sa_column_kwargs=commented("episode"))
    frame_from: int = Field(sa_column_kwargs=commented("first frame: 0-based index of the observation"))
    frame_to: int = Field(sa_column_kwargs=commented("frame after the last one"))


class Judgement(Table, table=True):
    """A judge's answer to an item; retracted, never changed; deleted with its item and with its judge."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["set_name", "number"], ["judgement_item.set_name", "judgement_item.number"], ondelete="CASCADE"
        ),
        CheckConstraint("answer IN ('left', 'right', 'equal', 'cannot_tell', 'skip', 'rating')", name="answer"),
        CheckConstraint("(answer = 'rating') = (rating IS NOT NULL)", name="rating"),
        Index(
            "judgement_valid_idx",
            *("set_name", "number", "user_id"),
            unique=True,
            postgresql_where=text("time_retracted IS NULL"),
        ),
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("UUID version 7; sorts by time"))
    set_name: str = Field(sa_column_kwargs=commented("set of clips"))
    number: int = Field(sa_column_kwargs=commented("item"))
    user_id: str = Field(foreign_key="user.id", index=True, sa_column_kwargs=commented("judge"))
    consent_id: UUID | None = Field(
        None,
        foreign_key="consent.id",
        sa_column_kwargs=commented("consent of the judge that the answer is recorded under; null: a program"),
    )
    position: int = Field(sa_column_kwargs=commented("0-based position of the item in the order of this judge"))
    is_swapped: bool = Field(sa_column_kwargs=commented("true: the second clip was shown left; of a rating: false"))
    answer: str = Field(
        sa_column=Column(
            String,
            nullable=False,
            comment="left, right or equal, as shown; cannot_tell; skip: no answer; or rating: `rating` has it",
        )
    )
    rating: float | None = Field(None, sa_column_kwargs=commented("rating on the scale of the set; null: none"))
    reaction_ms: int = Field(
        sa_column_kwargs=commented("milliseconds from the first paint of the clips to the answer, browser clock")
    )
    n_plays: int = Field(sa_column_kwargs=commented("number of times that the clips were played to their end"))
    build: str = Field(sa_column_kwargs=commented("version and commit of the server that took the answer"))
    time_created: datetime = Field(sa_column=database_time_column("time of the answer, database clock"))
    time_retracted: datetime | None = Field(
        None, sa_column=timestamp_column("time at which the judge undid it, database clock; null: valid", nullable=True)
    )
