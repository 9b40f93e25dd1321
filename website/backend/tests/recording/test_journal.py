"""Tests of the journal: records survive sealing, crashes and torn tails. Rule numbers: recording/SPEC.md."""

import errno
import os
import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from skill_arcade.errors import JournalDamaged
from skill_arcade.frames.encoder import EncodedFrame, Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.recording import journal as journal_module
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.recording.observation import describe_leaves, pack_observation, stack_observations
from skill_arcade.recording.records import ActiveInput, EpisodeEnd, RecordedEvent, RecordedStep, pack_info
from skill_arcade.recording.segment import parse_segment, read_segment, recover_abandoned
from tests.support.journals import make_header


def make_steps(count: int, first: int = 0) -> list[RecordedStep]:
    rng, encoder = np.random.default_rng(first), Encoder()
    return [
        RecordedStep(
            first + n,
            n % 4,
            float(rng.random()),
            False,
            n == count - 1,
            pack_info({"lives": n}) if n % 3 == 0 else None,
            n * 16_667,
            None if n % 2 else n,
            ActiveInput(n, n + 1, n if n % 2 else None) if n else None,
            encoder.encode(Picture(rng.integers(0, 9, (8, 8, 3), np.uint8))),
            b"obs%d" % n,
        )
        for n in range(count)
    ]


def first_frame() -> EncodedFrame:
    return Encoder().encode(Picture(np.zeros((8, 8, 3), np.uint8)))


def test_R1_appended_records_read_back_equal(tmp_path: Path) -> None:
    header, steps = make_header(), make_steps(10)
    journal = Journal(tmp_path, header)
    journal.reset(first_frame())
    for step in steps:
        journal.step(step)
    journal.shown([(1, 20_000), (2, 37_000)])
    journal.event(RecordedEvent(0, "input", 5, 3, 17, {"control": "left"}))
    end = EpisodeEnd("lost", "terminated", 3.5, 10, 200_000)
    journal.end(end)
    segment = read_segment(tmp_path / str(header.episode_id) / "000000.sealed")
    assert (segment.header, segment.steps, segment.end) == (header, steps, end)
    assert segment.reset == (first_frame(), b"")
    assert segment.shown == [(1, 20_000), (2, 37_000)]
    assert segment.events == [RecordedEvent(0, "input", 5, 3, 17, {"control": "left"})]


def test_R3_rotated_segments_are_contiguous(tmp_path: Path) -> None:
    header = make_header()
    journal = Journal(tmp_path, header)
    journal.reset(first_frame())
    for step in make_steps(3):
        journal.step(step)
    journal.rotate(true_colour=False)
    for step in make_steps(2, first=3):
        journal.step(step)
    journal.end(EpisodeEnd("incomplete", "left", 0.0, 5, 1))
    folder = tmp_path / str(header.episode_id)
    first, second = (read_segment(folder / name) for name in ("000000.sealed", "000001.sealed"))
    assert [len(first.steps), len(second.steps)] == [3, 2]
    assert (second.header.number, second.header.first_step, first.end) == (1, 3, None)
    assert sorted(path.name for path in folder.iterdir()) == ["000000.sealed", "000001.sealed"]


def test_R4_torn_tail_is_cut_at_last_complete_record(tmp_path: Path) -> None:
    header, steps = make_header(), make_steps(3)
    journal = Journal(tmp_path, header)
    journal.reset(first_frame())
    for step in steps:
        journal.step(step)
    data = (tmp_path / str(header.episode_id) / "000000.open").read_bytes()
    journal.end(EpisodeEnd("lost", "terminated", 0.0, 3, 1))
    step_counts = []
    for size in range(len(data) + 1):
        segment, complete = parse_segment(data[:size])
        assert complete <= size
        step_counts.append(len(segment.steps) if segment else -1)
        if segment:
            assert segment.steps == steps[: len(segment.steps)]
    assert step_counts == sorted(step_counts)
    assert step_counts[-1] == 3


def test_R5_killed_game_is_recovered_as_incomplete(tmp_path: Path) -> None:
    header, steps = make_header(), make_steps(5)
    pid = os.fork()
    if pid == 0:  # the game process: it is killed in the middle of a record
        journal = Journal(tmp_path, header)
        journal.reset(first_frame())
        for step in steps:
            journal.step(step)
        assert journal._file is not None
        os.write(journal._file, b"\x40\x00\x00\x00half")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    folder = tmp_path / str(header.episode_id)
    assert recover_abandoned(folder)
    assert recover_abandoned(folder)
    segment = read_segment(folder / "000000.sealed")
    assert segment.steps == steps
    assert segment.end == EpisodeEnd("incomplete", "crashed", None, 5, steps[-1].server_us)


def test_R5_uploader_ignores_journal_that_is_being_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header, lock, listings = make_header(), journal_module.lock_episode, []

    def lock_late(folder: Path) -> int | None:
        """List the journal while the folder exists but is not locked, as if its game had died."""
        listings.extend([list_episodes(tmp_path), list(tmp_path.iterdir())])
        return lock(folder)

    monkeypatch.setattr(journal_module, "lock_episode", lock_late)
    journal = Journal(tmp_path, header)
    assert [len(found) for found in listings] == [0, 1]
    assert list_episodes(tmp_path) == [journal.folder]
    assert lock(journal.folder) is None
    with pytest.raises(OSError, match="not empty"):
        Journal(tmp_path, header)
    assert list(tmp_path.iterdir()) == [journal.folder]
    journal.discard()
    assert list(tmp_path.iterdir()) == []


