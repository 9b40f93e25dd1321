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
    capacity = RecordingCapacity(folder / "journal", folder / "report", min_free_bytes=0, max_stall_seconds=60)
    return SessionManager(capacity=capacity, segment_seconds=1, resume_seconds=5, max_games=9, games_per_process=4)


async def test_a_wave_of_players_all_get_their_game_each_when_its_turn_has_come(tmp_path: Path) -> None:
    sessions = open_roster(tmp_path)
    sessions._start_limiter = StartLimiter(1)
    ready: list[bool] = []

    async def come(name: str) -> GameConnection:
        game_connection = await sessions.get_or_start_game(
            sessions.register_connection(name, sessions.next_connection_id()), HANOI
        )
        ready.append(
            all(other.ready.done() for other in sessions._connections.values() if other is not game_connection)
        )
        return game_connection

    game_connections = await asyncio.gather(*(come(name) for name in "abcd"))
    assert ready == [True] * 4  # whoever began before was ready
    assert len({game_connection.slot.process.pid for game_connection in game_connections}) == 4
    await sessions.stop()


async def test_a_start_that_takes_for_ever_or_fails_gives_its_turn_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "START_SECONDS", 0.05)
    sessions, line = open_roster(tmp_path), StartLimiter(1)
    game_connection = await sessions._open_connection(HANOI.environment)  # nobody assigns a game to it
    async with line.slot() as begun:
        begun.append(game_connection)
    with pytest.raises(ZeroDivisionError):
        async with line.slot():
            raise ZeroDivisionError
    async with asyncio.timeout(5), line.slot():
        assert not game_connection.ready.done()
    game_connection.stop("left")
    await game_connection.closed
    await sessions.stop()
