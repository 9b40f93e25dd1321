"""Routes for play tickets and for the user's own episodes."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from skill_arcade.agents.catalogue import find_agent
from skill_arcade.errors import InGame, InvalidRequest, TooManyGames
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.storage.database.queries import EpisodeListItem, list_episodes
from skill_arcade.web.branches import check_branch
from skill_arcade.web.current_user import CurrentUser, UserId
from skill_arcade.web.ghost_access import check_ghost
from skill_arcade.web.models.episodes import PlayedEpisode
from skill_arcade.web.models.play import Ticket, TicketRequest
from skill_arcade.web.placement import margin
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.games import find_game
from skill_arcade.web.state import AppState, State
from skill_arcade.web.viewer import Viewer

router = APIRouter(tags=["play"])


@router.post("/play/tickets", responses=problem_answers(401, 403, 404, 409, 410, 422, 429, 503))
async def issue_ticket(body: TicketRequest, user: CurrentUser, state: State) -> Ticket:
    """Issue a ticket that opens one connection to this game within 60 s.

    It is to play, to race a ghost, to play from a frame, or to let an agent play until one takes over.

    The user must have answered the consent document before.
    """
    find_game(state, body.game_id)
    if body.agent is not None:
        check_agent(body, state.catalogue.games[body.game_id])
    state.cooldowns.check(user.user_id)
    state.tickets.check(user.user_id)
    await state.consents.check_play(user.user_id)
    if body.agent_version is not None:
        await state.agents.check(user, body.agent_version, state.catalogue.current_id(body.game_id))
    viewer, branch = Viewer(user, body.share_token), None
    if body.ghost is not None and body.branch is not None:
        raise InvalidRequest("A round that begins at a recorded frame has no ghost. Leave out ghost or branch.")
    if body.ghost is not None:
        async with request_transaction(state.engine) as connection:
            await check_ghost(connection, body.ghost, state.catalogue, body.game_id, viewer)
    if body.branch is not None:
        branch = body.branch.episode, body.branch.frame
        async with request_transaction(state.engine) as connection:
            await check_branch(connection, state, *branch, body.game_id, viewer)
    if body.is_preparation:
        await check_preparation(body, user.user_id, state)
    issued = state.tokens.issue_ticket(
        user.user_id,
        body.game_id,
        ghost=body.ghost,
        branch=branch,
        agent=body.agent,
        agent_version=body.agent_version,
        is_preparation=body.is_preparation,
    )
    socket = await state.placement.find_socket(user.user_id)
    return Ticket(ticket=issued.token, expires_at=issued.expires_at, socket=socket)


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
    return [_describe_episode(state.catalogue, episode) for episode in episodes]


def check_agent(body: TicketRequest, game: Manifest) -> None:
    """Check that the agent of a request can play this game beside a person.

    Raises:
        NotFound: there is no such agent.
        InvalidRequest: it does not play the game, or the request names a ghost or a branch.
    """
    assert body.agent is not None
    find_agent(body.agent, game)
    if body.ghost is not None or body.branch is not None:
        raise InvalidRequest("A round that an agent plays has no ghost, and begins at its start. Leave them out.")


async def check_preparation(body: TicketRequest, user_id: str, state: AppState) -> None:
    """Check that a game may be prepared (rule O40).

    Raises:
        InvalidRequest: the request names no branch.
        InGame: the player has a game, here or on another server.
        TooManyGames: the places that are left are for those who play.
    """
    if body.branch is None:
        raise InvalidRequest("Only a round that begins at a recorded frame can be prepared. Name its branch.")
    if state.sessions.is_in_game(user_id) or await state.leases.is_elsewhere(user_id):
        raise InGame("You have a game that runs, so none is prepared.")
    if state.sessions.n_games >= state.settings.max_games - margin(state.settings.max_games):
        raise TooManyGames("Few places are left, so no game is prepared.")


def _describe_episode(catalogue: Catalogue, item: EpisodeListItem) -> PlayedEpisode:
    """Describe an episode with the game and options that it counts for today."""
    game_id, options = catalogue.resolve(item.game_id, item.options)
    current = catalogue.games.get(game_id)
    name = item.game_name if current is None else current.name
    return PlayedEpisode.model_validate(replace(item, game_id=game_id, game_name=name, options=options))
