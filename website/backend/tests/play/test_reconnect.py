"""Disconnects, reconnects and takeovers, and a graceful shutdown, over a real socket (rules O6, O8, O11 and F5)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import skill_arcade.dataset as sa
from skill_arcade.play.connections.game_connection import HAND_OVER_REASON, SHUTDOWN_REASON
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, Player, issue_ticket, open_player, running_arcade, sign_in, wait_until_uploaded
from tests.support.server import ServerUnderTest

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    settings = {"SEGMENT_SECONDS": "1", "RESUME_SECONDS": "5", "CERTIFIER": "false"}
    with temporary_home() as home, running_arcade(home, None, **settings) as running:
        yield running


@pytest.fixture(autouse=True)
def _arcade_home(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))


async def read_until_closed(player: Player) -> tuple[int, str]:
    """Read until the connection is closed; return code and reason."""
    while True:
        try:
            await player.read()
        except ConnectionClosed:
            return player.socket.close_code or 0, player.socket.close_reason or ""


@asynccontextmanager
async def connected_player(arcade: Arcade, token: str, game: str = "breakout") -> AsyncIterator[Player]:
    """Connect a signed-in player, without sending anything."""
    ticket = await issue_ticket(arcade.url, token, game)
    async with connect(
        f"ws://127.0.0.1:{arcade.port}/ws/{game}?token={ticket}", compression=None, close_timeout=1
    ) as socket:
        yield Player(socket, keep_pictures=False)


@contextmanager
def closing_server(server: ServerUnderTest) -> Iterator[ServerUnderTest]:
    """Start a server, and stop it at the end if it still runs."""
    server.start()
    try:
        yield server
    finally:
        if server.running.poll() is None:
            server.stop()


async def test_O6_reconnect_resumes_paused_episode_and_records_the_gap(arcade: Arcade) -> None:
    token = await sign_in(arcade.url, "cut@example.org")
    async with connected_player(arcade, token) as player:
        await player.hello()
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        await player.read_until_frame(30)
        player.socket.transport.abort()  # lose the connection without a close frame
    async with connected_player(arcade, token) as player:
        welcome = await player.hello()
        assert (welcome["phase"], welcome["episode"]) == ("paused", episode)
        assert (await player.read_until("started"))["episode"] == episode
        paused_at = (await player.read_until_frame(30)).frame
        await player.send("resume")
        await player.read_until("resumed")
        assert (await player.read_until_frame(paused_at + 1)).frame == paused_at + 1
        await player.read_until_frame(paused_at + 30)
        await player.send("leave")
        ended = await player.read_until("ended")
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        recorded = dataset.episode(UUID(episode))
        assert len(recorded.actions) == ended["n_steps"]
        kinds = [event.kind for event in recorded.events]
        connection_events = [kind for kind in kinds if kind in ("detach", "attach", "resume")]
        assert connection_events[:3] == ["detach", "attach", "resume"]


async def test_last_messages_before_disconnect_are_processed(arcade: Arcade) -> None:
    barrier = asyncio.Barrier(16)

    async def leave_and_disconnect(number: int) -> str:
        async with open_player(arcade, f"haste{number}@example.org", "breakout") as player:
            await player.send("start")
            episode = str((await player.read_until("started"))["episode"])
            await player.read_until_frame(5)
            await barrier.wait()
            for index in range(number):
                await player.send("ping", id=index, previous=None)
            await player.send("leave")
        return episode

    episodes = await asyncio.gather(*(leave_and_disconnect(number) for number in range(16)))
    await wait_until_uploaded(arcade)
    with sa.open() as dataset:
        for id_ in episodes:
            assert dataset.episode(UUID(id_)).end_reason == "left"


async def test_O11_reconnect_in_another_tab_takes_over(arcade: Arcade) -> None:
    token = await sign_in(arcade.url, "tabs@example.org")
    async with connected_player(arcade, token) as first, connected_player(arcade, token) as second:
        # The second connection was accepted last, so it wins.
        assert (await read_until_closed(first))[0] == CloseCode.TAKEN_OVER
        assert (await second.hello())["phase"] == "ready"
        await second.send("start")
        episode = (await second.read_until("started"))["episode"]
        await second.read_until_frame(10)
        async with connected_player(arcade, token) as third:
            welcome = await third.hello()  # before `hello` the other connection stays open
            assert (await read_until_closed(second))[0] == CloseCode.TAKEN_OVER
            assert (welcome["phase"], welcome["episode"]) == ("paused", episode)


async def test_O11_last_of_a_burst_of_connections_wins(arcade: Arcade) -> None:
    token = await sign_in(arcade.url, "twins@example.org")
    tickets = [await issue_ticket(arcade.url, token, "breakout") for _ in range(8)]
    players = []
    for ticket in tickets:
        address = f"ws://127.0.0.1:{arcade.port}/ws/breakout?token={ticket}"
        players.append(Player(await connect(address, compression=None, close_timeout=1), keep_pictures=False))
    codes = await asyncio.gather(*(read_until_closed(player) for player in players[:-1]))
    assert [code for code, _ in codes] == [CloseCode.TAKEN_OVER] * 7
    assert (await players[-1].hello())["phase"] == "ready"
    await players[-1].socket.close()


async def test_O6_reconnect_timeout_ends_episode_as_incomplete(arcade: Arcade) -> None:
    async with open_player(arcade, "gone@example.org", "breakout") as player:
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        seen = (await player.read_until_frame(40)).frame
    async with asyncio.timeout(30):
        while (arcade.home / "journal" / episode).exists():
            await asyncio.sleep(0.1)
    with sa.open() as dataset:
        recorded = dataset.episode(UUID(episode))
        assert (recorded.status, recorded.end_reason) == ("incomplete", "disconnected")
        assert len(recorded.actions) >= seen


async def test_O11_connection_for_another_game_ends_the_first_as_left(arcade: Arcade) -> None:
    token = await sign_in(arcade.url, "both@example.org")
    async with connected_player(arcade, token) as first:
        await first.hello()
        await first.send("start")
        await first.read_until_frame(5)
        async with connected_player(arcade, token, "tower-of-hanoi") as second:
            assert (await second.hello())["phase"] == "ready"
        assert (await first.read_until("ended"))["reason"] == "left"
        assert (await read_until_closed(first))[0] == CloseCode.NORMAL


async def test_O30_restart_of_the_only_server_continues_the_game_and_stops_within_10_s() -> None:
    with temporary_home() as home, closing_server(ServerUnderTest(home)) as server:
        async with open_player(server, "last@example.org", "breakout") as player:
            player.keep_pictures = False
            await player.send("start")
            episode = UUID((await player.read_until("started"))["episode"])
            await player.read_until_frame(60)
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            assert await read_until_closed(player) == (CloseCode.RESTARTING, HAND_OVER_REASON)
            seen = player.packets[-1].frame
        assert player.messages[-1] == {"type": "notice", "text": HAND_OVER_REASON}
        assert await stopping < 10
        assert server.files(".open", ".sealed", ".new", "") == []
        await asyncio.to_thread(server.start)
        async with open_player(server, "last@example.org", "breakout") as player:
            assert UUID((await player.read_until("started"))["episode"]) == episode
            assert (await player.read_until_frame(0)).frame >= seen
            await player.send("leave")
            ended = await player.read_until("ended")
        await server.wait_until_uploaded()
        [report] = await server.check({episode: ended["n_steps"]})
        assert (report.stored, report.lost, report.duplicated, report.problems) == (ended["n_steps"], 0, 0, [])


async def test_F5_graceful_shutdown_ends_a_daily_challenge_and_says_so() -> None:
    with temporary_home() as home, closing_server(ServerUnderTest(home, {"DAILY_GAMES": "breakout"})) as server:
        token = await sign_in(server.url, "daily@example.org")
        async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as client:
            answer = await client.post("/challenges/tickets", json={"day": datetime.now(UTC).date().isoformat()})
        ticket = answer.raise_for_status().json()["ticket"]
        address = f"ws://127.0.0.1:{server.port}/ws/breakout?token={ticket}"
        async with connect(address, compression=None, close_timeout=1) as socket:
            player = Player(socket, keep_pictures=False)
            await player.hello()
            await player.send("start")
            await player.read_until_frame(30)
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            assert await read_until_closed(player) == (CloseCode.RESTARTING, REASONS[CloseCode.RESTARTING])
            notice, ended = player.messages[-2:]
            assert notice == {"type": "notice", "text": SHUTDOWN_REASON}
            assert (ended["type"], ended["status"], ended["reason"]) == ("ended", "incomplete", "server-stopped")
        assert await stopping < 10
