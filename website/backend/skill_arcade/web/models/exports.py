"""Models of exports and their progress."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from skill_arcade.export.formats import FormatName
from skill_arcade.web.models.base import RequestModel, ResponseModel
from skill_arcade.wire.messages import NO_NUL


class OwnExportRequest(RequestModel):
    """Request an export of the user's own episodes."""

    format: FormatName


class ExportRequest(RequestModel):
    """Request an export of ended episodes of all players, for researchers."""

    format: FormatName
    games: list[Annotated[str, Field(max_length=100, pattern=NO_NUL)]] = Field(
        max_length=500, description="ids of games; empty for all"
    )
    certified: bool = Field(description="only episodes that are certified")
    min_steps: int = Field(ge=0, le=1_000_000_000, description="minimum number of steps of an episode")
    since: date | None = Field(description="first day on which episodes started, UTC")
    until: date | None = Field(description="last day on which episodes started, UTC")


class ExportTicket(ResponseModel):
    """An export. Anyone who has its URL can download it until it expires."""

    address: str = Field(description="path from which to download a ZIP")
    is_prepared: bool = Field(
        description="true: a job makes the ZIP, which can be downloaded when the state of its progress is `ready`; "
        "false: it is made while it is downloaded"
    )
    progress: str = Field(description="path from which to read the progress")
    episodes: int
    steps: int
    players: int
    expires_at: datetime


class ExportProgress(ResponseModel):
    """Progress of a download. The state is `unknown` if another server may be generating it.

    With a job it is `waiting` until the job runs, and `ready` when the ZIP can be downloaded.
    """

    state: Literal["unknown", "waiting", "making", "ready", "done", "failed"]
    episodes: int = Field(description="episodes that are written")
    of: int = Field(description="episodes in total")
    bytes: int = Field(description="bytes that were sent, or that a job has written")
    message: str = Field(
        description="why the export failed or, if it is done or ready, which episodes were left out; otherwise empty"
    )


class PlayedGame(ResponseModel):
    """Totals of the ended episodes of a game, of all players."""

    game_id: str
    game_name: str
    episodes: int
    players: int
    steps: int
    hours: float
    certified: int = Field(description="number of certified episodes")
