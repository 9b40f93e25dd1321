"""How a player likes to play is kept with the account."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio
LIKES: dict[str, Any] = {
    "keys": {"pong": {"up": ["KeyI"], "down": ["KeyK", "ArrowDown"]}},
    "hand": "left",
    "haptics": False,
    "sound": True,
    "volume": 35,
    "gauge": False,
    "favourites": ["pong"],
    "options": {"pong": {"difficulty": "1"}},
}


async def test_preferences_follow_the_player_and_nobody_else(arcade: Visitor) -> None:
    ada, eva = await arcade.sign_in("ada@example.org"), await arcade.sign_in("eva@example.org")
    assert (await arcade.http.get("/me/preferences", headers=ada)).json() is None
    for likes in ({**LIKES, "favourites": []}, LIKES):
        assert (await arcade.http.put("/me/preferences", json=likes, headers=ada)).status_code == 200
    elsewhere = await arcade.sign_in("ada@example.org")
    assert (await arcade.http.get("/me/preferences", headers=elsewhere)).json() == LIKES
    assert (await arcade.http.get("/me/preferences", headers=eva)).json() is None
    assert (await arcade.http.get("/me/preferences")).status_code == 401


async def test_preferences_of_another_version_are_read_as_far_as_they_are_known(arcade: Visitor) -> None:
    mine = await arcade.sign_in()
    await arcade.http.put("/me/preferences", json=LIKES, headers=mine)
    async with arcade.state.engine.begin() as connection:
        change = "UPDATE preference SET settings = settings - 'sound' || '{\"of-tomorrow\": 1}'"
        await connection.execute(text(change))
    assert (await arcade.http.get("/me/preferences", headers=mine)).json() == {**LIKES, "sound": False}


@pytest.mark.parametrize(
    "wrong", [{"hand": "third"}, {"keys": {"pong": {"up": ["K" * 41]}}}, {"more": 1}, {"volume": 101}]
)
async def test_preferences_that_do_not_fit_are_422(arcade: Visitor, wrong: dict[str, Any]) -> None:
    answer = await arcade.http.put("/me/preferences", json=LIKES | wrong, headers=await arcade.sign_in())
    assert answer.status_code == 422


@pytest.mark.parametrize("changed", [{"favourites": ["po\0ng"]}, {"options": {"\0": {"mode": "1"}}}])
async def test_a_character_that_the_database_can_not_keep_is_422(arcade: Visitor, changed: dict[str, Any]) -> None:
    mine = await arcade.sign_in()
    assert (await arcade.http.put("/me/preferences", json={**LIKES, **changed}, headers=mine)).status_code == 422
