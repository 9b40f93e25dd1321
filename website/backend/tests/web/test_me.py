"""What one has played, and an end to it: on a real server, with a game that runs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.wire.close_codes import CloseCode
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, issue_ticket, open_player, running_arcade, sign_in, wait_until_uploaded
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def running() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="0.5") as arcade:
        yield arcade


async def summary(url: str, token: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        return await client.get("/me/summary")


async def erase(url: str, token: str, word: str = "erase") -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        return await client.post("/me/erasure", json={"word": word})


async def rows_with(home: Path, *words: str) -> list[str]:
    """Rows of any table, tombstones apart, in which one of these words stands."""
    settings = Settings.model_validate({"skill_arcade_home": home})
    found = []
    async with open_engine(settings) as engine, transaction(engine) as connection:
        for table in Table.metadata.sorted_tables:
            if table.name != "erasure":
                rows = [str(row) for row in await connection.execute(text(f'SELECT * FROM "{table.name}"'))]
                found += [f"{table.name}: {row}" for row in rows if any(word in row for word in words)]
    return found


async def test_nothing_is_left_of_who_is_erased_in_the_middle_of_a_game(running: Arcade) -> None:
    email = "gone@example.org"
    token = await sign_in(running.url, email)
    async with open_player(running, "stays@example.org", "breakout") as other:
        await other.send("start")
        await other.read_until_frame(30)
        await other.send("leave")
        kept = (await other.read_until("ended"))["episode"]
    async with open_player(running, email, "breakout") as player:
        await player.send("start")
        await player.read_until_frame(120)
        spare = await issue_ticket(running.url, token, "breakout")
        erasing = asyncio.create_task(erase(running.url, token))
        ended = await player.read_until("ended")
        answer = await erasing
    assert ended["reason"] == "left"
    assert (answer.status_code, answer.json()["finished"]) == (200, True), answer.text
    await wait_until_uploaded(running)
    assert await rows_with(running.home, email, ended["episode"]) == []
    assert await rows_with(running.home, kept) != []
    keys = [key async for key in DiskObjects(running.home / "objects").list("")]
    assert keys
    assert all(kept in key for key in keys)
    assert not (running.home / "objects" / "episodes" / ended["episode"]).exists()
    # Its tokens and tickets are refused, in words; who signs in again finds nothing.
    refused = await summary(running.url, token)
    assert (refused.status_code, refused.json()["message"]) == (
        401,
        "This account is not here any more; sign in again.",
    )
    async with connect(f"ws://127.0.0.1:{running.port}/ws/breakout?token={spare}") as socket:
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.BAD_TICKET
    again = await sign_in(running.url, email)
    assert (await summary(running.url, again)).json()["episodes"] == 0
    assert (await summary(running.url, token)).status_code == 401


async def test_a_click_alone_erases_nothing(arcade: Visitor) -> None:
    mine = await arcade.sign_in()
    answer = await arcade.http.post("/me/erasure", json={"word": "yes"}, headers=mine)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("Nothing was erased")
    assert (await arcade.http.get("/auth/me", headers=mine)).status_code == 200


async def test_what_was_played_is_counted_by_game(arcade: Visitor) -> None:
    mine = await arcade.sign_in()
    assert (await arcade.http.get("/me/summary", headers=mine)).json()["games"] == []
    insert = text(
        "INSERT INTO episode (id, user_id, game_id, seed, score, n_steps, status, time_created, time_ended) "
        "SELECT gen_random_uuid(), id, :game, 7, :score, 60, 'won', '2026-01-01T00:00Z', '2026-01-01T00:01:30Z' "
        'FROM "user" RETURNING id'
    )
    certify = text(
        "INSERT INTO certificate (episode_id, result, reason, n_steps, seconds) VALUES (:id, 'certified', '', 60, 1)"
    )
    async with arcade.state.engine.begin() as connection:
        for game, score, certified in (("pong", 3, True), ("pong", 9, False), ("frozen-lake", 1, False)):
            id_ = (await connection.execute(insert, {"game": game, "score": score})).scalar_one()
            if certified:
                await connection.execute(certify, {"id": id_})
    found = (await arcade.http.get("/me/summary", headers=mine)).json()
    assert {key: found[key] for key in found if key != "games"} == {
        "episodes": 3,
        "certified": 1,
        "won": 3,
        "steps": 180,
        "seconds": 270.0,
    }
    games = {game["game_id"]: game for game in found["games"]}
    assert games["pong"]["best"] == 3
    assert games["frozen-lake"]["best"] is None
    assert (games["pong"]["episodes"], games["pong"]["game_name"], games["pong"]["seconds"]) == (2, "Pong", 180.0)
