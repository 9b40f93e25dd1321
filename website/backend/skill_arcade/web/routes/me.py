"""The player's own page: what they have played in all, and an end to it."""

import asyncio

from fastapi import APIRouter

from skill_arcade.errors import InvalidRequest
from skill_arcade.storage.database.erasures import get_erasure
from skill_arcade.storage.database.played import count_played
from skill_arcade.web.bearer import UserId
from skill_arcade.web.database import asking
from skill_arcade.web.models import Erased, ErasureRequest, MyGame, Summary
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.state import AppState, State

router = APIRouter(prefix="/me", tags=["me"])

WORD = "erase"
LOOKS, LOOK_SECONDS = 40, 0.25


@router.get("/summary", responses=problem_answers(401, 503))
async def read_summary(user_id: UserId, state: State) -> Summary:
    """Count what the player has played."""
    async with asking(state.engine) as connection:
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
async def erase_account(body: ErasureRequest, user_id: UserId, state: State) -> Erased:
    """Erase the player's account and all that was recorded of it, for good. Every token of theirs ends with it.

    A running game is ended first. The answer comes when all is gone, or after ten seconds; then the rest is erased
    by itself, whatever happens to this server. Recordings that a researcher has exported by then are not reached.
    """
    if body.word.strip().lower() != WORD:
        raise InvalidRequest(f"Nothing was erased: to erase your account and all you played, type {WORD!r}.")
    await state.roster.end_game(user_id)
    await state.people.close_account(user_id)
    await state.roster.end_game(user_id)  # another tab may have begun one in between
    for _ in range(LOOKS):
        answer = await _look(state, user_id)
        if answer.finished:
            break
        await asyncio.sleep(LOOK_SECONDS)
    return answer


async def _look(state: AppState, user_id: str) -> Erased:
    async with asking(state.engine) as connection:
        stone = await get_erasure(connection, user_id)
    assert stone is not None
    counts = stone.games.values()
    return Erased(
        finished=stone.time_erased is not None,
        episodes=sum(count["episodes"] for count in counts),
        steps=sum(count["steps"] for count in counts),
    )
