"""Rules of wire/SPEC.md at the session, on a manual clock: order, flow control and turn-based input."""

import json
from pathlib import Path
from typing import Any

import pytest

from skill_arcade.play.session.client_channel import MAX_DROPPED_FRAMES, MAX_FRAMES_IN_FLIGHT
from skill_arcade.recording.segment import read_segment
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.packet import LAST, FramePacket
from tests.support.session_harness import HELLO, SessionHarness

INPUT: dict[str, Any] = {"control": "fire", "down": True, "frame": None, "device": "keyboard", "code": "Space"}


@pytest.fixture
def harness(tmp_path: Path) -> SessionHarness:
    return SessionHarness(tmp_path, "breakout", segment_us=60_000_000)  # no ticks for rotation


def acknowledge_all(harness: SessionHarness) -> None:
    shown = {"type": "shown", "received": FramePacket.unpack(harness.packets[-1]).frame, "frames": []}
    harness.session.receive(json.dumps(shown).encode(), harness.now, harness.now)


def test_O2_start_is_answered_by_started_and_keyframe_of_observation_0(harness: SessionHarness) -> None:
    harness.send("start")
    assert harness.order[-2:] == ["started", "frame"]
    first = FramePacket.unpack(harness.packets[0])
    assert (first.frame, first.encoded.key) == (0, True)


def test_O3_one_frame_follows_each_step_in_order(harness: SessionHarness) -> None:
    harness.send("start")
    harness.ticks(100)
    assert [FramePacket.unpack(packet).frame for packet in harness.packets] == list(range(101))


def test_O4_last_frame_comes_before_ended_and_next_start_is_accepted(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "cart-pole")
    harness.send("start")
    harness.play_on(1000)
    assert harness.has_ended()
    assert [kind for kind in harness.order if kind in ("frame", "ended")][-2:] == ["frame", "ended"]
    assert harness.packets[-1][1] & LAST
    harness.send("start")
    assert harness.order[-2:] == ["started", "frame"]
    assert harness.closed is None


def test_O5_ping_is_answered_in_every_phase(harness: SessionHarness) -> None:
    for ping_id, kind in enumerate((None, "start", "pause", "resume", "leave")):
        if kind is not None:
            harness.send(kind)
        harness.send("ping", id=ping_id, previous=None)
        pong = harness.messages_of("pong")
        assert (pong["id"], pong["received_us"], pong["sent_us"]) == (ping_id, harness.now, harness.now)


def test_O6_reconnect_gets_paused_episode_and_keyframe_and_resume_continues(harness: SessionHarness) -> None:
    harness.send("start")
    harness.ticks(30)
    harness.reconnect()
    assert harness.order[-3:] == ["welcome", "started", "frame"]
    welcome, newest = harness.messages_of("welcome"), FramePacket.unpack(harness.packets[-1])
    assert (welcome["phase"], welcome["episode"]) == ("paused", harness.messages_of("started")["episode"])
    assert (newest.frame, newest.encoded.key) == (30, True)
    harness.send("resume")
    harness.ticks(1)
    assert FramePacket.unpack(harness.packets[-1]).frame == 31


def test_O6_reconnect_after_timeout_finds_session_finished(harness: SessionHarness) -> None:
    harness.send("start")
    harness.ticks(30)
    harness.session.detach(harness.now)
    while not harness.session.is_finished:
        due = harness.session.due_us
        assert due is not None
        harness.now = due
        harness.session.tick(due)
    assert harness.now >= 60_000_000


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("nonsense", {}),
        ("start", {"mode": "backwards"}),
        ("input", {**INPUT, "control": "brake"}),
        ("hello", {"isolated": True, **HELLO}),
        ("start", {}),
    ],
    ids=["unknown-type", "invalid-field", "unknown-control", "second-hello", "start-while-playing"],
)
def test_O7_invalid_message_closes_with_bad_message(harness: SessionHarness, kind: str, fields: dict[str, Any]) -> None:
    harness.send("start")
    harness.send(kind, **fields)
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.BAD_MESSAGE
    assert harness.closed[1]


@pytest.mark.parametrize("phase", ["ready", "ended"])
@pytest.mark.parametrize(("kind", "fields"), [("input", INPUT), ("pause", {}), ("resume", {}), ("leave", {})])
def test_O8_message_outside_of_episode_is_ignored(
    harness: SessionHarness, phase: str, kind: str, fields: dict[str, Any]
) -> None:
    if phase == "ended":
        harness.send("start")
        harness.send("leave")
    order = list(harness.order)
    harness.send(kind, **fields)
    assert (harness.order, harness.closed) == (order, None)


def test_O9_setup_is_stored_in_provenance_and_change_as_event(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    setup: dict[str, Any] = {"keys": {}, "touch": False, "hand": "left", "gamepads": [], "sound": False}
    harness.send("setup", **setup)
    harness.send("start")
    harness.send("setup", **{**setup, "touch": True})
    harness.send("leave")
    assert harness.headers[0].provenance["setup"] == setup
    [path] = (tmp_path / str(harness.headers[0].episode_id)).glob("*.sealed")
    assert [event.data for event in read_segment(path).events if event.kind == "setup"] == [{**setup, "touch": True}]


def test_F1_text_messages_are_sent_while_frames_are_dropped(harness: SessionHarness) -> None:
    harness.send("start")
    harness.acknowledges = False
    harness.ticks(2 * MAX_FRAMES_IN_FLIGHT)
    assert len(harness.packets) < 2 * MAX_FRAMES_IN_FLIGHT
    harness.send("ping", id=1, previous=None)
    harness.send("pause")
    assert harness.order[-2:] == ["pong", "paused"]


def test_F2_slow_client_gets_keyframe_after_dropped_frames(harness: SessionHarness) -> None:
    harness.send("start")
    harness.acknowledges = False
    harness.ticks(MAX_FRAMES_IN_FLIGHT + 40)
    assert len(harness.packets) == MAX_FRAMES_IN_FLIGHT + 1
    acknowledge_all(harness)
    harness.ticks(1)
    newest = FramePacket.unpack(harness.packets[-1])
    assert (newest.frame, newest.encoded.key) == (MAX_FRAMES_IN_FLIGHT + 41, True)


def test_F3_client_that_receives_nothing_is_closed_as_too_slow_and_can_reconnect(harness: SessionHarness) -> None:
    harness.send("start")
    harness.acknowledges = False
    harness.ticks(MAX_FRAMES_IN_FLIGHT + MAX_DROPPED_FRAMES)
    assert harness.closed is None
    harness.ticks(1)
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.TOO_SLOW
    harness.reconnect()
    assert harness.messages_of("welcome")["phase"] == "paused"


def test_I3_turn_based_press_is_one_step_and_release_is_none(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "tower-of-hanoi")
    control = harness.manifest.controls[0].name
    harness.send("start")
    for number in range(1, 4):
        harness.press(control)
        assert harness.n_steps == number
        harness.press(control, down=False)
        assert harness.n_steps == number
