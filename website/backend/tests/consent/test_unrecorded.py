"""A player who declines plays, and nothing of it is anywhere: journal, database, objects, home folder."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError

from skill_arcade.consent.documents import SCOPES
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.tables import Table
from skill_arcade.wire.close_codes import CloseCode
from tests.conftest import temporary_home
from tests.support.arcade import (
    Arcade,
    Player,
    issue_ticket,
    open_player,
    running_arcade,
    sign_in,
    ticket_subprotocols,
    wait_until_uploaded,
)
from tests.support.consent import give_consent
from tests.support.lockstep_page import EMPTY_MODULE

pytestmark = pytest.mark.anyio
GAME = "breakout"


@pytest.fixture(scope="module")
def running() -> Iterator[Arcade]:
    with temporary_home() as home:
        (home / "lockstep.wasm").write_bytes(EMPTY_MODULE)
        with running_arcade(home, SEGMENT_SECONDS="0.2", LOCKSTEP_FOLDER=str(home)) as arcade:
            yield arcade


async def sign_in_with(arcade: Arcade, email: str, *scopes: str) -> str:
    token = await sign_in(arcade.url, email, consents=False)
    async with httpx.AsyncClient(base_url=arcade.url, timeout=60) as client:
        answer = await give_consent(client, {"authorization": f"Bearer {token}"}, scopes)
        assert answer.status_code == 200, answer.text
    return token


async def play(arcade: Arcade, token: str, mode: str) -> tuple[dict[str, object], str]:
    """Play for a moment; return `welcome` and the id that the episode would have."""
    ticket = await issue_ticket(arcade.url, token, GAME)
    url = f"ws://127.0.0.1:{arcade.port}/ws/{GAME}"
    async with connect(url, subprotocols=ticket_subprotocols(ticket), compression=None, open_timeout=60) as socket:
        player = Player(socket)
        welcome = await player.hello()
        await player.send("start", mode=mode)
        started = await player.read_until("started")
        assert (started["lockstep"] is not None) is (mode == "lockstep")
        if mode == "streamed":
            await player.press("fire")
            await player.read_until_frame(40)  # several segments, if there were any
        await player.send("pause")
        await player.send("resume")
        await player.send("leave")
        await player.read_until("ended")
        return welcome, str(started["episode"])


async def find_traces(home: Path, *needles: str) -> list[str]:
    """Return files of the home folder and rows of the database that have one of these texts."""
    found = []
    settings = Settings.model_validate({"skill_arcade_home": home})
    async with open_engine(settings) as engine, transaction(engine) as connection:
        for table in Table.metadata.sorted_tables:
            rows = [str(row) for row in await connection.execute(text(f'SELECT * FROM "{table.name}"'))]
            found += [table.name for row in rows if any(needle in row for needle in needles)]
    for path in home.rglob("*"):
        in_name = any(needle in str(path) for needle in needles)
        if in_name or (path.is_file() and any(needle.encode() in path.read_bytes() for needle in needles)):
            found.append(str(path))
    return [name for name in found if "postgres" not in name]


@pytest.mark.parametrize("mode", ["streamed", "lockstep"])
async def test_R22_declined_game_leaves_no_trace(running: Arcade, mode: str) -> None:
    token = await sign_in_with(running, f"{mode}@example.org")
    welcome, episode = await play(running, token, mode)
    assert (welcome["recorded"], welcome["watchable"]) == (False, False)
    # A recorded game after it shows that the uploader has had its turn, and that the search finds what is there.
    allowed = await sign_in_with(running, f"{mode}-allowed@example.org", "research")
    recorded_welcome, recorded = await play(running, allowed, "streamed")
    assert (recorded_welcome["recorded"], recorded_welcome["watchable"]) == (True, False)
    await wait_until_uploaded(running)
    assert await find_traces(running.home, episode) == []
    assert "episode" in await find_traces(running.home, recorded)


async def test_R21_episode_of_a_consenting_player_names_its_consent(running: Arcade) -> None:
    token = await sign_in_with(running, "names@example.org", "boards")
    _, episode = await play(running, token, "streamed")
    await wait_until_uploaded(running)
    settings = Settings.model_validate({"skill_arcade_home": running.home})
    async with open_engine(settings) as engine, transaction(engine) as connection:
        query = "SELECT c.scopes, c.build FROM episode e JOIN consent c ON c.id = e.consent_id WHERE e.id = :id"
        row = (await connection.execute(text(query), {"id": episode})).one()
    assert row.scopes == ["boards"]


async def test_watching_without_the_scope_boards_is_refused(running: Arcade) -> None:
    token = await sign_in_with(running, "shy@example.org", "research")
    ticket = await issue_ticket(running.url, token, GAME)
    url = f"ws://127.0.0.1:{running.port}/ws/{GAME}"
    async with connect(url, subprotocols=ticket_subprotocols(ticket), compression=None, open_timeout=60) as socket:
        player = Player(socket)
        await player.hello()
        await player.send("watch", allowed=True)
        with pytest.raises(ConnectionClosedError) as closed:
            await player.read_until("watchable")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.BAD_MESSAGE


async def test_withdrawal_during_a_game_ends_and_erases_it(running: Arcade) -> None:
    email = "withdraws@example.org"
    async with open_player(running, email, GAME) as player:
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        await player.read_until_frame(30)
        token = await sign_in(running.url, email, consents=False)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=running.url, headers=headers, timeout=60) as client:
            answer = await client.post("/me/consent/withdrawal", json={"scopes": SCOPES})
            assert answer.json()["withdrawable"] == []
        with pytest.raises(ConnectionClosed):
            await player.read_until("never")
    async with asyncio.timeout(60):
        while await find_traces(running.home, episode):
            await asyncio.sleep(0.2)
    assert "user" in await find_traces(running.home, email)  # the account stays
