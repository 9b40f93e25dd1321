"""Who gets a game by the play socket: nobody who has not said a whole hello, and nobody a game that is over."""

import select
from collections.abc import AsyncIterator

import pytest
from starlette.types import ASGIApp

from skill_arcade.games.manifest import EnvironmentSpec
from skill_arcade.play.connections.game_connection import ClientQueue, GameConnection
from skill_arcade.settings import Settings
from skill_arcade.web import play_socket
from skill_arcade.web.app import create_app
from skill_arcade.wire.close_codes import CloseCode
from tests.support.asgi_client import HELLO, calling
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
PATH = "/ws/frozen-lake"


@pytest.fixture
def app(settings: Settings) -> ASGIApp:
    return create_app(settings)


@pytest.fixture
async def house(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    """An arcade whose games wait for half a second for who dropped out."""
    async with open_arcade(settings.model_copy(update={"resume_seconds": 0.5})) as visitor:
        yield visitor
        await visitor.state.sessions.stop()


async def ticket(arcade: Visitor, headers: dict[str, str]) -> str:
    answer = await arcade.http.post("/play/tickets", json={"game_id": "frozen-lake"}, headers=headers)
    return f"token={answer.raise_for_status().json()['ticket']}"


@pytest.mark.parametrize(
    ("first", "code", "words"),
    [
        ("nonsense", CloseCode.BAD_MESSAGE, "Invalid JSON"),
        ({"type": "start", "at": 1.0}, CloseCode.BAD_MESSAGE, "hello must be the first message, and said once"),
        ({**HELLO, "protocol": 2}, CloseCode.BAD_MESSAGE, "protocol"),
        ("x" * 70_000, CloseCode.TOO_BIG, "too big"),
    ],
    ids=["nonsense", "start", "another-protocol", "huge"],
)
async def test_O1_what_is_no_hello_starts_no_game_and_waits_before_it_comes_again(
    house: Visitor, app: ASGIApp, first: dict[str, object] | str, code: CloseCode, words: str
) -> None:
    mine = await house.sign_in()
    spare = await ticket(house, mine)
    async with calling(house, app, PATH, await ticket(house, mine)) as line:
        line.say(first)
        found, reason = await line.closed
    assert (found, words in reason) == (code, True), reason
    assert house.state.sessions.n_games == 0
    again = await house.http.post("/play/tickets", json={"game_id": "frozen-lake"}, headers=mine)
    assert (again.status_code, again.headers["retry-after"]) == (429, "1")
    assert again.json()["message"] == "Your connection was closed for sending too much; try again in 1 second."
    async with calling(house, app, PATH, spare) as line:
        assert (await line.closed)[0] == CloseCode.RATE_LIMITED


async def test_a_flood_that_was_cut_off_below_the_messages_waits_five_seconds(house: Visitor, app: ASGIApp) -> None:
    mine = await house.sign_in()
    async with calling(house, app, PATH, await ticket(house, mine)) as line:
        line.hang_up(CloseCode.RATE_LIMITED)  # as the protocol below says it
        await line.closed
    again = await house.http.post("/play/tickets", json={"game_id": "frozen-lake"}, headers=mine)
    assert (again.status_code, again.headers["retry-after"]) == (429, "5")


async def test_a_socket_that_says_nothing_has_no_game_and_is_closed_after_a_while(
    house: Visitor, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(play_socket, "HELLO_SECONDS", 0.05)
    async with calling(house, app, PATH, await ticket(house, await house.sign_in())) as line:
        assert (await line.closed)[0] == CloseCode.TOO_SLOW
    assert house.state.sessions.n_games == 0


async def test_a_socket_that_goes_before_its_hello_leaves_nothing(house: Visitor, app: ASGIApp) -> None:
    async with calling(house, app, PATH, await ticket(house, await house.sign_in())) as line:
        line.hang_up()
    assert house.state.sessions.n_games == 0


async def test_O6_who_returns_in_the_very_moment_in_which_the_seat_runs_out_gets_a_new_one(
    house: Visitor, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await house.sign_in()
    async with calling(house, app, PATH, await ticket(house, mine)) as line:
        line.say(HELLO)
        await line.until("welcome")
        [old] = house.state.sessions._connections.values()
    attach, was_gone = GameConnection.attach, []

    def attach_late(game_connection: GameConnection) -> ClientQueue:
        """The game ends between the look at its seat and this; the server, held up here, has not heard of it."""
        if game_connection is old:
            assert old._transport is not None
            ended = select.poll()
            ended.register(old._transport.get_extra_info("socket").fileno(), 0)  # only that the other end is closed
            assert ended.poll(20_000)
            was_gone.append(game_connection.closed.done())
        return attach(game_connection)

    monkeypatch.setattr(GameConnection, "attach", attach_late)
    async with calling(house, app, PATH, await ticket(house, mine)) as line:
        line.say(HELLO)
        line.say({"type": "start", "at": 2.0})  # too early, and not lost for all that
        assert (await line.until("welcome"))["phase"] == "ready"
        await line.until("started")
        [new] = house.state.sessions._connections.values()
        assert was_gone == [False]
        assert new is not old
        assert not line.closed.done()


async def test_a_game_that_crashes_as_it_starts_is_tried_once(
    house: Visitor, app: ASGIApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    open_seat = house.state.sessions._open_connection

    async def open_and_kill(environment: EnvironmentSpec) -> GameConnection:
        game_connection = await open_seat(environment)
        opened.append(game_connection)
        game_connection.slot.process.kill()
        return game_connection

    monkeypatch.setattr(house.state.sessions, "_open", open_and_kill)
    async with calling(house, app, PATH, await ticket(house, await house.sign_in())) as line:
        line.say(HELLO)
        assert await line.closed == (CloseCode.GAME_CRASHED, "The game crashed. What you played is kept.")
    assert len(opened) == 1


async def test_O11_a_newer_tab_ends_one_that_has_not_said_hello(house: Visitor, app: ASGIApp) -> None:
    mine = await house.sign_in()
    first, second = await ticket(house, mine), await ticket(house, mine)
    async with calling(house, app, PATH, first) as older, calling(house, app, PATH, second) as newer:
        assert await older.closed == (CloseCode.TAKEN_OVER, "This game goes on in another tab.")
        newer.say(HELLO)
        assert (await newer.until("welcome"))["phase"] == "ready"
