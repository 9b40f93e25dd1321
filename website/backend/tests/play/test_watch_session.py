"""What a session sends to watchers and records of them, on a manual clock (rules O18, O20 and R19)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from skill_arcade.frames.decoder import Decoder
from skill_arcade.recording.segment import read_segment
from skill_arcade.wire.packet import FramePacket
from tests.support.session_harness import HELLO_MESSAGE, SessionHarness


def decode(packets: list[bytes]) -> dict[int, NDArray[np.uint8]]:
    """Decode packets from the first one on; return the pictures by frame."""
    decoder = Decoder(1, 1)
    pictures = {}
    for packet in map(FramePacket.unpack, packets):
        pictures[packet.frame] = decoder.decode(packet.encoded)
    return pictures


def read_journal(folder: Path, harness: SessionHarness) -> tuple[list[dict[str, Any]], list[tuple[str, Any]]]:
    """Return the provenance of each segment of the last episode, and its events about watching."""
    paths = sorted((folder / str(harness.headers[-1].episode_id)).glob("*.sealed"))
    segments = [read_segment(path) for path in paths]
    events = [(event.kind, event.data) for segment in segments for event in segment.events]
    return [segment.header.provenance for segment in segments], [event for event in events if "watch" in event[0]]


def test_O18_nothing_is_sent_to_watchers_until_the_player_allows_it(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send("start")
    harness.ticks(20)
    harness.session.send_scene()
    assert (harness.watched, harness.scenes) == ([], [])
    harness.send("watch", allowed=True)
    assert harness.scenes[-1] is not None
    assert harness.scenes[-1]["phase"] == "playing"
    harness.ticks(5)
    assert [FramePacket.unpack(packet).frame for packet in harness.watched] == [20, 21, 22, 23, 24, 25]
    harness.send("watch", allowed=False)
    harness.ticks(5)
    assert len(harness.watched) == 6
    assert harness.scenes[-1] is None


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi", "lunar-lander"])
def test_O19_watching_begins_with_a_keyframe_of_what_the_player_sees(tmp_path: Path, game: str) -> None:
    harness = SessionHarness(tmp_path, game)
    harness.send("start")
    control = harness.manifest.controls[0].name
    for _ in range(3):
        harness.press(control)
        harness.play_on(10 * (harness.manifest.pace.kind == "real-time"))
        harness.press(control, down=False)
    harness.send("watch", allowed=True)
    first = FramePacket.unpack(harness.watched[0])
    assert first.encoded.key
    assert first.frame == harness.n_steps
    for _ in range(3):
        harness.press(control)
        harness.play_on(10 * (harness.manifest.pace.kind == "real-time"))
        harness.press(control, down=False)
    shown, watched = decode(harness.packets), decode(harness.watched)
    assert watched
    for frame, picture in watched.items():
        assert np.array_equal(picture, shown[frame])


def test_O20_watchers_get_each_frame_also_when_the_player_drops_frames_or_is_away(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send("start")
    harness.send("watch", allowed=True)
    harness.acknowledges = False
    harness.ticks(200)
    assert len(harness.packets) < 100
    frames = sorted(decode(harness.watched))
    assert frames == list(range(len(frames)))
    assert len(frames) > 150
    harness.session.detach(harness.now)
    harness.session.send_scene()
    assert harness.scenes[-1] == {"type": "scene", "phase": "paused", "is_away": True, "caption": ""}


def test_O18_link_stays_after_a_reconnect_and_is_sent_again(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send("start")
    harness.send("watch", allowed=True)
    harness.ticks(5)
    harness.session.detach(harness.now)
    harness.session.send_scene()
    n_scenes = len(harness.scenes)
    harness.session.attach(HELLO_MESSAGE, harness.now)
    harness.session.send_scene()
    assert len(harness.scenes) == n_scenes + 1
    assert harness.scenes[-1] == {"type": "scene", "phase": "paused", "is_away": False, "caption": ""}


def test_R19_watching_is_on_record_in_the_episode(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", segment_us=200_000)
    harness.send("start")
    harness.ticks(5)
    harness.send("watch", allowed=True)
    harness.send("watch", allowed=True)
    harness.session.record_watchers(2, harness.now)
    harness.ticks(20)
    harness.send("watch", allowed=False)
    harness.send("leave")
    harness.session.tick(harness.now + 2_000_000)
    provenance, events = read_journal(tmp_path, harness)
    assert not any("watch" in one for one in provenance)
    assert events == [("watch", {"allowed": True}), ("watchers", {"count": 2}), ("watch", {"allowed": False})]


def test_R19_episode_that_begins_watched_says_so_in_each_segment(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", segment_us=200_000)
    harness.send("watch", allowed=True)
    harness.send("start")
    harness.ticks(30)
    harness.send("leave")
    harness.session.tick(harness.now + 2_000_000)
    provenance, events = read_journal(tmp_path, harness)
    assert len(provenance) > 1
    assert all(one["watch"] is True for one in provenance)
    assert events == []
