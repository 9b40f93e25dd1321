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
async def roster(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SessionManager]:
    room = RecordingCapacity(tmp_path / "journal", tmp_path / "report", least_bytes=0, backlog_seconds=60)
    made = SessionManager(room=room, segment_seconds=1, resume_seconds=5, max_games=4, games_per_process=4)
    yield made
    await made.stop()


async def sit(roster: SessionManager, number: int, game: str = "tower-of-hanoi") -> tuple[GameConnection, ClientQueue]:
    """What a socket does once it knows whose it is."""
    seat = await roster.get_or_start_game(roster.register_connection("ada", number), GAMES[game])
    return seat, seat.attach()


async def test_a_socket_that_was_held_up_takes_nothing_from_one_that_came_later(roster: SessionManager) -> None:
    older, newer = roster.next_connection_id(), roster.next_connection_id()
    seat, attachment = await sit(roster, newer)
    with pytest.raises(TakenOver, match=r"This game goes on in another tab\."):
        await sit(roster, older)  # its page was reloaded; it still waited to learn who its player is
    with pytest.raises(TakenOver):
        await sit(roster, older, "frozen-lake")
    assert attachment.closing is None
    assert not seat.closed.done()
    assert roster.n_games == 1


async def test_of_sockets_that_wait_for_a_seat_the_newest_has_it_in_whatever_order_they_got_in_line(
    roster: SessionManager,
) -> None:
    numbers = [roster.next_connection_id() for _ in range(4)]
    order = [numbers[place] for place in (1, 3, 0, 2)]
    came = await asyncio.gather(*(sit(roster, number) for number in order), return_exceptions=True)
    seats = dict(zip(order, came, strict=True))
    for number in numbers[:-1]:
        assert isinstance(seats[number], TakenOver) or seats[number][1].closing is not None  # type: ignore[index]
    newest = seats[numbers[-1]]
    assert not isinstance(newest, BaseException)
    assert newest[1].closing is None
    assert roster.n_games == 1


async def test_a_player_who_comes_later_is_never_too_late(roster: SessionManager) -> None:
    seat, first = await sit(roster, roster.next_connection_id())
    same, second = await sit(roster, roster.next_connection_id())
    assert same is seat
    assert first.closing is not None
    other, _ = await sit(roster, roster.next_connection_id(), "frozen-lake")
    assert other is not seat
    assert seat.closed.done()
    assert second.closing is not None
