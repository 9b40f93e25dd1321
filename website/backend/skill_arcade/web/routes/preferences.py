"""Routes for the user's preferences."""

from fastapi import APIRouter

from skill_arcade.storage.database.preferences import get_preferences, put_preferences
from skill_arcade.web.current_user import UserId
from skill_arcade.web.models.accounts import Preferences
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import State

router = APIRouter(tags=["play"])
DEFAULT_PREFERENCES = Preferences(
    keys={}, hand="right", haptics=True, sound=False, volume=70, gauge=True, favourites=[], options={}
)


@router.get("/me/preferences", responses=problem_answers(401, 503))
async def read_my_preferences(user_id: UserId, state: State) -> Preferences | None:
    """Return the user's preferences, or null if none are stored."""
    async with request_transaction(state.engine) as connection:
        stored = await get_preferences(connection, user_id)
    if stored is None:
        return None
    # Preferences stored by an earlier version may lack a field, and those of a later one may have more.
    known = {name: value for name, value in stored.items() if name in Preferences.model_fields}
    return Preferences.model_validate({**DEFAULT_PREFERENCES.model_dump(), **known})


@router.put("/me/preferences", responses=problem_answers(401, 422, 503))
async def replace_my_preferences(body: Preferences, user_id: UserId, state: State) -> Preferences:
    """Replace the user's preferences."""
    await state.users.check_known(user_id)
    async with request_transaction(state.engine) as connection:
        await put_preferences(connection, user_id, body.model_dump())
    return body
