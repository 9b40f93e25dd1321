"""Fan-out to watchers: batches, late joiners, slow watchers, limits and revocation (rules O18 to O21)."""

import asyncio
import struct
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from skill_arcade.errors import NotFound, TooManyWatchers
from skill_arcade.frames.encoder import EncodedFrame
from skill_arcade.play.connections import watch_hub
from skill_arcade.play.connections.watch_hub import MAX_QUEUED_BATCHES, Watcher, WatchHub, WatchRegistry
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.packet import FramePacket

pytestmark = pytest.mark.anyio


class Owner:
    """The game of a hub."""

    def __init__(self) -> None:
        self.n_keyframes, self.counts = 0, list[int]()
        self.reported = asyncio.Event()

    def request_watch_keyframe(self) -> None:
        self.n_keyframes += 1

    def report_watchers(self, count: int) -> None:
        self.counts.append(count)
        self.reported.set()


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_hub, "BATCH_SECONDS", 0.01)
    monkeypatch.setattr(watch_hub, "COUNT_SECONDS", 0.01)


def packet(frame: int, *, key: bool = False, size: int = 0) -> bytes:
    return FramePacket(frame, 0, EncodedFrame(key, False, 0, 0, 0, 0, b"", bytes(size))).pack()


def frames_of(messages: list[str | bytes]) -> list[int]:
    """Return the frames in the batches among these messages."""
    frames = []
    for message in messages:
        place = 0
        while isinstance(message, bytes) and place < len(message):
            (length,) = struct.unpack_from("<I", message, place)
            frames.append(FramePacket.unpack(message[place + 4 : place + 4 + length]).frame)
            place += 4 + length
    return frames


async def get(watcher: Watcher) -> list[str | bytes]:
    async with asyncio.timeout(10):
        return await watcher.get()


def open_hub(max_per_game: int = 3, max_watchers: int = 10) -> tuple[WatchRegistry, WatchHub, Owner]:
    registry, owner = WatchRegistry(max_per_game, max_watchers), Owner()
    return registry, registry.open_hub(owner, "description"), owner


async def test_O19_late_watcher_begins_with_the_newest_keyframe_and_misses_nothing_after_it() -> None:
    _, hub, _ = open_hub()
    hub.publish_scene("playing")
    for frame in range(10):
        hub.publish_frame(packet(frame, key=frame in (0, 6)))
    early = hub.join()
    assert await get(early) == ["description", "playing", *(await get(hub.join()))[2:]]
    hub.publish_frame(packet(10))
    late = hub.join()
    first = await get(late)
    assert (first[:2], frames_of(first)) == (["description", "playing"], [6, 7, 8, 9, 10])
    hub.publish_frame(packet(11))
    assert frames_of(await get(late)) == [11]
    assert frames_of(await get(early)) == [10, 11]


async def test_O19_watcher_before_the_first_keyframe_waits_for_it() -> None:
    _, hub, _ = open_hub()
    watcher = hub.join()
    assert await get(watcher) == ["description"]
    hub.publish_frame(packet(3))
    hub.publish_frame(packet(4, key=True))
    assert frames_of(await get(watcher)) == [4]


async def test_O20_frames_are_batched_and_scenes_come_after_the_frames_before_them() -> None:
    _, hub, _ = open_hub()
    watcher = hub.join()
    await get(watcher)
    for frame in range(5):
        hub.publish_frame(packet(frame, key=frame == 0))
    assert frames_of(await get(watcher)) == [0, 1, 2, 3, 4]
    hub.publish_frame(packet(5))
    hub.publish_scene("ended")
    messages = await get(watcher)
    assert (frames_of(messages), messages[-1]) == ([5], "ended")


async def test_O20_slow_watcher_loses_frames_and_continues_with_a_keyframe() -> None:
    _, hub, _ = open_hub()
    slow, fast = hub.join(), hub.join()
    for watcher in (slow, fast):
        await get(watcher)
    n_batches = MAX_QUEUED_BATCHES + 5
    for frame in range(n_batches):
        hub.publish_frame(packet(frame, key=frame in (0, n_batches - 2)))
        assert frames_of(await get(fast)) == [frame]
    messages = await get(slow)
    assert messages[0] == "description"
    assert frames_of(messages) == [n_batches - 2, n_batches - 1]
    hub.publish_frame(packet(n_batches))
    assert frames_of(await get(slow)) == [n_batches]


async def test_O19_long_time_without_a_keyframe_asks_the_game_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_hub, "MAX_BACKLOG_BYTES", 10_000)
    monkeypatch.setattr(watch_hub, "MAX_KEPT_BYTES", 30_000)
    _, hub, owner = open_hub()
    for frame in range(20):
        hub.publish_frame(packet(frame, key=frame == 0, size=1000))
    assert owner.n_keyframes == 1
    for frame in range(20, 60):
        hub.publish_frame(packet(frame, size=1000))
    assert await get(hub.join()) == ["description"]
    hub.publish_frame(packet(60, key=True))
    assert frames_of(await get(hub.join())) == [60]


async def test_O21_watchers_are_limited_per_game_and_per_server() -> None:
    registry, hub, _ = open_hub(max_per_game=2, max_watchers=3)
    other = registry.open_hub(Owner(), "other")
    first, _ = hub.join(), hub.join()
    with pytest.raises(TooManyWatchers):
        hub.join()
    other.join()
    with pytest.raises(TooManyWatchers):
        other.join()
    hub.leave(first)
    hub.leave(first)
    assert registry.n_watchers == 2
    other.join()


async def test_O18_token_names_the_server_that_has_an_address() -> None:
    server_id = uuid4()
    registry = WatchRegistry(1, 1, server_id)
    hub = registry.open_hub(Owner(), "game")
    named, _, secret = hub.token.partition(".")
    assert (UUID(named), len(secret)) == (server_id, 43)
    assert registry.find(hub.token) is hub
    with pytest.raises(NotFound):
        registry.find(secret)
    assert "." not in open_hub()[1].token


def revoke(registry: WatchRegistry, hub: WatchHub) -> None:
    registry.close_hub(hub, CloseCode.WATCHING_ENDED, "ended")


async def test_O18_revoked_link_closes_watchers_and_is_not_found_again() -> None:
    registry, hub, _ = open_hub()
    assert registry.find(hub.token) is hub
    watcher = hub.join()
    await get(watcher)
    hub.publish_frame(packet(0, key=True))
    revoke(registry, hub)
    assert frames_of(await get(watcher)) == [0]
    assert await get(watcher) == []
    assert watcher.closing == (CloseCode.WATCHING_ENDED, "ended")
    for token in (hub.token, "", "ä", hub.token[:-1], "\ud800"):
        with pytest.raises(NotFound):
            registry.find(token)
    with pytest.raises(TooManyWatchers):
        hub.join()


@pytest.mark.parametrize("change", [lambda hub: hub.join(), lambda hub: hub.leave(hub.join())])
async def test_R19_number_of_watchers_is_reported_once_per_interval(change: Callable[[WatchHub], object]) -> None:
    _, hub, owner = open_hub()
    first = hub.join()
    change(hub)
    change(hub)
    async with asyncio.timeout(10):
        await owner.reported.wait()
    assert owner.counts == [hub.n_watchers]
    owner.reported.clear()
    hub.leave(first)
    async with asyncio.timeout(10):
        await owner.reported.wait()
    assert owner.counts == [hub.n_watchers + 1, hub.n_watchers]
