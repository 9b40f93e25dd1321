"""Games start one after the other, and one that never gets ready holds nobody up for long."""

import asyncio
from pathlib import Path

import pytest

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.connections import start_limiter as starts
from skill_arcade.play.connections.game_connection import GameConnection
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.play.connections.start_limiter import StartLimiter

pytestmark = pytest.mark.anyio
HANOI = load_catalogue(None).games["tower-of-hanoi"]


def open_roster(folder: Path) -> SessionManager:
    room = RecordingCapacity(folder / "journal", folder / "report", least_bytes=0, backlog_seconds=60)
    return SessionManager(room=room, segment_seconds=1, resume_seconds=5, max_games=9, games_per_process=4)


async def test_a_wave_of_players_all_get_their_game_each_when_its_turn_has_come(tmp_path: Path) -> None:
    roster = open_roster(tmp_path)
    roster._start_limiter = StartLimiter(1)
    ready: list[bool] = []

    async def come(name: str) -> GameConnection:
        seat = await roster.get_or_start_game(roster.register_connection(name, roster.next_connection_id()), HANOI)
        ready.append(all(other.ready.done() for other in roster._connections.values() if other is not seat))
        return seat

    seats = await asyncio.gather(*(come(name) for name in "abcd"))
    assert ready == [True] * 4  # whoever began before was ready
    assert len({seat.slot.process.pid for seat in seats}) == 4
    await roster.stop()


async def test_a_start_that_takes_for_ever_or_fails_gives_its_turn_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "START_SECONDS", 0.05)
    roster, line = open_roster(tmp_path), StartLimiter(1)
    seat = await roster._open_connection(HANOI.environment)  # nobody assigns a game to it
    async with line.slot() as begun:
        begun.append(seat)
    with pytest.raises(ZeroDivisionError):
        async with line.slot():
            raise ZeroDivisionError
    async with asyncio.timeout(5), line.slot():
        assert not seat.ready.done()
    seat.stop("left")
    await seat.closed
    await roster.stop()
