"""The journal keeps what was appended, through seals, crashes and torn tails. Rule numbers: recording/SPEC.md."""

import errno
import os
import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from skill_arcade.errors import JournalDamaged
from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.recording import journal as journals
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.recording.observation import describe_leaves, pack_observation, stack_observations
from skill_arcade.recording.records import ActiveInput, EpisodeEnd, RecordedEvent, RecordedFrame, RecordedStep
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
            {"lives": n} if n % 3 == 0 else None,
            n * 16_667,
            None if n % 2 else n,
            ActiveInput(n, n + 1, n if n % 2 else None) if n else None,
            RecordedFrame(encoder.encode(Picture(rng.integers(0, 9, (8, 8, 3), np.uint8))), b"obs%d" % n),
        )
        for n in range(count)
    ]


def first_shot() -> RecordedFrame:
    return RecordedFrame(Encoder().encode(Picture(np.zeros((8, 8, 3), np.uint8))))


def test_R1_what_was_appended_reads_back_equal(tmp_path: Path) -> None:
    head, steps = make_header(), make_steps(10)
    journal = Journal(tmp_path, head)
    journal.reset(first_shot())
    for step in steps:
        journal.step(step)
    journal.shown([(1, 20_000), (2, 37_000)])
    journal.event(RecordedEvent(0, "input", 5, 3, 17, {"control": "left"}))
    end = EpisodeEnd("lost", "terminated", 3.5, 10, 200_000)
    journal.end(end)
    segment = read_segment(tmp_path / str(head.episode_id) / "000000.sealed")
    assert (segment.header, segment.steps, segment.end) == (head, steps, end)
    assert segment.reset == first_shot()
    assert segment.shown == [(1, 20_000), (2, 37_000)]
    assert segment.events == [RecordedEvent(0, "input", 5, 3, 17, {"control": "left"})]


def test_R3_segments_follow_on_one_another(tmp_path: Path) -> None:
    head = make_header()
    journal = Journal(tmp_path, head)
    journal.reset(first_shot())
    for step in make_steps(3):
        journal.step(step)
    journal.rotate(true_colour=False)
    for step in make_steps(2, first=3):
        journal.step(step)
    journal.end(EpisodeEnd("incomplete", "left", 0.0, 5, 1))
    folder = tmp_path / str(head.episode_id)
    first, second = (read_segment(folder / name) for name in ("000000.sealed", "000001.sealed"))
    assert [len(first.steps), len(second.steps)] == [3, 2]
    assert (second.header.number, second.header.first_step, first.end) == (1, 3, None)
    assert sorted(path.name for path in folder.iterdir()) == ["000000.sealed", "000001.sealed"]


def test_R4_a_torn_tail_is_cut_at_every_byte(tmp_path: Path) -> None:
    head, steps = make_header(), make_steps(3)
    journal = Journal(tmp_path, head)
    journal.reset(first_shot())
    for step in steps:
        journal.step(step)
    data = (tmp_path / str(head.episode_id) / "000000.open").read_bytes()
    journal.end(EpisodeEnd("lost", "terminated", 0.0, 3, 1))
    kept = []
    for size in range(len(data) + 1):
        segment, whole = parse_segment(data[:size])
        assert whole <= size
        kept.append(len(segment.steps) if segment else -1)
        if segment:
            assert segment.steps == steps[: len(segment.steps)]
    assert kept == sorted(kept)
    assert kept[-1] == 3


def test_R5_a_killed_game_is_finished_as_incomplete(tmp_path: Path) -> None:
    head, steps = make_header(), make_steps(5)
    pid = os.fork()
    if pid == 0:  # the game: it dies without a word, with half a record written
        journal = Journal(tmp_path, head)
        journal.reset(first_shot())
        for step in steps:
            journal.step(step)
        assert journal._file is not None
        os.write(journal._file, b"\x40\x00\x00\x00half")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    folder = tmp_path / str(head.episode_id)
    assert recover_abandoned(folder)
    assert recover_abandoned(folder)
    segment = read_segment(folder / "000000.sealed")
    assert segment.steps == steps
    assert segment.end == EpisodeEnd("incomplete", "crashed", None, 5, steps[-1].server_us)


def test_R5_delivery_that_looks_while_an_episode_is_being_made_takes_nothing_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, lock, seen = make_header(), journals.lock_episode, []

    def lock_late(folder: Path) -> int | None:
        """The folder is there, and nobody holds it yet: delivery would take it for a dead game's."""
        seen.extend([list_episodes(tmp_path), list(tmp_path.iterdir())])
        return lock(folder)

    monkeypatch.setattr(journals, "lock_episode", lock_late)
    journal = Journal(tmp_path, head)
    assert [len(found) for found in seen] == [0, 1]
    assert list_episodes(tmp_path) == [journal.folder]
    assert lock(journal.folder) is None
    with pytest.raises(OSError, match="not empty"):
        Journal(tmp_path, head)
    assert list(tmp_path.iterdir()) == [journal.folder]
    journal.discard()
    assert list(tmp_path.iterdir()) == []


