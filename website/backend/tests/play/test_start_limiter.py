"""Game starts are limited, and a start that never finishes delays the others only until its timeout."""

import asyncio
from pathlib import Path

import pytest

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.assignment import GameRequest
from skill_arcade.play.connections import start_limiter
from skill_arcade.play.connections.game_connection import GameConnection
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.play.connections.start_limiter import StartLimiter

pytestmark = pytest.mark.anyio
HANOI = load_catalogue(None).games["tower-of-hanoi"]


def open_sessions(folder: Path) -> SessionManager:
    capacity = RecordingCapacity(folder / "journal", folder / "report", min_free_bytes=0, max_stall_seconds=60)
    return SessionManager(capacity=capacity, segment_seconds=1, resume_seconds=5, max_games=9, games_per_process=4)


async def test_start_limiter_starts_games_one_at_a_time(tmp_path: Path) -> None:
    sessions = open_sessions(tmp_path)
    sessions._start_limiter = StartLimiter(1)
    ready: list[bool] = []

    async def join(name: str) -> GameConnection:
        game_connection = await sessions.get_or_start_game(
            sessions.register_connection(name, sessions.next_connection_id()), GameRequest(HANOI)
        )
        ready.append(
            all(other.ready.done() for other in sessions._connections.values() if other is not game_connection)
        )
        return game_connection

    game_connections = await asyncio.gather(*(join(name) for name in "abcd"))
    assert ready == [True] * 4  # all earlier games were ready
    assert len({game_connection.slot.process.pid for game_connection in game_connections}) == 4
    await sessions.stop()


async def test_start_limiter_releases_slot_after_timeout_or_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_limiter, "START_TIMEOUT_SECONDS", 0.05)
    sessions, limiter = open_sessions(tmp_path), StartLimiter(1)
    assignment = sessions._make_assignment("ada", GameRequest(HANOI))
    game_connection = await sessions._open_connection(assignment, "")  # it is not assigned, so it never gets ready
    async with limiter.slot() as started:
        started.append(game_connection)
    with pytest.raises(ZeroDivisionError):
        async with limiter.slot():
            raise ZeroDivisionError
    async with asyncio.timeout(5), limiter.slot():
        assert not game_connection.ready.done()
    game_connection.stop("left")
    await game_connection.closed
    await sessions.stop()
