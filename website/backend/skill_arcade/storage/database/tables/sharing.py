"""Tables of shared links and notes."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from skill_arcade.storage.database.tables.base import Table, commented, database_time_column, timestamp_column


class Share(Table, table=True):
    """A link by which anyone who has it can watch one episode, until the player revokes it."""

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("random id, by which the player revokes the link"))
    episode_id: UUID = Field(foreign_key="episode.id", index=True, sa_column_kwargs=commented("episode"))
    user_id: str = Field(foreign_key="user.id", index=True, sa_column_kwargs=commented("player, who made the link"))
    token_sha256: str = Field(
        unique=True, sa_column_kwargs=commented("SHA-256 of the token in the link, hexadecimal; the token is not kept")
    )
    time_created: datetime = Field(sa_column=database_time_column("time of the request, database clock"))
    time_revoked: datetime | None = Field(
        None, sa_column=timestamp_column("time of the revocation, database clock; null: valid", nullable=True)
    )


class Note(Table, table=True):
    """A tag or text on steps of an episode, by its player or a researcher; retracted, never deleted."""

    id: UUID = Field(primary_key=True, sa_column_kwargs=commented("random id"))
    episode_id: UUID = Field(foreign_key="episode.id", index=True, sa_column_kwargs=commented("episode"))
    user_id: str = Field(foreign_key="user.id", index=True, sa_column_kwargs=commented("author"))
    author_role: str = Field(
        sa_column_kwargs=commented("player: the author played the episode; researcher: somebody else did")
    )
    step_from: int = Field(sa_column_kwargs=commented("first step of the range; step i is the row of observation i"))
    step_to: int = Field(sa_column_kwargs=commented("step after the range, at most n_steps + 1"))
    tag: str | None = Field(None, sa_column_kwargs=commented("tag of the vocabulary; null: none"))
    vocabulary: int = Field(sa_column_kwargs=commented("version of the vocabulary that the author chose from"))
    text: str = Field(sa_column_kwargs=commented("free text; may be empty if there is a tag"))
    time_created: datetime = Field(sa_column=database_time_column("time of the note, database clock"))
    time_retracted: datetime | None = Field(
        None, sa_column=timestamp_column("time of the retraction, database clock; null: valid", nullable=True)
    )
