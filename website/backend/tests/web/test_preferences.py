"""Preferences are stored with the account."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio
PREFERENCES: dict[str, Any] = {
    "keys": {"pong": {"up": ["KeyI"], "down": ["KeyK", "ArrowDown"]}},
    "hand": "left",
    "haptics": False,
    "sound": True,
    "volume": 35,
    "gauge": False,
    "favourites": ["pong"],
    "options": {"pong": {"difficulty": "1"}},
}


async def test_preferences_are_stored_per_user(arcade: Visitor) -> None:
    ada, eva = await arcade.sign_in("ada@example.org"), await arcade.sign_in("eva@example.org")
    assert (await arcade.http.get("/me/preferences", headers=ada)).json() is None
    for preferences in ({**PREFERENCES, "favourites": []}, PREFERENCES):
        assert (await arcade.http.put("/me/preferences", json=preferences, headers=ada)).status_code == 200
    elsewhere = await arcade.sign_in("ada@example.org")
    assert (await arcade.http.get("/me/preferences", headers=elsewhere)).json() == PREFERENCES
    assert (await arcade.http.get("/me/preferences", headers=eva)).json() is None
    assert (await arcade.http.get("/me/preferences")).status_code == 401


async def test_preferences_of_other_version_are_completed(arcade: Visitor) -> None:
    headers = await arcade.sign_in()
    await arcade.http.put("/me/preferences", json=PREFERENCES, headers=headers)
    async with arcade.state.engine.begin() as connection:
        change = "UPDATE preference SET settings = settings - 'sound' || '{\"of-tomorrow\": 1}'"
        await connection.execute(text(change))
    assert (await arcade.http.get("/me/preferences", headers=headers)).json() == {**PREFERENCES, "sound": False}


@pytest.mark.parametrize(
    "invalid", [{"hand": "third"}, {"keys": {"pong": {"up": ["K" * 41]}}}, {"more": 1}, {"volume": 101}]
)
async def test_preferences_reject_invalid_values(arcade: Visitor, invalid: dict[str, Any]) -> None:
    answer = await arcade.http.put("/me/preferences", json=PREFERENCES | invalid, headers=await arcade.sign_in())
    assert answer.status_code == 422


@pytest.mark.parametrize("changed", [{"favourites": ["po\0ng"]}, {"options": {"\0": {"mode": "1"}}}])
async def test_preferences_reject_nul_characters(arcade: Visitor, changed: dict[str, Any]) -> None:
    headers = await arcade.sign_in()
    assert (
        await arcade.http.put("/me/preferences", json={**PREFERENCES, **changed}, headers=headers)
    ).status_code == 422
