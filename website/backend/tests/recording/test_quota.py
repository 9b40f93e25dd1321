"""R17: a journal that cannot be written is replaced when the server starts, and the journal has a quota."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skill_arcade.errors import NotReady
from skill_arcade.play.connections.recording_capacity import RecordingCapacity
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.quota import measure_bytes
from skill_arcade.recording.records import EpisodeEnd
from tests.support.journals import make_header
from tests.support.session_harness import SessionHarness

MB = 1 << 20
# Runs as a user who is not root, like the server in its image. The modules are imported before, as root.
CHOOSE = """
import logging, os, sys
from pathlib import Path
from skill_arcade.settings import Settings
from skill_arcade.web.lifespan import choose_home
logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
home, fallback = Path(sys.argv[1]), Path(sys.argv[2])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(10001); os.setuid(10001)
settings = Settings(skill_arcade_home=home, skill_arcade_fallback_home=fallback, journal_max_mb=1024)
print(choose_home(settings).skill_arcade_home)
"""


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike tmp_path."""
    folder = Path(tempfile.mkdtemp(prefix="arcade-quota-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for path in folder.iterdir():
            path.chmod(0o755)
        shutil.rmtree(folder)


def make_volume(folder: Path, name: str, *, is_writable: bool) -> Path:
    """Create a folder like a volume of Cloud Run: it belongs to root, or it has been given to the server's user."""
    path = folder / name
    path.mkdir()
    if is_writable and os.geteuid() == 0:
        os.chown(path, 10001, 10001)
    path.chmod(0o755 if is_writable or os.geteuid() == 0 else 0o555)
    return path


@pytest.mark.parametrize("is_writable", [False, True])
def test_R17_volume_of_root_is_replaced_by_fallback_home(public_folder: Path, is_writable: bool) -> None:
    volume = make_volume(public_folder, "journal", is_writable=is_writable)
    fallback = make_volume(public_folder, "fallback", is_writable=True)
    done = subprocess.run([sys.executable, "-c", CHOOSE, volume, fallback], capture_output=True, text=True, check=True)
    *logged, home = done.stdout.splitlines()
    assert Path(home) == (volume if is_writable else fallback)
    assert ([line.split()[0] for line in logged]) == ([] if is_writable else ["ERROR"])
    assert list(volume.rglob("probe-*")) == []


def open_capacity(folder: Path, max_bytes: int) -> RecordingCapacity:
    return RecordingCapacity(
        folder / "journal", folder / "uploader.json", min_free_bytes=MB, max_stall_seconds=60, max_bytes=max_bytes
    )


def test_R17_new_games_are_rejected_before_the_quota_is_reached(tmp_path: Path) -> None:
    capacity = open_capacity(tmp_path, 3 * MB)
    capacity.poll()
    capacity.check()
    waiting = capacity.folder / str(make_header().episode_id) / "000000.sealed"
    waiting.parent.mkdir(parents=True)
    waiting.write_bytes(bytes(2 * MB + 1))
    capacity.poll()
    with pytest.raises(NotReady, match="New games cannot start"):
        capacity.check()
    waiting.unlink()
    capacity.poll()
    capacity.check()


def test_R17_running_episode_over_quota_ends_and_keeps_every_step(tmp_path: Path) -> None:
    capacity = open_capacity(tmp_path, MB)
    harness = SessionHarness(capacity.folder, "breakout")
    harness.send("start")
    harness.ticks(30)
    (capacity.folder / "others").write_bytes(bytes(2 * MB))
    capacity.poll()
    while harness.closed is None:
        harness.ticks(1)
    segments = sorted((capacity.folder / str(harness.headers[0].episode_id)).glob("*.sealed"))
    assert len(segments) == 1


def test_R17_journal_below_quota_again_begins_segments(tmp_path: Path) -> None:
    capacity = open_capacity(tmp_path, MB)
    capacity.folder.mkdir()
    (capacity.folder / "others").write_bytes(bytes(2 * MB))
    capacity.poll()
    with pytest.raises(OSError, match="JOURNAL_MAX_MB"):
        Journal(capacity.folder, make_header())
    (capacity.folder / "others").unlink()
    capacity.poll()
    journal = Journal(capacity.folder, make_header())
    journal.end(EpisodeEnd("incomplete", "left", 0.0, 0, 1))
    assert measure_bytes(capacity.folder) > 0