def test_R2_a_segment_that_is_delivered_in_the_moment_it_is_sealed_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, rename = Journal(tmp_path, make_header()), Path.rename
    journal.reset(first_shot())

    def rename_and_deliver(path: Path, target: Path) -> Path:
        renamed = rename(path, target)
        if target.suffix == journals.SEALED:
            shutil.rmtree(path.parent)
        return renamed

    monkeypatch.setattr(Path, "rename", rename_and_deliver)
    journal.end(EpisodeEnd("incomplete", "left", 0, 0, 0))
    assert list(tmp_path.iterdir()) == []


def test_R5_a_living_game_is_left_alone(tmp_path: Path) -> None:
    head = make_header()
    journal = Journal(tmp_path, head)
    assert not recover_abandoned(tmp_path / str(head.episode_id))
    journal.end(EpisodeEnd("incomplete", "left", 0.0, 0, 1))


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """A sealed segment of two steps."""
    head = make_header()
    journal = Journal(tmp_path, head)
    for step in make_steps(2):
        journal.step(step)
    journal.end(EpisodeEnd("lost", "terminated", 0.0, 2, 1))
    return tmp_path / str(head.episode_id) / "000000.sealed"


def test_R6_a_flipped_bit_anywhere_in_a_sealed_segment_is_put_right(sealed: Path) -> None:
    whole, segment = sealed.read_bytes(), read_segment(sealed)
    for place in range(len(whole)):
        bit = 1 << place % 8
        sealed.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        assert read_segment(sealed) == segment


def test_R6_more_damage_than_a_bit_is_found(sealed: Path) -> None:
    whole = sealed.read_bytes()
    for place in range(0, len(whole), 37):
        sealed.write_bytes(whole[:place] + bytes([whole[place] ^ 0b101]) + whole[place + 1 :])
        with pytest.raises(JournalDamaged, match="is corrupt"):
            read_segment(sealed)


def test_R6_damage_in_the_middle_of_an_open_segment_is_not_cut_off_unseen(sealed: Path) -> None:
    opened, whole = sealed.rename(sealed.with_suffix(".open")), sealed.with_suffix(".open").read_bytes()
    damaged = whole[:1000] + b"damage" + whole[1006:]
    opened.write_bytes(damaged)
    assert recover_abandoned(opened.parent)
    assert opened.with_suffix(".damaged").read_bytes() == damaged
    assert read_segment(sealed).end is not None


def test_R5_an_open_segment_that_was_followed_by_another_gets_no_end(sealed: Path) -> None:
    head = make_header()
    journal = Journal(sealed.parent.parent, head)
    journal.rotate(true_colour=False)
    journal.end(EpisodeEnd("lost", "terminated", 0.0, 0, 1))
    first = journal.folder / "000000.sealed"
    first.rename(first.with_suffix(".open"))  # the power went before this one's name was durable
    assert recover_abandoned(journal.folder)
    assert read_segment(first).end is None


def test_R5_an_open_segment_without_a_head_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / str(make_header().episode_id)
    folder.mkdir()
    (folder / "000000.open").write_bytes(b"what")
    with pytest.raises(JournalDamaged, match=r"set aside as 000000\.damaged"):
        recover_abandoned(folder)
    assert recover_abandoned(folder)


def test_R7_a_full_disk_leaves_whole_records(tmp_path: Path) -> None:
    head = make_header()
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # a file size limit stands in for the full disk: write fails in the middle of a record
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        journal = Journal(tmp_path, head)
        path = tmp_path / str(head.episode_id) / "000000.open"
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 1000, resource.RLIM_INFINITY))
        try:
            for step in make_steps(50):
                journal.step(step)
        except OSError as full:
            os.write(write, bytes([full.errno or 0]))
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(read, 1)[0] == errno.EFBIG
    os.close(read)
    os.close(write)
    segment, whole = parse_segment((path := tmp_path / str(head.episode_id) / "000000.open").read_bytes())
    assert segment is not None
    assert segment.steps == make_steps(50)[: len(segment.steps)]
    assert len(segment.steps) > 1
    assert whole == path.stat().st_size


@pytest.mark.parametrize(
    "observation",
    [
        np.array([1.5, -0.0, np.inf], np.float32),
        np.int64(7),
        5,
        {"image": np.zeros((2, 3), np.uint8), "mission": "go to the grüne door", "at": (np.int8(3), 2.5)},
    ],
)
def test_observations_come_back_exactly(observation: object) -> None:
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


def test_an_observation_of_another_make_up_is_refused() -> None:
    leaves = describe_leaves(np.zeros(3))
    with pytest.raises(ValueError, match="shape"):
        pack_observation(np.zeros(4), leaves)
