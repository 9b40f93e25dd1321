"""Models of play tickets."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field

from skill_arcade.web.models.base import RequestModel, ResponseModel


class BranchRequest(RequestModel):
    """A frame of a recorded episode from which a new episode begins."""

    episode: UUID
    frame: int = Field(ge=0, lt=2**31, description="number of the frame, as the replay counts them")


class TicketRequest(RequestModel):
    """Request a play ticket for a game."""

    model_config = ConfigDict(
        json_schema_extra=lambda schema: schema["required"].extend(
            ("ghost", "branch", "is_preparation", "agent", "share_token", "agent_version")
        )
    )
    game_id: str = Field(max_length=100)
    ghost: UUID | None = Field(None, description="episode of this game to race, which the user may see")
    branch: BranchRequest | None = Field(None, description="frame to play from, of an episode that the user may see")
    is_preparation: bool = Field(
        False,
        description="only repeat the steps up to the frame of `branch`, so that a ticket to play from it finds them "
        "done; refused if the player has a game or few places are left",
    )
    agent: str | None = Field(
        None, max_length=100, description="agent that plays until the person takes over, of those that the game lists"
    )
    share_token: str | None = Field(
        None, max_length=100, description="token of a link that shares the episode to race or to play from"
    )
    agent_version: int | None = Field(
        None, ge=1, lt=2**31, description="number of the version of the user's own agent that plays; null: no agent"
    )


class WatchSocket(ResponseModel):
    """Where a game can be watched."""

    socket: str | None = Field(description="origin of the socket, as ws or wss; null: that of the request")


class Ticket(ResponseModel):
    """A ticket that opens one play socket of one game."""

    ticket: str
    expires_at: datetime
    socket: str | None = Field(
        description="origin of the play socket to connect to, as ws or wss; null: that of this request"
    )
