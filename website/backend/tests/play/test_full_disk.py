"""R7: whatever write the disk refuses, the game ends in words and all that came before is kept."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from skill_arcade.recording import journal as journals
from skill_arcade.recording.segment import parse_segment, read_segment, recover_abandoned
from skill_arcade.wire.close_codes import CloseCode
from tests.support.session_harness import HELLO, SessionHarness

GUARDED = "start", "tick", "input", "shown", "detach", "roll", "leave"


class Disk:
    """Stands before the real `write`: from some moment on it refuses, but for as much room as is given back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.passes = 0
        self._write, self._unlink = journals.write_all, Path.unlink
        monkeypatch.setattr(journals, "write_all", self.write_all)
        self.room = 0

    def write_all(self, file: int, data: bytes) -> None:
        if self.full and len(data) > self.passes and not self._has_room(file, len(data)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._write(file, data)

    def _has_room(self, file: int, size: int) -> bool:
        folder = Path(f"/proc/self/fd/{file}").resolve().parent
        return not (folder / journals.RESERVE_NAME).exists() and size < journals.RESERVE_BYTES


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def last_word(table: SessionHarness, what: str) -> None:
    """Do something that writes to the journal."""
    actions: dict[str, Callable[[], None]] = {
        "start": lambda: start_again(table),
        "tick": lambda: table.ticks(1),
        "input": lambda: table.press("left"),
        "shown": lambda: table.frame((3 << 32).to_bytes(8, "little")),
        "detach": lambda: table.session.detach(table.now),
        "roll": lambda: until_closed(table),
        "leave": lambda: table.send("leave"),
    }
    actions[what]()


def until_closed(table: SessionHarness) -> None:
    """Tick on until the game has had enough."""
    while table.closed is None:
        table.ticks(1)


def start_again(table: SessionHarness) -> None:
    """The next episode, which the disk has no room for."""
    table.send("leave")
    table.send("start")


@pytest.mark.parametrize("what", GUARDED)
def test_R7_whichever_write_is_refused_the_record_before_it_is_kept(tmp_path: Path, disk: Disk, what: str) -> None:
    table = SessionHarness(tmp_path, "breakout")
    table.send("start")
    table.ticks(30)
    disk.full = True
    disk.passes = 800 if what == "roll" else 0  # small records still fit, the head of the next segment does not
    last_word(table, what)
    if what == "leave":  # its words are the end itself, for which there is the reserve
        assert table.closed is None
    else:
        assert table.closed is not None
        assert table.closed[0] is CloseCode.RECORDING_UNAVAILABLE
        assert table.session.is_finished
        assert table.session.due_us is None
    segments = [read_segment(path) for path in sorted((tmp_path / str(table.headers[0].episode_id)).glob("*.sealed"))]
    steps = [step.step for segment in segments for step in segment.steps]
    n_steps = 30 if what != "roll" else len(table.packets) - 1
    assert steps == list(range(n_steps))
    assert n_steps >= 30
    end = segments[-1].end
    assert end is not None
    assert (end.status, end.n_steps, end.reason) == (
        "incomplete",
        n_steps,
        "left" if what in ("start", "leave") else "no-room",
    )


def test_R7_without_even_the_reserve_what_is_appended_stays_and_is_finished_later(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = SessionHarness(tmp_path, "breakout")
    table.send("start")
    table.ticks(30)
    disk.full = True
    monkeypatch.setattr(disk, "_has_room", lambda file, size: False)
    table.ticks(1)
    assert table.session.is_finished
    folder = tmp_path / str(table.headers[0].episode_id)
    segment, _ = parse_segment((folder / "000000.open").read_bytes())
    assert segment is not None
    assert len(segment.steps) == 30
    disk.full = False
    assert recover_abandoned(folder)
    assert read_segment(folder / "000000.sealed").end is not None


def test_R7_an_episode_whose_first_picture_can_not_be_kept_never_began(tmp_path: Path, disk: Disk) -> None:
    table = SessionHarness(tmp_path, "breakout")
    disk.full = True
    table.send("start")
    assert table.closed is not None
    assert table.closed[0] is CloseCode.RECORDING_UNAVAILABLE
    assert list(tmp_path.iterdir()) == []


def test_R7_without_room_no_next_episode_starts_and_the_one_that_runs_goes_on(tmp_path: Path) -> None:
    table = SessionHarness(tmp_path, "breakout")
    table.send("start")
    table.session.disk_full_reason = "The recording disk is full; try again later."
    table.ticks(30)
    assert table.closed is None
    table.send("leave")
    table.send("start")
    assert table.closed == (CloseCode.RECORDING_UNAVAILABLE, "The recording disk is full; try again later.")
    assert len(table.headers) == 1


def test_R7_without_room_who_comes_back_to_an_ended_game_is_told_and_to_a_running_one_is_let_in(tmp_path: Path) -> None:
    table = SessionHarness(tmp_path, "breakout")
    table.send("start")
    table.ticks(5)
    table.session.disk_full_reason = "The recording disk is full; try again later."
    come_back(table)
    assert table.closed is None
    assert table.texts[-1]["type"] == "started"
    table.send("leave")
    come_back(table)
    assert table.closed == (CloseCode.RECORDING_UNAVAILABLE, "The recording disk is full; try again later.")
    table.closed, table.session.disk_full_reason = None, ""
    come_back(table)
    table.send("start")
    assert len(table.headers) == 2


def come_back(table: SessionHarness) -> None:
    """A new socket of the same player."""
    table.session.detach(table.now)
    table.session.attach(table.now)
    table.send("hello", isolated=True, **HELLO)
