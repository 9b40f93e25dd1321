"""Games that nobody plays, and the share of one client address, over real sockets (rules O12 to O14)."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from skill_arcade.play.connections.player_activity import ActivityLimits, PlayerActivity
from skill_arcade.wire.close_codes import CloseCode
from tests.support.arcade import NO_TLS, Player
from tests.support.consent import ensure_consent
from tests.support.database import temporary_home
from tests.support.server import ServerUnderTest

pytestmark = pytest.mark.anyio
GAME = "tower-of-hanoi"
N_GAMES, N_SOCKETS = 8, 10


@pytest.fixture(scope="module")
def server() -> Iterator[ServerUnderTest]:
    limits = {"MAX_IDLE_SECONDS": "6", "MAX_INACTIVE_SECONDS": "3", "RESUME_SECONDS": "4"}
    shares = {"MAX_GAMES": f"{N_GAMES}", "MAX_ADDRESS_PERCENT": "50", "RATE_LIMIT_BURST": "500"}
    with temporary_home() as home:
        running = ServerUnderTest(home, {**limits, **shares, "LOG_LEVEL": "INFO"})
        running.start()
        yield running
        running.stop()


@asynccontextmanager
async def opened(server: ServerUnderTest, name: str, address: str) -> AsyncIterator[Player]:
    """Connect a player from a loopback address, and send `hello` without waiting for the answer."""
    transport = httpx.AsyncHTTPTransport(local_address=address, verify=NO_TLS)
    async with httpx.AsyncClient(base_url=server.url, transport=transport, timeout=60) as client:
        token = (await client.post("/auth/login", json={"email": f"{name}@example.org"})).json()["token"]
        headers = {"authorization": f"Bearer {token}"}
        await ensure_consent(client, headers)
        ticket = (await client.post("/play/tickets", json={"game_id": GAME}, headers=headers)).json()["ticket"]
    url = f"ws://127.0.0.1:{server.port}/ws/{GAME}?token={ticket}"
    async with connect(url, compression=None, open_timeout=60, local_addr=(address, 0)) as socket:
        yield Player(socket)


async def read_close(player: Player) -> tuple[int, str]:
    """Read until the connection is closed; return code and reason."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(30):
            while True:
                await player.read()
    return player.socket.close_code or 0, player.socket.close_reason or ""


async def test_O14_idle_sockets_of_one_address_leave_games_for_others(server: ServerUnderTest) -> None:
    async with AsyncExitStack() as stack:
        outcomes = []
        for number in range(N_SOCKETS):
            player = await stack.enter_async_context(opened(server, f"idle{number}", "127.0.0.2"))
            with suppress(ConnectionClosed):
                await player.hello()
            outcomes.append(player.socket.close_code or 0)
            if outcomes[-1]:
                assert "Too many games from your IP address: at most 4" in (player.socket.close_reason or "")
        # Those that came first may have been released for idleness meanwhile, so there may be more than 4.
        assert 4 <= outcomes.count(0) < N_SOCKETS
        assert set(outcomes) <= {0, CloseCode.SERVER_FULL}
        async with opened(server, "guest", "127.0.0.3") as player:
            await player.hello()
            await player.send("start")
            await player.read_until_frame(0)


async def test_O12_ready_and_ended_game_is_closed_with_idle(server: ServerUnderTest) -> None:
    async with opened(server, "ready", "127.0.0.4") as ready, opened(server, "ended", "127.0.0.4") as ended:
        await ready.hello()
        await ended.hello()
        await ended.send("start")
        await ended.read_until_frame(0)
        await ended.send("leave")
        started_at = time.monotonic()
        for player in (ready, ended):
            code, reason = await read_close(player)
            assert code == CloseCode.IDLE
            assert reason == "You have not played for 6 s, so your game was closed. Open the game again."
        assert time.monotonic() - started_at < 15


async def test_O13_inactive_episode_is_closed_and_can_be_resumed(server: ServerUnderTest) -> None:
    async with opened(server, "away", "127.0.0.5") as player:
        await player.hello()
        await player.send("start")
        episode = (await player.read_until("started"))["episode"]
        code, reason = await read_close(player)
        assert code == CloseCode.IDLE
        assert "Open it again now to continue" in reason
    async with opened(server, "away", "127.0.0.5") as player:
        welcome = await player.hello()
        assert (welcome["phase"], welcome["episode"]) == ("paused", episode)
        await player.send("resume")
        for _ in range(3):
            await player.tap("pole-1")
            await asyncio.sleep(1)
        await player.tap("pole-2")
        assert [message["type"] for message in player.messages].count("ended") == 0
        assert (await read_close(player))[0] == CloseCode.IDLE
    async with opened(server, "away", "127.0.0.5") as player:  # and now without a sign of life
        assert (await player.hello())["episode"] == episode
        code, reason = await read_close(player)
        assert (code, reason[:24]) == (CloseCode.IDLE, "You have not played for ")
        # The record ends although nobody leaves: another connection gets a new game.
    async with opened(server, "away", "127.0.0.5") as player:
        assert (await player.hello())["phase"] == "ready"


def test_player_activity_counts_input_but_no_pings_and_no_reconnects() -> None:
    activity = PlayerActivity(ActivityLimits(10, 100, 5), now=0)
    activity.on_client_text(b'{"type":"ping","id":1}', 9)
    activity.on_client_text(b'{"type":"input","control":"left"}', 9)  # without an episode it does nothing
    assert activity.is_unused(11)
    activity.on_server_text(b'{"type":"started","episode":"x"}', 20)
    assert activity.limit_seconds == 100
    activity.on_client_text(b'{"at": 1, "type": "input"}', 50)
    activity.on_server_text(b'{"type":"welcome","protocol":1,"game":"x","phase":"paused"}', 149)
    activity.on_server_text(b'{"type":"started","episode":"x"}', 149)
    assert not activity.is_unused(150)
    assert activity.is_unused(151)
    activity.on_client_text(b'{"type":"ticks","inputs":[]}', 151)
    assert activity.is_unused(151)
    activity.on_client_text(b'{"type":"ticks","inputs":[{"step":1}]}', 151)
    assert not activity.is_unused(152)
    activity.on_client_text(b'{"type":"act","action":1}', 200)
    assert not activity.is_unused(300)
    activity.on_server_text(b'{"type":"ended","episode":"x"}', 360)
    assert not activity.is_unused(369)
    assert activity.is_unused(371)
