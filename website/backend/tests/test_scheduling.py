"""Short turns on the core are asked for by what answers people, and by nothing that it starts."""

import asyncio
import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from skill_arcade import scheduling as urgency
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.scheduling import SCHED_ATTR, SLICE_NS, request_short_slice

GET_ATTRIBUTES = {"x86_64": 315, "aarch64": 275}


def slice_ns(pid: int) -> int:
    """The slice of a process' main thread; 0: this kernel does not tell."""
    number = GET_ATTRIBUTES.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return 0
    told = ctypes.create_string_buffer(SCHED_ATTR.size)
    if ctypes.CDLL(None, use_errno=True).syscall(number, pid, told, SCHED_ATTR.size, 0) != 0:
        return 0
    return int(SCHED_ATTR.unpack(told.raw)[5])


tells = pytest.mark.skipif(slice_ns(os.getpid()) == 0, reason="this system has no slices that one may ask for")
KEEPS_STILL = [sys.executable, "-c", "input()"]


@pytest.mark.may_skip("kernels before 6.12 have no slice that a process can read or set")
@tells
def test_a_process_gets_short_turns_and_keeps_how_nice_it_is() -> None:
    with subprocess.Popen(KEEPS_STILL, stdin=subprocess.PIPE) as other:
        os.setpriority(os.PRIO_PROCESS, other.pid, 3)
        before = slice_ns(other.pid)
        assert request_short_slice(other.pid)
        assert (before > SLICE_NS, slice_ns(other.pid)) == (True, SLICE_NS)
        assert os.getpriority(os.PRIO_PROCESS, other.pid) == 3
        other.communicate(b"\n")


def test_what_is_not_there_or_not_allowed_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(KEEPS_STILL, stdin=subprocess.PIPE) as other:
        other.communicate(b"\n")
    assert not request_short_slice(other.pid)
    monkeypatch.setattr(urgency, "SET_ATTRIBUTES", {platform.machine(): 100_000})  # a system that has no such call
    assert not request_short_slice()


@pytest.mark.may_skip("kernels before 6.12 have no slice that a process can read or set")
@tells
@pytest.mark.anyio
async def test_a_game_has_short_turns_once_it_is_ready_and_none_while_it_starts(tmp_path: Path) -> None:
    capacity = RecordingCapacity(tmp_path / "journal", tmp_path / "report", min_free_bytes=0, max_stall_seconds=60)
    sessions = SessionManager(capacity=capacity, segment_seconds=1, resume_seconds=5, max_games=2, games_per_process=1)
    game = load_catalogue(None).games["tower-of-hanoi"]
    waiting = await sessions._open_connection(game.environment)
    assert slice_ns(waiting.slot.process.pid) > SLICE_NS
    game_connection = await sessions.get_or_start_game(
        sessions.register_connection("ada", sessions.next_connection_id()), game
    )
    async with asyncio.timeout(10):
        while slice_ns(game_connection.slot.process.pid) > SLICE_NS:
            await asyncio.sleep(0.01)
    assert game_connection.ready.done()
    waiting.stop("left")
    await waiting.closed
    await sessions.stop()
