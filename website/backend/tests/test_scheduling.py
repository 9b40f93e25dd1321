"""Short time slices: who requests them, and that children do not inherit them."""

import asyncio
import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from skill_arcade import scheduling
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.assignment import GameRequest
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.scheduling import SCHED_ATTR, SLICE_NS, request_short_slice

GET_ATTRIBUTES = {"x86_64": 315, "aarch64": 275}


def slice_ns(pid: int) -> int:
    """Return the time slice of a process's main thread, or 0 if the kernel does not report it."""
    syscall_number = GET_ATTRIBUTES.get(platform.machine())
    if sys.platform != "linux" or syscall_number is None:
        return 0
    attributes = ctypes.create_string_buffer(SCHED_ATTR.size)
    if ctypes.CDLL(None, use_errno=True).syscall(syscall_number, pid, attributes, SCHED_ATTR.size, 0) != 0:
        return 0
    return int(SCHED_ATTR.unpack(attributes.raw)[5])


needs_time_slices = pytest.mark.skipif(slice_ns(os.getpid()) == 0, reason="this kernel has no configurable time slice")
IDLE_COMMAND = [sys.executable, "-c", "input()"]


@pytest.mark.may_skip("kernels before 6.12 have no slice that a process can read or set")
@needs_time_slices
def test_request_short_slice_sets_slice_and_keeps_nice() -> None:
    with subprocess.Popen(IDLE_COMMAND, stdin=subprocess.PIPE) as child:
        os.setpriority(os.PRIO_PROCESS, child.pid, 3)
        before = slice_ns(child.pid)
        assert request_short_slice(child.pid)
        assert (before > SLICE_NS, slice_ns(child.pid)) == (True, SLICE_NS)
        assert os.getpriority(os.PRIO_PROCESS, child.pid) == 3
        child.communicate(b"\n")


def test_request_short_slice_returns_false_without_process_or_support(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(IDLE_COMMAND, stdin=subprocess.PIPE) as child:
        child.communicate(b"\n")
    assert not request_short_slice(child.pid)
    monkeypatch.setattr(scheduling, "SCHED_SETATTR_SYSCALLS", {platform.machine(): 100_000})  # no such system call
    assert not request_short_slice()


@pytest.mark.may_skip("kernels before 6.12 have no slice that a process can read or set")
@needs_time_slices
@pytest.mark.anyio
async def test_short_slice_is_requested_when_game_is_ready(tmp_path: Path) -> None:
    capacity = RecordingCapacity(tmp_path / "journal", tmp_path / "report", min_free_bytes=0, max_stall_seconds=60)
    sessions = SessionManager(capacity=capacity, segment_seconds=1, resume_seconds=5, max_games=2, games_per_process=1)
    game = load_catalogue(None).games["tower-of-hanoi"]
    starting = await sessions._open_connection(sessions._make_assignment("bob", GameRequest(game)), "")
    assert slice_ns(starting.slot.process.pid) > SLICE_NS
    game_connection = await sessions.get_or_start_game(
        sessions.register_connection("ada", sessions.next_connection_id()), GameRequest(game)
    )
    async with asyncio.timeout(10):
        while slice_ns(game_connection.slot.process.pid) > SLICE_NS:
            await asyncio.sleep(0.01)
    assert game_connection.ready.done()
    starting.stop("left")
    await starting.closed
    await sessions.stop()
