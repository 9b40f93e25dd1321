"""Tickets name the server to connect to: full ones are left out, dead ones too, and a game's player is sent to it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import URL
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from skill_arcade.client import ArcadeEnv
from skill_arcade.storage.database.servers import PlacedServer
from skill_arcade.web import sleeping_servers
from skill_arcade.web.placement import choose_server, is_allowed, margin
from skill_arcade.web.sleeping_servers import SleepingServers
from tests.support.arcade import Player, issue_placed_ticket, sign_in, ticket_subprotocols
from tests.support.database import fresh_database
from tests.support.server import ServerUnderTest
from tests.support.server_pair import ADDRESSED, kill_machine, running_servers, socket_origin

pytestmark = pytest.mark.anyio
LOST_SECONDS = 6
MAX_GAMES = 3
"""Of each server; one is the margin."""
GAME = "breakout"
Pair = list[ServerUnderTest]


@pytest.fixture
def pair(postgres: URL) -> Iterator[Pair]:
    """Two servers with addresses, on one database."""
    settings = {"SERVER_LOST_SECONDS": str(LOST_SECONDS), "MAX_GAMES": str(MAX_GAMES), "RESUME_SECONDS": "30"}
    with fresh_database(postgres) as url, running_servers(url, 2, **ADDRESSED, **settings) as servers:
        yield servers


async def request_ticket(server: ServerUnderTest, email: str) -> tuple[str, str | None]:
    """Return a ticket of a server, and the origin that it names."""
    return await issue_placed_ticket(server.url, await sign_in(server.url, email), GAME)


@asynccontextmanager
async def open_placed_player(server: ServerUnderTest, email: str) -> AsyncIterator[str]:
    """Play as a page of `server` does: connect to the origin that the ticket names. Yield it."""
    ticket, origin = await request_ticket(server, email)
    assert origin is not None
    address, protocols = f"{origin}/ws/{GAME}", ticket_subprotocols(ticket)
    async with connect(
        address, subprotocols=protocols, origin=Origin(server.url), compression=None, open_timeout=60, close_timeout=1
    ) as socket:
        await Player(socket).hello()
        yield origin


def new_email() -> str:
    """Return the address of a player who has never played."""
    return f"{uuid4().hex}@example.org"


async def test_O39_players_fill_one_server_after_the_other(pair: Pair) -> None:
    one, two = pair
    first, second = socket_origin(one), socket_origin(two)
    emails = [new_email() for _ in range(2 * MAX_GAMES)]
    async with AsyncExitStack() as stack:
        origins = [await stack.enter_async_context(open_placed_player(two, email)) for email in emails]
        # Two on each, and then the games that both have kept free.
        assert origins == [first, first, second, second, first, second]
        # All are full: each server names itself, and refuses.
        assert [(await request_ticket(server, new_email()))[1] for server in pair] == [first, second]
        # A player is sent to their game, although the server is full.
        assert [(await request_ticket(one, email))[1] for email in emails] == origins


async def test_O39_dead_server_is_named_for_half_of_the_time_at_most(pair: Pair) -> None:
    one, two = pair
    email = new_email()
    async with open_placed_player(two, email) as origin:
        assert origin == socket_origin(one)
        kill_machine(one)
    await asyncio.sleep(LOST_SECONDS / 2)
    assert [(await request_ticket(two, person))[1] for person in (email, new_email())] == [socket_origin(two)] * 2


async def test_O39_server_that_stops_is_not_named_from_sigterm_on(pair: Pair) -> None:
    one, two = pair
    email = new_email()
    async with open_placed_player(two, email) as origin:
        assert origin == socket_origin(one)
        one.running.terminate()
        async with asyncio.timeout(10):
            while (await request_ticket(two, email))[1] != socket_origin(two):
                assert one.running.poll() is None, "the server has stopped, and was named until then"
        await asyncio.to_thread(one.running.wait, 60)
    assert (await request_ticket(two, new_email()))[1] == socket_origin(two)


async def test_nearly_full_server_wakes_the_one_that_sleeps(pair: Pair) -> None:
    one, two = pair
    await asyncio.to_thread(two.stop)
    woken = asyncio.Event()

    async def start(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Do as a platform that starts a server with the first request."""
        writer.close()
        listener.close()
        woken.set()

    listener = await asyncio.start_server(start, "127.0.0.1", two.port)
    async with open_placed_player(one, new_email()) as origin:
        assert (origin, woken.is_set()) == (socket_origin(one), False)
        await request_ticket(one, new_email())  # one place is left besides the margin of one
        async with asyncio.timeout(10):
            await woken.wait()
        await asyncio.to_thread(two.start)
        async with open_placed_player(one, new_email()) as second, open_placed_player(one, new_email()) as third:
            assert [second, third] == [socket_origin(one), socket_origin(two)]


