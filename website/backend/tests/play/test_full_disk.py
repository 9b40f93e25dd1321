"""R7: when the disk refuses a write, the game ends with a reason, and everything before it is kept."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from skill_arcade.recording import journal as journals
from skill_arcade.recording.segment import parse_segment, read_segment, recover_abandoned
from skill_arcade.wire.close_codes import CloseCode
from tests.support.session_harness import SessionHarness

REASON = "The recording disk is full. Try again later."
WRITES = "start", "tick", "input", "shown", "detach", "rotate", "leave"


class Disk:
    """Replaces the journal's `write_all`. While `full`, only writes of at most `max_write_bytes`, or into the reserve,
    succeed.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.max_write_bytes = 0
        self._write, self._unlink = journals.write_all, Path.unlink
        monkeypatch.setattr(journals, "write_all", self.write_all)

    def write_all(self, file: int, data: bytes) -> None:
        if self.full and len(data) > self.max_write_bytes and not self._fits_reserve(file, len(data)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._write(file, data)

    def _fits_reserve(self, file: int, size: int) -> bool:
        folder = Path(f"/proc/self/fd/{file}").resolve().parent
        return not (folder / journals.RESERVE_NAME).exists() and size < journals.RESERVE_BYTES


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def trigger_write(harness: SessionHarness, write: str) -> None:
    """Do something that writes to the journal."""
    actions: dict[str, Callable[[], None]] = {
        "start": lambda: start_next_episode(harness),
        "tick": lambda: harness.ticks(1),
        "input": lambda: harness.press("left"),
        "shown": lambda: harness.frame((3 << 32).to_bytes(8, "little")),
        "detach": lambda: harness.session.detach(harness.now),
        "rotate": lambda: tick_until_closed(harness),
        "leave": lambda: harness.send("leave"),
    }
    actions[write]()


def tick_until_closed(harness: SessionHarness) -> None:
    """Tick until the session closes the connection."""
    while harness.closed is None:
        harness.ticks(1)


def start_next_episode(harness: SessionHarness) -> None:
    """End the episode and start the next one."""
    harness.send("leave")
    harness.send("start")


@pytest.mark.parametrize("write", WRITES)
def test_R7_disk_full_at_any_write_keeps_the_record_before_it(tmp_path: Path, disk: Disk, write: str) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send("start")
    harness.ticks(30)
    disk.full = True
    disk.max_write_bytes = 800 if write == "rotate" else 0  # small records fit, the header of a segment does not
    trigger_write(harness, write)
    if write == "leave":  # the end of the episode is written into the reserve
        assert harness.closed is None
    else:
        assert harness.closed is not None
        assert harness.closed[0] is CloseCode.RECORDING_UNAVAILABLE
        assert harness.session.is_finished
        assert harness.session.due_us is None
    segments = [read_segment(path) for path in sorted((tmp_path / str(harness.headers[0].episode_id)).glob("*.sealed"))]
    steps = [step.step for segment in segments for step in segment.steps]
    n_steps = 30 if write != "rotate" else len(harness.packets) - 1
    assert steps == list(range(n_steps))
    assert n_steps >= 30
    end = segments[-1].end
    assert end is not None
    assert (end.status, end.n_steps, end.reason) == (
        "incomplete",
        n_steps,
        "left" if write in ("start", "leave") else "no-room",
    )


def test_R7_disk_full_without_reserve_keeps_open_segment_for_recovery(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send("start")
    harness.ticks(30)
    disk.full = True
    monkeypatch.setattr(disk, "_fits_reserve", lambda file, size: False)
    harness.ticks(1)
    assert harness.session.is_finished
    folder = tmp_path / str(harness.headers[0].episode_id)
    segment, _ = parse_segment((folder / "000000.open").read_bytes())
    assert segment is not None
    assert len(segment.steps) == 30
    disk.full = False
    assert recover_abandoned(folder)
    assert read_segment(folder / "000000.sealed").end is not None


def test_R7_disk_full_at_first_observation_leaves_no_episode(tmp_path: Path, disk: Disk) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    disk.full = True
    harness.send("start")
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.RECORDING_UNAVAILABLE
    assert list(tmp_path.iterdir()) == []


def test_R7_capacity_error_lets_running_episode_continue_and_rejects_next(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send("start")
    harness.session.disk_full_reason = REASON
    harness.ticks(30)
    assert harness.closed is None
    harness.send("leave")
    harness.send("start")
    assert harness.closed == (CloseCode.RECORDING_UNAVAILABLE, REASON)
    assert len(harness.headers) == 1


def test_R7_capacity_error_allows_reconnect_to_running_episode_only(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send("start")
    harness.ticks(5)
    harness.session.disk_full_reason = REASON
    harness.reconnect()
    assert harness.closed is None
    assert harness.texts[-1]["type"] == "started"
    harness.send("leave")
    harness.reconnect()
    assert harness.closed == (CloseCode.RECORDING_UNAVAILABLE, REASON)
    harness.closed, harness.session.disk_full_reason = None, ""
    harness.reconnect()
    harness.send("start")
    assert len(harness.headers) == 2
