"""Models of shared links and notes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from skill_arcade.web.models.base import RequestModel, ResponseModel
from skill_arcade.wire.messages import NO_NUL


class ShareLink(ResponseModel):
    """A link that shares an episode."""

    id: UUID
    time_created: datetime
    time_revoked: datetime | None = Field(description="null: the link is valid")


class NewShareLink(ShareLink):
    """A new link. Its token is shown once, because the server keeps only a hash of it."""

    token: str = Field(description="sent by viewers as the header Share-Token")
    address: str = Field(description="path of the page that previews the replay and opens it")


class NoteRequest(RequestModel):
    """A note on steps of an episode: a tag, a text, or both."""

    step_from: int = Field(ge=0, le=2**31 - 2, description="first step; step i is the row of observation i")
    step_to: int = Field(ge=1, le=2**31 - 1, description="step after the last one, at most n_steps + 1")
    tag: Annotated[str, Field(max_length=40, pattern=NO_NUL)] | None
    text: Annotated[str, Field(max_length=2000, pattern=NO_NUL)]


class NoteItem(ResponseModel):
    """A note on steps of an episode."""

    id: UUID
    is_own: bool = Field(description="the user wrote it")
    author_role: Literal["player", "researcher"]
    step_from: int
    step_to: int
    tag: str | None
    vocabulary: int = Field(description="version of the vocabulary that the tag is from")
    text: str
    time_created: datetime
    time_retracted: datetime | None = Field(description="null: the note is valid")


class NoteTag(ResponseModel):
    """A tag of the vocabulary."""

    name: str
    meaning: str


class Notes(ResponseModel):
    """The notes on an episode that the user may read, and the tags for new ones."""

    vocabulary: int
    tags: list[NoteTag]
    notes: list[NoteItem]
