"""Routes for play tickets and for the user's own episodes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from skill_arcade.storage.database.queries import list_episodes
from skill_arcade.web.current_user import UserId
from skill_arcade.web.models import PlayedEpisode, Ticket, TicketRequest
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.games import find_game
from skill_arcade.web.state import State

router = APIRouter(tags=["play"])


@router.post("/play/tickets", responses=problem_answers(401, 404, 422, 429, 503))
async def issue_ticket(body: TicketRequest, user_id: UserId, state: State) -> Ticket:
    """Issue a ticket that opens one connection to this game within 60 s."""
    find_game(state, body.game_id)
    state.cooldowns.check(user_id)
    state.tickets.check(user_id)
    issued = state.tokens.issue_ticket(user_id, body.game_id)
    return Ticket(ticket=issued.token, expires_at=issued.expires_at)


@router.get("/me/episodes", responses=problem_answers(401, 422, 503))
async def list_my_episodes(
    user_id: UserId,
    state: State,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[UUID | None, Query(description="return episodes older than this one")] = None,
) -> list[PlayedEpisode]:
    """List the user's own episodes, newest first. A running episode appears within seconds."""
    async with request_transaction(state.engine) as connection:
        episodes = await list_episodes(connection, user=user_id, before=before, limit=limit)
    return [PlayedEpisode.model_validate(episode) for episode in episodes]
