"""A user's totals, and the erasure of the account on a real server during a game."""

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
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="0.5", CERTIFIER="false") as arcade:
        yield arcade


async def summary(url: str, token: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        return await client.get("/me/summary")


async def erase(url: str, token: str, word: str = "erase") -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        return await client.post("/me/erasure", json={"word": word})


async def rows_with(home: Path, *texts: str) -> list[str]:
    """Return rows of any table except `erasure` that contain one of `texts`."""
    settings = Settings.model_validate({"skill_arcade_home": home})
    totals = []
    async with open_engine(settings) as engine, transaction(engine) as connection:
        for table in Table.metadata.sorted_tables:
            if table.name != "erasure":
                rows = [str(row) for row in await connection.execute(text(f'SELECT * FROM "{table.name}"'))]
                totals += [f"{table.name}: {row}" for row in rows if any(text_ in row for text_ in texts)]
    return totals


async def test_erase_account_during_game_removes_all_data(running: Arcade) -> None:
    email = "gone@example.org"
    token = await sign_in(running.url, email)
    async with open_player(running, "stays@example.org", "breakout") as other:
        await other.send("start")
        await other.read_until_frame(30)
        await other.send("leave")
        kept_episode = (await other.read_until("ended"))["episode"]
    async with open_player(running, email, "breakout") as player:
        await player.send("start")
        await player.read_until_frame(120)
        unused_ticket = await issue_ticket(running.url, token, "breakout")
        erasing = asyncio.create_task(erase(running.url, token))
        ended = await player.read_until("ended")
        answer = await erasing
    assert ended["reason"] == "left"
    assert (answer.status_code, answer.json()["finished"]) == (200, True), answer.text
    await wait_until_uploaded(running)
    assert await rows_with(running.home, email, ended["episode"]) == []
    assert await rows_with(running.home, kept_episode) != []
    keys = [key async for key in DiskObjects(running.home / "objects").list("episodes/")]
    assert keys
    assert all(kept_episode in key for key in keys)
    assert not list((running.home / "objects").rglob(ended["episode"]))
    # Its tokens and tickets are rejected; the same address signs in as a user without episodes.
    rejected = await summary(running.url, token)
    assert (rejected.status_code, rejected.json()["error"]) == (401, "NotSignedIn")
    async with connect(f"ws://127.0.0.1:{running.port}/ws/breakout?token={unused_ticket}") as socket:
        with pytest.raises(ConnectionClosedError) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.BAD_TICKET
    new_token = await sign_in(running.url, email)
    assert (await summary(running.url, new_token)).json()["episodes"] == 0
    assert (await summary(running.url, token)).status_code == 401


async def test_erase_account_requires_confirmation_word(arcade: Visitor) -> None:
    headers_of_user = await arcade.sign_in()
    answer = await arcade.http.post("/me/erasure", json={"word": "yes"}, headers=headers_of_user)
    assert answer.status_code == 422
    assert answer.json()["error"] == "InvalidRequest"
    assert (await arcade.http.get("/auth/me", headers=headers_of_user)).status_code == 200


async def test_summary_counts_episodes_by_game(arcade: Visitor) -> None:
    headers_of_user = await arcade.sign_in()
    assert (await arcade.http.get("/me/summary", headers=headers_of_user)).json()["games"] == []
    insert = text(
        "INSERT INTO episode (id, user_id, game_id, seed, score, n_steps, status, time_created, time_ended) "
        "SELECT gen_random_uuid(), id, :game, 7, :score, 60, 'won', '2026-01-01T00:00Z', '2026-01-01T00:01:30Z' "
        'FROM "user" WHERE NOT is_synthetic RETURNING id'
    )
    certify = text(
        "INSERT INTO certificate (episode_id, result, reason, n_steps, seconds) VALUES (:id, 'certified', '', 60, 1)"
    )
    async with arcade.state.engine.begin() as connection:
        for game, score, certified in (("pong", 3, True), ("pong", 9, False), ("frozen-lake", 1, False)):
            id_ = (await connection.execute(insert, {"game": game, "score": score})).scalar_one()
            if certified:
                await connection.execute(certify, {"id": id_})
    totals = (await arcade.http.get("/me/summary", headers=headers_of_user)).json()
    assert {key: totals[key] for key in totals if key != "games"} == {
        "episodes": 3,
        "certified": 1,
        "won": 3,
        "steps": 180,
        "seconds": 270.0,
    }
    games = {game["game_id"]: game for game in totals["games"]}
    assert games["pong"]["best"] == 3
    assert games["frozen-lake"]["best"] is None
    assert (games["pong"]["episodes"], games["pong"]["game_name"], games["pong"]["seconds"]) == (2, "Pong", 180.0)