async def test_sleeping_servers_are_asked_in_turn_and_only_if_places_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(sleeping_servers, "_request_health", asked.append)
    now = 0.0
    origins = ("wss://*.example.org", "wss://8-64", "wss://a", "wss://b")
    sleeping = SleepingServers(origins, margin, lambda: now)

    async def asked_after(seconds: float, *servers: PlacedServer) -> list[str]:
        nonlocal now
        now += seconds
        asked.clear()
        sleeping.wake_if_few_places(servers)
        await sleeping.stop()
        return list(asked)

    assert await asked_after(0, placed(47)) == []
    assert await asked_after(0, placed(47), placed(60)) == []
    assert await asked_after(0, placed(48)) == ["wss://8-64"]  # 8 places besides the margin of 8
    assert await asked_after(sleeping_servers.WAKE_SECONDS - 1, placed(48)) == []
    assert await asked_after(1, placed(60), placed(50)) == ["wss://a"]
    assert await asked_after(sleeping_servers.WAKE_SECONDS, placed(60)) == ["wss://b"]
    assert await asked_after(sleeping_servers.WAKE_SECONDS, placed(60)) == ["wss://8-64"]
    assert await asked_after(sleeping_servers.WAKE_SECONDS) == ["wss://a"]  # none gives signs of life
    assert await asked_after(sleeping_servers.WAKE_SECONDS, placed(8), placed(60)) == []


async def test_server_that_cannot_be_woken_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    sleeping = SleepingServers(["ws://127.0.0.1:9"], margin)  # nobody listens
    sleeping.wake_if_few_places([placed(60)])
    await sleeping.stop()
    assert "does not answer yet" in caplog.text


async def test_O39_programs_and_pages_may_connect_to_the_named_server(pair: Pair) -> None:
    one, two = pair
    async with httpx.AsyncClient() as client:
        policy = (await client.get(f"{two.url}/health")).headers["content-security-policy"]
        assert f"connect-src 'self' {socket_origin(two)} {socket_origin(one)};" in policy
    with pytest.raises(InvalidStatus):
        await connect(f"{socket_origin(one)}/ws/{GAME}", origin=Origin("https://elsewhere.example"))
    env = await asyncio.to_thread(ArcadeEnv, two.url, GAME, name="placed")
    try:
        await asyncio.to_thread(env.reset)
        assert len(one.games()) > 0
        async with httpx.AsyncClient() as client:
            counts = [(await client.get(f"{server.url}/metrics")).text for server in pair]
        gauges = [line for text in counts for line in text.splitlines() if line.startswith("skill_arcade_games{")]
        assert [line.rpartition(" ")[2] for line in gauges] == ["1", "0"]
    finally:
        await asyncio.to_thread(env.close)


