"""What one needs to play, and what one has played."""

from typing import Annotated

from fastapi import APIRouter, Query

from skill_arcade.errors import NotReady
from skill_arcade.web.bearer import UserId
from skill_arcade.web.models import PlayedEpisode, Ticket, TicketRequest
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.state import State

router = APIRouter(tags=["play"])


@router.post("/play/tickets", responses=problem_answers(401, 404, 422))
async def issue_ticket(body: TicketRequest, user_id: UserId, state: State) -> Ticket:
    """Issue a ticket that opens one socket of this game within 60 seconds."""
    issued = state.tokens.issue_ticket(user_id, body.game_id)
    return Ticket(ticket=issued.token, expires_at=issued.expires_at)


@router.get("/me/episodes", responses=problem_answers(401, 422, 503))
async def list_my_episodes(user_id: UserId, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[PlayedEpisode]:
    """List the player's own episodes, newest first."""
    raise NotReady("Episodes are not connected yet.")
