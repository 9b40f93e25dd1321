"""Play tickets, and the list of a user's episodes."""

from uuid import UUID

import pytest
from sqlalchemy import URL, text

from skill_arcade.errors import NotSignedIn
from skill_arcade.ids import new_episode_id
from skill_arcade.settings import Settings
from tests.conftest import execute
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio


async def add_episode(arcade: Visitor, email: str, game: str, unix_ms: int) -> UUID:
    id_ = new_episode_id(unix_ms)
    insert = text(
        "INSERT INTO episode (id, user_id, game_id, seed, score, n_steps, status, time_created) "
        "SELECT :id, id, :game, 7, 12.5, 300, 'won', now() FROM \"user\" WHERE email = :email"
    )
    async with arcade.state.engine.begin() as connection:
        await connection.execute(insert, {"id": id_, "game": game, "email": email})
    return id_


async def test_ticket_is_for_one_user_one_game_and_one_use(arcade: Visitor) -> None:
    headers_of_user = await arcade.sign_in()
    answer = await arcade.http.post("/play/tickets", json={"game_id": "pong"}, headers=headers_of_user)
    assert answer.status_code == 200
    assert set(answer.json()) == {"ticket", "expires_at", "socket"}
    assert answer.json()["socket"] is None
    me = (await arcade.http.get("/auth/me", headers=headers_of_user)).json()
    assert arcade.state.tokens.redeem_ticket(answer.json()["ticket"], "pong").user_id == me["user_id"]
    with pytest.raises(NotSignedIn):
        arcade.state.tokens.redeem_ticket(answer.json()["ticket"], "pong")


async def test_ticket_requires_sign_in_and_known_game(arcade: Visitor) -> None:
    assert (await arcade.http.post("/play/tickets", json={"game_id": "pong"})).status_code == 401
    answer = await arcade.http.post("/play/tickets", json={"game_id": "no-such-game"}, headers=await arcade.sign_in())
    assert answer.status_code == 404
    assert answer.json()["error"] == "NotFound"


async def test_ticket_is_not_a_session_token(arcade: Visitor) -> None:
    headers_of_user = await arcade.sign_in()
    ticket = (await arcade.http.post("/play/tickets", json={"game_id": "pong"}, headers=headers_of_user)).json()
    answer = await arcade.http.get("/me/episodes", headers={"authorization": f"Bearer {ticket['ticket']}"})
    assert answer.status_code == 401


async def test_ticket_for_unknown_user_answers_401(arcade: Visitor, settings: Settings) -> None:
    headers_of_user = await arcade.sign_in()
    async with arcade.state.engine.begin() as connection:
        await connection.execute(text("DELETE FROM consent"))
        await connection.execute(text('DELETE FROM "user" WHERE NOT is_synthetic'))
    # A server that has not cached this user yet.
    async with open_arcade(settings) as restarted:
        body = {"game_id": "pong"}
        answer = await restarted.http.post("/play/tickets", json=body, headers=headers_of_user)
        assert answer.status_code == 401
        assert answer.json()["error"] == "NotSignedIn"
        new_headers = await restarted.sign_in()
        assert (await restarted.http.post("/play/tickets", json=body, headers=new_headers)).status_code == 200


async def test_ticket_for_cached_user_works_without_database(arcade: Visitor, postgres: URL) -> None:
    headers_of_user = await arcade.sign_in()
    await execute(postgres, f'DROP DATABASE "{arcade.state.engine.url.database}" WITH (FORCE)')
    body = {"game_id": "pong"}
    assert (await arcade.http.post("/play/tickets", json=body, headers=headers_of_user)).status_code == 200
    assert (await arcade.http.get("/auth/me", headers=headers_of_user)).status_code == 503
    await execute(postgres, f'CREATE DATABASE "{arcade.state.engine.url.database}"')


async def test_list_episodes_returns_own_newest_first(arcade: Visitor) -> None:
    ada, eva = await arcade.sign_in("ada@example.org"), await arcade.sign_in("eva@example.org")
    first = await add_episode(arcade, "ada@example.org", "pong", 1_000)
    second = await add_episode(arcade, "ada@example.org", "pong", 2_000)
    await add_episode(arcade, "eva@example.org", "pong", 3_000)
    listed = (await arcade.http.get("/me/episodes", headers=ada)).json()
    assert [episode["id"] for episode in listed] == [str(second), str(first)]
    assert listed[0]["game_name"] == "Pong"
    assert (listed[0]["status"], listed[0]["score"], listed[0]["n_steps"]) == ("won", 12.5, 300)
    assert (listed[0]["end_reason"], listed[0]["time_ended"]) == (None, None)
    assert len((await arcade.http.get("/me/episodes", headers=eva)).json()) == 1
    assert (await arcade.http.get("/me/episodes")).status_code == 401


async def test_list_episodes_is_paginated(arcade: Visitor) -> None:
    headers_of_user = await arcade.sign_in()
    episode_ids = [await add_episode(arcade, "ada@example.org", "pong", ms) for ms in range(1, 6)]
    seen: list[str] = []
    address = "/me/episodes?limit=2"
    while page := (await arcade.http.get(address, headers=headers_of_user)).json():
        seen += [episode["id"] for episode in page]
        address = f"/me/episodes?limit=2&before={page[-1]['id']}"
    assert seen == [str(id_) for id_ in reversed(episode_ids)]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "before=x"])
async def test_list_episodes_rejects_invalid_query(arcade: Visitor, query: str) -> None:
    answer = await arcade.http.get(f"/me/episodes?{query}", headers=await arcade.sign_in())
    assert answer.status_code == 422
    assert f"query.{query.split('=', maxsplit=1)[0]}: " in answer.json()["message"]