async def read_live(server: ServerUnderTest, agent: str) -> list[dict[str, Any]]:
    """Return the live games of an agent, as the list of agents on a server has them."""
    headers = {"Authorization": f"Bearer {await sign_in(server.url, 'onlooker@example.org')}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as client:
        listed = (await client.get("/players/agents")).raise_for_status().json()
        live: list[dict[str, Any]] = next(found["live"] for found in listed if found["name"] == agent)
        if live:  # its page has them too, unless a sign of life came in between
            assert (await client.get(f"/players/agents/{agent}")).raise_for_status().json()["live"] in (live, [])
    return live


async def find_watch_socket(server: ServerUnderTest, token: str) -> str | None:
    """Ask a server where the game of a link is, as its page does."""
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get(f"/ws/watch/servers/{token.partition('.')[0]}")
    found: str | None = answer.raise_for_status().json()["socket"]
    return found


async def watch(page: ServerUnderTest, origin: str, token: str) -> str:
    """Watch a game from the page of a server, and return its name after a frame has come."""
    protocols = [Subprotocol("skill-arcade"), Subprotocol(f"watch.{token}")]
    async with connect(f"{origin}/ws/watch/live", subprotocols=protocols, origin=Origin(page.url)) as socket:
        async with asyncio.timeout(20):
            name: str = json.loads(await socket.recv())["name"]
            while not isinstance(await socket.recv(), bytes):
                pass
        return name


async def test_O18_every_server_lists_the_live_games_of_agents_and_leads_to_them(pair: Pair) -> None:
    one, two = pair
    make = partial(ArcadeEnv, two.url, "pong", name="pong-follower", version=1, pace="realtime")
    env = await asyncio.to_thread(make)  # its ticket leads to the first server
    try:
        await asyncio.to_thread(env.reset)
        (live,) = await read_live(one, "pong-follower")
        async with asyncio.timeout(20):
            while (elsewhere := await read_live(two, "pong-follower")) != [live]:
                assert elsewhere == []
                await asyncio.sleep(0.2)
        token = live["watch_token"]
        for page in pair:
            assert await find_watch_socket(page, token) == socket_origin(one)
            assert await watch(page, socket_origin(one), token) == "Pong"
        with pytest.raises(ConnectionClosed):
            await watch(two, socket_origin(two), token)
    finally:
        await asyncio.to_thread(env.close)
    async with asyncio.timeout(20):
        while await read_live(two, "pong-follower"):
            await asyncio.sleep(0.2)


async def test_O18_link_of_a_server_that_is_gone_leads_nowhere_and_its_games_are_not_listed(pair: Pair) -> None:
    one, two = pair
    make = partial(ArcadeEnv, two.url, "pong", name="pong-follower", version=1, pace="realtime")
    env = await asyncio.to_thread(make)
    try:
        await asyncio.to_thread(env.reset)
        async with asyncio.timeout(20):
            while not (live := await read_live(two, "pong-follower")):
                await asyncio.sleep(0.2)
        kill_machine(one)
        async with asyncio.timeout(LOST_SECONDS + 10):
            while await read_live(two, "pong-follower"):
                await asyncio.sleep(0.2)
        assert await find_watch_socket(two, live[0]["watch_token"]) is None
        assert await find_watch_socket(two, str(uuid4())) is None
    finally:
        with suppress(Exception):
            await asyncio.to_thread(env.close)


def placed(games: int, max_games: int = 64, *, has_player: bool = False) -> PlacedServer:
    """Return a server of this many games."""
    return PlacedServer(f"wss://{games}-{max_games}", games, max_games, has_player)


def test_choose_server_prefers_the_owner_then_the_fullest_with_a_margin() -> None:
    assert choose_server([placed(3), placed(9), placed(56)]) == placed(9)
    assert choose_server([placed(3), placed(55), placed(56)]) == placed(55)
    assert choose_server([placed(3), placed(64, has_player=True)]) == placed(64, has_player=True)
    assert choose_server([placed(64), placed(58), placed(57)]) == placed(57)
    assert choose_server([placed(64)]) is None
    assert choose_server([]) is None


def test_margin_is_an_eighth_and_never_the_whole_server() -> None:
    assert [margin(n) for n in (1, 2, 3, 8, 9, 64)] == [0, 1, 1, 1, 2, 8]


@pytest.mark.parametrize(
    ("origin", "is_expected"),
    [
        ("wss://arcade-1.example.org", True),
        ("wss://a.b.example.org", True),
        ("wss://example.org", False),
        ("wss://badexample.org", False),
        ("ws://arcade-1.example.org", False),
        ("wss://arcade-1.example.org:8443", False),
        ("ws://127.0.0.1:8361", True),
        ("ws://127.0.0.1:8362", False),
    ],
)
def test_is_allowed_follows_the_pages_policy(origin: str, *, is_expected: bool) -> None:
    assert is_allowed(origin, ("wss://*.example.org", "ws://127.0.0.1:8361")) is is_expected
