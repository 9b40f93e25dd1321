"""The player's own page: what they have played in all, and an end to it."""

import asyncio

from fastapi import APIRouter

from skill_arcade.errors import InvalidRequest
from skill_arcade.storage.database.erasures import get_erasure
from skill_arcade.storage.database.played_games import count_played
from skill_arcade.web.current_user import UserId
from skill_arcade.web.models import ErasureRequest, ErasureResult, MyGame, Summary
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState, State

router = APIRouter(prefix="/me", tags=["me"])

CONFIRMATION_WORD = "erase"
LOOKS, LOOK_SECONDS = 40, 0.25


@router.get("/summary", responses=problem_answers(401, 503))
async def read_summary(user_id: UserId, state: State) -> Summary:
    """Count what the player has played."""
    async with request_transaction(state.engine) as connection:
        rows = await count_played(connection, user_id)
    return Summary(
        episodes=sum(row.episodes for row in rows),
        certified=sum(row.certified for row in rows),
        won=sum(row.won for row in rows),
        steps=sum(row.steps for row in rows),
        seconds=sum(row.seconds for row in rows),
        games=[MyGame.model_validate(row) for row in rows],
    )


@router.post("/erasure", responses=problem_answers(401, 422, 503))
async def erase_account(body: ErasureRequest, user_id: UserId, state: State) -> ErasureResult:
    """Erase the player's account and all that was recorded of it, for good. Every token of theirs ends with it.

    A running game is ended first. The answer comes when all is gone, or after ten seconds; then the rest is erased
    by itself, whatever happens to this server. Recordings that a researcher has exported by then are not reached.
    """
    if body.word.strip().lower() != CONFIRMATION_WORD:
        raise InvalidRequest(
            f"Nothing was erased: to erase your account and all you played, type {CONFIRMATION_WORD!r}."
        )
    await state.sessions.end_game(user_id)
    await state.users.close_account(user_id)
    await state.sessions.end_game(user_id)  # another tab may have begun one in between
    for _ in range(LOOKS):
        answer = await _poll_erasure(state, user_id)
        if answer.finished:
            break
        await asyncio.sleep(LOOK_SECONDS)
    return answer


async def _poll_erasure(state: AppState, user_id: str) -> ErasureResult:
    async with request_transaction(state.engine) as connection:
        stone = await get_erasure(connection, user_id)
    assert stone is not None
    counts = stone.games.values()
    return ErasureResult(
        finished=stone.time_erased is not None,
        episodes=sum(count["episodes"] for count in counts),
        steps=sum(count["steps"] for count in counts),
    )
