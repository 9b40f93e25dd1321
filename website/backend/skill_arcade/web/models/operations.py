"""Models of the page's configuration and of health checks."""

from typing import Literal

from pydantic import Field

from skill_arcade.web.models.base import ResponseModel


class PageConfig(ResponseModel):
    """Configuration that the page loads first, so that one build works in every deployment."""

    apiUrl: str | None = Field(description="origin of the API and the play socket; null if it is the page's own")
    release: str


class Liveness(ResponseModel):
    """The server process responds."""

    status: Literal["alive"]


class ComponentStatus(ResponseModel):
    """Status of a component that playing needs."""

    name: Literal["database", "objects", "journal"]
    ready: bool
    message: str


class UploadAges(ResponseModel):
    """Delays of the uploads and of the game loop."""

    oldest_pending_seconds: float = Field(
        description="age of the oldest segment that waits for upload; 0 if none waits"
    )
    last_upload_seconds: float | None = Field(description="time since the last upload; null if there was none yet")
    tick_lateness_seconds: float = Field(description="greatest lateness of a tick in the last report of all games")
    journal_free_bytes: int = Field(description="free bytes on the journal's disk; 0 if it is full or unusable")


class Readiness(ResponseModel):
    """Whether new games can be played and recorded."""

    ready: bool
    parts: list[ComponentStatus]
    ages: UploadAges
