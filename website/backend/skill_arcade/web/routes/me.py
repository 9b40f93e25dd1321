"""Routes for the user's own totals, and for the erasure of the account."""

import asyncio

from fastapi import APIRouter

from skill_arcade.errors import InvalidRequest
from skill_arcade.storage.database.erasures import get_erasure
from skill_arcade.storage.database.played_games import count_played
from skill_arcade.web.current_user import UserId
from skill_arcade.web.models.accounts import ErasureRequest, ErasureResult
from skill_arcade.web.models.episodes import GameSummary, PlaySummary
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState, State

router = APIRouter(prefix="/me", tags=["me"])

CONFIRMATION_WORD = "erase"
MAX_POLLS, POLL_SECONDS = 40, 0.25


@router.get("/summary", responses=problem_answers(401, 503))
async def read_summary(user_id: UserId, state: State) -> PlaySummary:
    """Return the user's totals."""
    async with request_transaction(state.engine) as connection:
        rows = await count_played(connection, user_id)
    return PlaySummary(
        episodes=sum(row.episodes for row in rows),
        certified=sum(row.certified for row in rows),
        won=sum(row.won for row in rows),
        steps=sum(row.steps for row in rows),
        seconds=sum(row.seconds for row in rows),
        games=[GameSummary.model_validate(row) for row in rows],
    )


@router.post("/erasure", responses=problem_answers(401, 422, 503))
async def erase_account(body: ErasureRequest, user_id: UserId, state: State) -> ErasureResult:
    """Erase the account and everything that was recorded of it. All of its tokens become invalid.

    A running game is ended first. The response is sent when everything is erased, or after ten seconds; the rest is
    then erased in the background, also after a restart of this server. Recordings that a researcher has exported
    already are not affected. With `id_token`, the Firebase account of the token is deleted too.
    """
    if body.word.strip().lower() != CONFIRMATION_WORD:
        raise InvalidRequest(
            f"Nothing was erased. To erase your account and all recordings, type {CONFIRMATION_WORD!r}."
        )
    account = await state.firebase.read_account(body.id_token) if state.firebase and body.id_token else None
    await state.leases.end_game(user_id)
    await state.users.close_account(user_id)
    await state.leases.end_game(user_id)  # another tab may have started one in between
    # Last, because a user without a Firebase account could not sign in again to repeat what has failed.
    is_deleted = account is not None and state.firebase is not None and await state.firebase.delete_account(account.uid)
    for _ in range(MAX_POLLS):
        result = await _poll_erasure(state, user_id, sign_in_deleted=is_deleted)
        if result.finished:
            break
        await asyncio.sleep(POLL_SECONDS)
    return result


async def _poll_erasure(state: AppState, user_id: str, *, sign_in_deleted: bool) -> ErasureResult:
    async with request_transaction(state.engine) as connection:
        erasure = await get_erasure(connection, user_id)
    assert erasure is not None
    counts = erasure.games.values()
    return ErasureResult(
        finished=erasure.time_erased is not None,
        episodes=sum(count["episodes"] for count in counts),
        steps=sum(count["steps"] for count in counts),
        sign_in_deleted=sign_in_deleted,
    )