def test_R2_segment_uploaded_while_it_is_sealed_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, rename = Journal(tmp_path, make_header()), Path.rename
    journal.reset(first_frame())

    def rename_and_delete(path: Path, target: Path) -> Path:
        renamed = rename(path, target)
        if target.suffix == journal_module.SEALED:
            shutil.rmtree(path.parent)
        return renamed

    monkeypatch.setattr(Path, "rename", rename_and_delete)
    journal.end(EpisodeEnd("incomplete", "left", 0, 0, 0))
    assert list(tmp_path.iterdir()) == []


def test_R5_running_game_is_not_recovered(tmp_path: Path) -> None:
    header = make_header()
    journal = Journal(tmp_path, header)
    assert not recover_abandoned(tmp_path / str(header.episode_id))
    journal.end(EpisodeEnd("incomplete", "left", 0.0, 0, 1))


@pytest.fixture
def sealed_path(tmp_path: Path) -> Path:
    """Write a sealed segment of two steps and return its path."""
    header = make_header()
    journal = Journal(tmp_path, header)
    for step in make_steps(2):
        journal.step(step)
    journal.end(EpisodeEnd("lost", "terminated", 0.0, 2, 1))
    return tmp_path / str(header.episode_id) / "000000.sealed"


def test_R6_flipped_bit_in_sealed_segment_is_repaired(sealed_path: Path) -> None:
    complete, segment = sealed_path.read_bytes(), read_segment(sealed_path)
    for position in range(len(complete)):
        bit = 1 << position % 8
        sealed_path.write_bytes(complete[:position] + bytes([complete[position] ^ bit]) + complete[position + 1 :])
        assert read_segment(sealed_path) == segment


def test_R6_larger_damage_in_sealed_segment_is_detected(sealed_path: Path) -> None:
    complete = sealed_path.read_bytes()
    for position in range(0, len(complete), 37):
        sealed_path.write_bytes(complete[:position] + bytes([complete[position] ^ 0b101]) + complete[position + 1 :])
        with pytest.raises(JournalDamaged, match="is corrupt"):
            read_segment(sealed_path)


def test_R6_damaged_open_segment_is_saved_before_repair(sealed_path: Path) -> None:
    open_path, complete = (
        sealed_path.rename(sealed_path.with_suffix(".open")),
        sealed_path.with_suffix(".open").read_bytes(),
    )
    damaged = complete[:1000] + b"damage" + complete[1006:]
    open_path.write_bytes(damaged)
    assert recover_abandoned(open_path.parent)
    assert open_path.with_suffix(".damaged").read_bytes() == damaged
    assert read_segment(sealed_path).end is not None


def test_R5_open_segment_before_another_gets_no_end(sealed_path: Path) -> None:
    header = make_header()
    journal = Journal(sealed_path.parent.parent, header)
    journal.rotate(true_colour=False)
    journal.end(EpisodeEnd("lost", "terminated", 0.0, 0, 1))
    first = journal.folder / "000000.sealed"
    first.rename(first.with_suffix(".open"))  # as after a power failure before the renaming was durable
    assert recover_abandoned(journal.folder)
    assert read_segment(first).end is None


def test_R5_open_segment_without_header_is_damaged(tmp_path: Path) -> None:
    folder = tmp_path / str(make_header().episode_id)
    folder.mkdir()
    (folder / "000000.open").write_bytes(b"what")
    with pytest.raises(JournalDamaged, match=r"set aside as 000000\.damaged"):
        recover_abandoned(folder)
    assert recover_abandoned(folder)


def test_R7_full_disk_leaves_complete_records(tmp_path: Path) -> None:
    header = make_header()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # a file size limit simulates a full disk: a write fails in the middle of a record
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        journal = Journal(tmp_path, header)
        path = tmp_path / str(header.episode_id) / "000000.open"
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 1000, resource.RLIM_INFINITY))
        try:
            for step in make_steps(50):
                journal.step(step)
        except OSError as error:
            os.write(write, bytes([error.errno or 0]))
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 1)[0] == errno.EFBIG
    os.close(read)
    os.close(write)
    segment, complete = parse_segment((path := tmp_path / str(header.episode_id) / "000000.open").read_bytes())
    assert segment is not None
    assert segment.steps == make_steps(50)[: len(segment.steps)]
    assert len(segment.steps) > 1
    assert complete == path.stat().st_size


@pytest.mark.parametrize(
    "observation",
    [
        np.array([1.5, -0.0, np.inf], np.float32),
        np.int64(7),
        5,
        {"image": np.zeros((2, 3), np.uint8), "mission": "go to the grüne door", "at": (np.int8(3), 2.5)},
    ],
)
def test_observations_are_restored_exactly(observation: object) -> None:
    leaves = describe_leaves(observation)
    packed = [pack_observation(observation, leaves)] * 3
    columns = stack_observations(packed, leaves)
    parts = {leaf["name"] for leaf in leaves}
    assert set(columns) == parts
    for name, column in columns.items():
        value = observation
        for key in name.split("/") if name != "observation" else []:
            value = value[int(key)] if isinstance(value, tuple) else value[key]  # type: ignore[index]
        assert len(column) == 3
        np.testing.assert_array_equal(column[2], np.asarray(value))


def test_observation_with_other_shape_is_rejected() -> None:
    leaves = describe_leaves(np.zeros(3))
    with pytest.raises(ValueError, match="shape"):
        pack_observation(np.zeros(4), leaves)
