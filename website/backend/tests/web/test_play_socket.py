"""The play socket: `hello`, timeouts, cooldowns, and reconnects at the moment at which a game ends."""

import select
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.types import ASGIApp
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from skill_arcade.play.assignment import GameAssignment
from skill_arcade.play.connections.game_connection import ClientQueue, GameConnection
from skill_arcade.settings import Settings
from skill_arcade.web import play_socket
from skill_arcade.web.app import create_app
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.messages import Hello
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, Player, issue_ticket, running_arcade, sign_in, ticket_subprotocols
from tests.support.asgi_client import HELLO, calling
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
PATH = "/ws/frozen-lake"


@pytest.fixture(scope="module")
def running() -> Iterator[Arcade]:
    """A server as a process of its own."""
    with temporary_home() as home, running_arcade(home, CERTIFIER="false") as arcade:
        yield arcade


@pytest.mark.parametrize("in_query", [False, True], ids=["subprotocol", "query of the previous release"])
async def test_O16_ticket_opens_one_connection_and_protocol_is_selected(running: Arcade, in_query: bool) -> None:
    email = "ada@example.org" if in_query else "bob@example.org"
    ticket = await issue_ticket(running.url, await sign_in(running.url, email), "frozen-lake")
    address = f"ws://127.0.0.1:{running.port}{PATH}" + (f"?token={ticket}" if in_query else "")
    offered = None if in_query else ticket_subprotocols(ticket)
    async with connect(address, subprotocols=offered) as connection:
        assert connection.subprotocol == (None if in_query else "skill-arcade")
        await Player(connection).hello()
    async with connect(address, subprotocols=offered) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.BAD_TICKET


@pytest.fixture
def app(settings: Settings) -> ASGIApp:
    return create_app(settings)


@pytest.fixture
async def arcade(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    """An arcade whose games wait 0.5 s for a reconnect."""
    async with open_arcade(settings.model_copy(update={"resume_seconds": 0.5})) as visitor:
        yield visitor
        await visitor.state.sessions.stop()


async def ticket_query(arcade: Visitor, headers: dict[str, str]) -> str:
    answer = await arcade.http.post("/play/tickets", json={"game_id": "frozen-lake"}, headers=headers)
    return f"token={answer.raise_for_status().json()['ticket']}"


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ("nonsense", CloseCode.BAD_MESSAGE),
        ({"type": "start", "at": 1.0}, CloseCode.BAD_MESSAGE),
        ({**HELLO, "protocol": 2}, CloseCode.BAD_MESSAGE),
        ("x" * 70_000, CloseCode.TOO_BIG),
    ],
    ids=["nonsense", "start", "another-protocol", "huge"],
)
async def test_O1_O7_invalid_hello_starts_no_game_and_begins_cooldown(
    arcade: Visitor, app: ASGIApp, first: dict[str, object] | str, code: CloseCode
) -> None:
    headers = await arcade.sign_in()
    unused_ticket = await ticket_query(arcade, headers)
    async with calling(arcade, app, PATH, await ticket_query(arcade, headers)) as connection:
        connection.say(first)
        assert (await connection.closed)[0] == code
    assert arcade.state.sessions.n_games == 0
    answer = await arcade.http.post("/play/tickets", json={"game_id": "frozen-lake"}, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert answer.json()["error"] == "TooManyRequests"
    async with calling(arcade, app, PATH, unused_ticket) as connection:
        assert (await connection.closed)[0] == CloseCode.RATE_LIMITED


async def test_F4_rate_limit_of_frames_begins_cooldown_of_5_s(arcade: Visitor, app: ASGIApp) -> None:
    headers = await arcade.sign_in()
    async with calling(arcade, app, PATH, await ticket_query(arcade, headers)) as connection:
        connection.hang_up(CloseCode.RATE_LIMITED)  # as the protocol layer reports it
        await connection.closed
    answer = await arcade.http.post("/play/tickets", json={"game_id": "frozen-lake"}, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")


async def test_O1_hello_timeout_closes_with_too_slow_and_starts_no_game(
    arcade: Visitor, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play_socket, "HELLO_TIMEOUT_SECONDS", 0.0)
    async with calling(arcade, app, PATH, await ticket_query(arcade, await arcade.sign_in())) as connection:
        assert (await connection.closed)[0] == CloseCode.TOO_SLOW
    assert arcade.state.sessions.n_games == 0


async def test_O1_disconnect_before_hello_starts_no_game(arcade: Visitor, app: ASGIApp) -> None:
    async with calling(arcade, app, PATH, await ticket_query(arcade, await arcade.sign_in())) as connection:
        connection.hang_up()
    assert arcade.state.sessions.n_games == 0


async def test_O6_reconnect_while_game_times_out_gets_new_game(
    arcade: Visitor, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = await arcade.sign_in()
    async with calling(arcade, app, PATH, await ticket_query(arcade, headers)) as connection:
        connection.say(HELLO)
        await connection.until("welcome")
        [first_game] = arcade.state.sessions._connections.values()
    attach, was_closed = GameConnection.attach, []

    def attach_late(game_connection: GameConnection, hello: Hello) -> ClientQueue:
        """Attach after the game has ended, but before the server has processed that."""
        if game_connection is first_game:
            assert first_game._transport is not None
            ended = select.poll()
            ended.register(
                first_game._transport.get_extra_info("socket").fileno(), 0
            )  # reports only that the other end is closed
            assert ended.poll(20_000)
            was_closed.append(game_connection.closed.done())
        return attach(game_connection, hello)

    monkeypatch.setattr(GameConnection, "attach", attach_late)
    async with calling(arcade, app, PATH, await ticket_query(arcade, headers)) as connection:
        connection.say(HELLO)
        connection.say({"type": "start", "at": 2.0})  # before `welcome`, but it must not be lost
        assert (await connection.until("welcome"))["phase"] == "ready"
        await connection.until("started")
        [second_game] = arcade.state.sessions._connections.values()
        assert was_closed == [False]
        assert second_game is not first_game
        assert not connection.closed.done()


async def test_game_crash_at_start_is_not_retried(
    arcade: Visitor, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    open_connection = arcade.state.sessions._open_connection

    async def open_and_kill(assignment: GameAssignment, address: str) -> GameConnection:
        game_connection = await open_connection(assignment, address)
        opened.append(game_connection)
        game_connection.slot.process.kill()
        return game_connection

    monkeypatch.setattr(arcade.state.sessions, "_open_connection", open_and_kill)
    async with calling(arcade, app, PATH, await ticket_query(arcade, await arcade.sign_in())) as connection:
        connection.say(HELLO)
        assert (await connection.closed)[0] == CloseCode.GAME_CRASHED
    assert len(opened) == 1


async def test_O11_newer_connection_closes_one_before_hello(arcade: Visitor, app: ASGIApp) -> None:
    headers = await arcade.sign_in()
    first, second = await ticket_query(arcade, headers), await ticket_query(arcade, headers)
    async with calling(arcade, app, PATH, first) as older, calling(arcade, app, PATH, second) as newer:
        assert (await older.closed)[0] == CloseCode.TAKEN_OVER
        newer.say(HELLO)
        assert (await newer.until("welcome"))["phase"] == "ready"
