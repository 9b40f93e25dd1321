"""O11: one player, one seat, and it is the newest socket's, whatever held up the ones before on their way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from skill_arcade.errors import TakenOver
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.connections.game_connection import ClientQueue, GameConnection
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager

pytestmark = pytest.mark.anyio
GAMES = load_catalogue(None).games


@pytest.fixture
async def sessions(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SessionManager]:
    capacity = RecordingCapacity(tmp_path / "journal", tmp_path / "report", min_free_bytes=0, max_stall_seconds=60)
    made = SessionManager(capacity=capacity, segment_seconds=1, resume_seconds=5, max_games=4, games_per_process=4)
    yield made
    await made.stop()


async def sit(
    sessions: SessionManager, number: int, game: str = "tower-of-hanoi"
) -> tuple[GameConnection, ClientQueue]:
    """What a socket does once it knows whose it is."""
    game_connection = await sessions.get_or_start_game(sessions.register_connection("ada", number), GAMES[game])
    return game_connection, game_connection.attach()


async def test_a_socket_that_was_held_up_takes_nothing_from_one_that_came_later(sessions: SessionManager) -> None:
    older, newer = sessions.next_connection_id(), sessions.next_connection_id()
    game_connection, client_queue = await sit(sessions, newer)
    with pytest.raises(TakenOver, match=r"This game goes on in another tab\."):
        await sit(sessions, older)  # its page was reloaded; it still waited to learn who its player is
    with pytest.raises(TakenOver):
        await sit(sessions, older, "frozen-lake")
    assert client_queue.closing is None
    assert not game_connection.closed.done()
    assert sessions.n_games == 1


async def test_of_sockets_that_wait_for_a_seat_the_newest_has_it_in_whatever_order_they_got_in_line(
    sessions: SessionManager,
) -> None:
    numbers = [sessions.next_connection_id() for _ in range(4)]
    order = [numbers[place] for place in (1, 3, 0, 2)]
    came = await asyncio.gather(*(sit(sessions, number) for number in order), return_exceptions=True)
    game_connections = dict(zip(order, came, strict=True))
    for number in numbers[:-1]:
        assert isinstance(game_connections[number], TakenOver) or game_connections[number][1].closing is not None  # type: ignore[index]
    newest = game_connections[numbers[-1]]
    assert not isinstance(newest, BaseException)
    assert newest[1].closing is None
    assert sessions.n_games == 1


async def test_a_player_who_comes_later_is_never_too_late(sessions: SessionManager) -> None:
    game_connection, first = await sit(sessions, sessions.next_connection_id())
    same, second = await sit(sessions, sessions.next_connection_id())
    assert same is game_connection
    assert first.closing is not None
    other, _ = await sit(sessions, sessions.next_connection_id(), "frozen-lake")
    assert other is not game_connection
    assert game_connection.closed.done()
    assert second.closing is not None
