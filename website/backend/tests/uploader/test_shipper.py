"""Shipments of open journals: what they hold, when they are replaced and deleted, and what they cost (rule R34)."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.recording import shipment
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import RecordedEvent, RecordedStep, pack_info
from skill_arcade.recording.segment import read_segment
from skill_arcade.recording.shipment import (
    JournalFollower,
    merge_records,
    pack_segments,
    pack_shipment,
    parse_records,
    read_shipment,
    select_continuation,
)
from skill_arcade.settings import Settings
from skill_arcade.storage.objects import ObjectStore, open_objects
from skill_arcade.uploader.shipper import Shipper, delete_shipments, find_shipped
from tests.support.cloud.storage import Answer, StorageServer, storage_server
from tests.support.journals import make_header, picture, write_episode

pytestmark = pytest.mark.anyio
JOURNAL_ID = uuid4()
STEPS_PER_SECOND, SEGMENT_STEPS = 60, 300


class Game:
    """Writes a journal as a game does that is being played."""

    def __init__(self, folder: Path, **header: object) -> None:
        self.header = make_header(**header)
        self.journal, self.encoder, self.n_steps = Journal(folder, self.header), Encoder(), 0
        self.journal.reset(self.encoder.encode(Picture(picture(0))))

    def play(self, n_steps: int) -> None:
        """Take some steps, with an event before each tenth one."""
        for _ in range(n_steps):
            step = self.n_steps
            if step % 10 == 0:
                self.journal.event(RecordedEvent(self.journal.n_events, "input", step * 16_667, step, step * 16, {}))
            encoded = self.encoder.encode(Picture(picture(step)))
            info = pack_info({"lives": step}) if step % 50 == 0 else None
            self.journal.step(RecordedStep(step, step % 4, 0.5, False, False, info, step * 16_667, 0, None, encoded))
            self.n_steps += 1

    def rotate(self) -> None:
        """Seal the segment and begin the next one."""
        self.journal.rotate(true_colour=False)
        self.encoder = Encoder()


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder


@pytest.fixture
async def bucket(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[tuple[StorageServer, ObjectStore]]:
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        settings = Settings(_env_file=None, skill_arcade_home=tmp_path, gcp_bucket_name=server.bucket.name)
        store = open_objects(settings)
        yield server, store
        await store.close()


async def keys(store: ObjectStore) -> list[str]:
    return [key async for key in store.list("")]


def test_R34_shipment_has_steps_times_and_events_without_pictures(journal: Path) -> None:
    header, _ = write_episode(journal, segments=(40, 3))
    (first, second) = read_shipment(pack_shipment(JournalFollower(journal).read()))
    for number, segment in enumerate((first, second)):
        written = read_segment(journal / str(header.episode_id) / f"{number:06d}.sealed")
        assert segment.header == written.header
        assert (segment.events, segment.shown, segment.end) == (written.events, written.shown, written.end)
        plain = [step._replace(encoded=None) for step in segment.steps]  # type: ignore[arg-type]
        assert plain == [step._replace(encoded=None) for step in written.steps]  # type: ignore[arg-type]
        assert all(step.encoded.data == b"" for step in segment.steps)


def test_R34_follower_reads_what_is_appended_and_forgets_what_is_uploaded(journal: Path) -> None:
    game, follower = Game(journal), JournalFollower(journal)
    game.play(5)
    assert [len(one.steps) for one in parse_records(follower.read())] == [5]
    assert follower.read() == follower.read()
    game.play(2)
    game.rotate()
    game.play(1)
    assert [len(one.steps) for one in parse_records(follower.read())] == [7, 1]
    game.journal._sealer.finish(None)
    game.journal._sealer.wait()
    (journal / str(game.header.episode_id) / "000000.sealed").unlink()
    game.play(1)
    (left,) = parse_records(follower.read())
    assert (left.header.number, len(left.steps)) == (1, 2)


def test_R34_follower_waits_for_a_record_that_is_half_written(journal: Path) -> None:
    game, follower = Game(journal), JournalFollower(journal)
    game.play(3)
    path = journal / str(game.header.episode_id) / "000000.open"
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert [len(one.steps) for one in parse_records(follower.read())] == [2]
    path.write_bytes(whole)
    assert [len(one.steps) for one in parse_records(follower.read())] == [3]


def test_R34_shipment_that_is_too_large_leaves_whole_segments_out(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        Game(journal).play(20)
    n_bytes = len(JournalFollower(journal).read())
    monkeypatch.setattr(shipment, "MAX_SHIPMENT_BYTES", n_bytes - 1)
    assert [len(one.steps) for one in parse_records(JournalFollower(journal).read())] == [20, 20]


def test_R35_only_segments_without_a_gap_continue_an_episode(journal: Path) -> None:
    game = Game(journal)
    for _ in range(3):
        game.play(20)
        game.rotate()
    segments = parse_records(JournalFollower(journal).read())

    def select(n_segments: int, n_steps: int, n_events: int, max_fence: int = 0) -> list[int]:
        chosen = select_continuation(
            segments,
            game.header.episode_id,
            max_fence=max_fence,
            n_segments=n_segments,
            n_steps=n_steps,
            n_events=n_events,
        )
        return [one.header.number for one in chosen]

    assert select(0, 0, 0) == [0, 1, 2, 3]
    assert select(2, 40, 4) == [2, 3]
    assert select(2, 30, 4) == []
    assert select(2, 40, 5) == []
    assert select(0, 0, 0, max_fence=-1) == []
    del segments[1]
    assert select(0, 0, 0) == [0]


def test_R35_records_are_merged_in_the_order_in_which_they_were_written(journal: Path) -> None:
    game = Game(journal)
    game.play(15)
    game.rotate()
    game.play(10)
    merged = merge_records(parse_records(pack_segments(parse_records(JournalFollower(journal).read()))))
    order = [("event" if isinstance(one, RecordedEvent) else "step", one.step) for one in merged]
    expected = [pair for step in range(25) for pair in ([("event", step)] if step % 10 == 0 else []) + [("step", step)]]
    assert order == expected


async def test_R34_shipment_replaces_the_one_before_and_is_deleted_when_all_is_uploaded(
    journal: Path, bucket: tuple[StorageServer, ObjectStore]
) -> None:
    _, store = bucket
    game, shipper = Game(journal), Shipper(journal, store, JOURNAL_ID, 0.5)
    game.play(5)
    await shipper.ship()
    (first,) = await keys(store)
    game.play(5)
    await shipper.ship()
    (second,) = await keys(store)
    assert second > first
    assert [len(one.steps) for one in await find_shipped(store, JOURNAL_ID)] == [10]
    for path in (journal / str(game.header.episode_id)).iterdir():
        path.unlink()
    await shipper.ship()
    assert await keys(store) == []


async def test_R34_shipment_of_a_process_before_is_kept_until_it_is_replaced(
    journal: Path, bucket: tuple[StorageServer, ObjectStore]
) -> None:
    server, store = bucket
    game = Game(journal)
    game.play(5)
    await Shipper(journal, store, JOURNAL_ID, 0.5).ship()
    (first,) = await keys(store)
    restarted = Shipper(journal, store, JOURNAL_ID, 0.5)
    game.play(1)
    server.faults["upload"].append(Answer(400))
    await restarted.try_ship()
    assert await keys(store) == [first]
    await restarted.try_ship()
    (second,) = await keys(store)
    assert second != first


async def test_R34_unreadable_shipment_gives_way_to_the_one_before(
    journal: Path, bucket: tuple[StorageServer, ObjectStore]
) -> None:
    _, store = bucket
    Game(journal).play(5)
    await Shipper(journal, store, JOURNAL_ID, 0.5).ship()
    await store.put(f"open-journals/{JOURNAL_ID}/{'9' * 20}", b"damaged")
    assert [len(one.steps) for one in await find_shipped(store, JOURNAL_ID)] == [5]
    await delete_shipments(store, JOURNAL_ID)
    assert await keys(store) == []


async def test_R34_all_games_of_a_server_are_one_upload_and_nothing_new_is_none(
    journal: Path, bucket: tuple[StorageServer, ObjectStore]
) -> None:
    server, store = bucket
    games, shipper = [Game(journal) for _ in range(8)], Shipper(journal, store, JOURNAL_ID, 0.5)
    for _ in range(4):
        for game in games:
            game.play(30)
        await shipper.ship()
        await shipper.ship()
    assert [server.asked.count(kind) for kind in ("upload", "delete", "list")] == [4, 3, 1]


def test_shipments_are_off_without_a_bucket(tmp_path: Path) -> None:
    def seconds(**values: object) -> float:
        return Settings(_env_file=None, skill_arcade_home=tmp_path, **values).shipment_seconds  # type: ignore[arg-type]

    assert seconds() == 0
    assert seconds(gcp_bucket_name="b") == 0.5
    assert seconds(gcp_bucket_name="b", open_journal_seconds=0) == 0
    assert seconds(open_journal_seconds=1) == 1
