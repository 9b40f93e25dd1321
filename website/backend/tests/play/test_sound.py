"""Sound is sent to clients that request it, after the frames, and does not change them (rules S1 to S4)."""

from pathlib import Path
from typing import Any

import pytest

from skill_arcade.environments.emulator_config import draw_seed
from skill_arcade.play.session.sound_stream import MAX_FRAMES_IN_FLIGHT
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.sound import SOUND, SoundPacket
from tests.support.session_harness import SessionHarness

SETUP: dict[str, Any] = {"keys": {}, "touch": False, "hand": "right", "gamepads": []}


def begin(folder: Path, *, sound: bool, seed: int | None = None) -> SessionHarness:
    with pytest.MonkeyPatch.context() as patch:
        if seed is not None:
            patch.setattr("skill_arcade.play.session.prepared_reset.draw_seed", lambda: seed)
        harness = SessionHarness(folder, "breakout")
    if sound:
        harness.send("setup", **SETUP, sound=True)
    harness.send("start")
    return harness


def test_S1_sound_is_sent_while_requested(tmp_path: Path) -> None:
    harness = begin(tmp_path, sound=False)
    assert harness.texts[0]["sound_hz"] == 30_720
    harness.ticks(20)
    assert harness.sounds == []
    harness.send("setup", **SETUP, sound=True)
    harness.ticks(20)
    assert [SoundPacket.unpack(packet).frame for _, packet in harness.sounds] == list(range(21, 41))
    assert all(len(SoundPacket.unpack(packet).samples) == 512 for _, packet in harness.sounds)
    harness.send("setup", **SETUP, sound=False)
    harness.ticks(20)
    assert len(harness.sounds) == 20


def test_S1_reconnect_is_without_sound_until_requested(tmp_path: Path) -> None:
    harness = begin(tmp_path, sound=True)
    harness.ticks(5)
    harness.reconnect()
    assert len(harness.sounds) == 5


def test_S1_turn_based_game_has_no_sound(tmp_path: Path) -> None:
    assert SessionHarness(tmp_path, "tower-of-hanoi").texts[0]["sound_hz"] is None


def test_S2_sound_packet_follows_its_frame(tmp_path: Path) -> None:
    harness = begin(tmp_path, sound=True)
    harness.ticks(30)
    frames = [int.from_bytes(harness.packets[before - 1][4:8], "little") for before, _ in harness.sounds]
    assert frames == [SoundPacket.unpack(packet).frame for _, packet in harness.sounds] == list(range(1, 31))


def test_S3_sound_is_dropped_before_frames(tmp_path: Path) -> None:
    harness = begin(tmp_path, sound=True)
    harness.acknowledges = False
    harness.ticks(45)
    assert len(harness.packets) == 46
    assert len(harness.sounds) == MAX_FRAMES_IN_FLIGHT - 1
    harness.acknowledges = True
    harness.ticks(1)
    assert SoundPacket.unpack(harness.sounds[MAX_FRAMES_IN_FLIGHT - 1][1]).frame == 46


@pytest.mark.parametrize("value", ["yes", 1, None, [True]])
def test_S4_sound_that_is_not_boolean_closes_with_bad_message(tmp_path: Path, value: object) -> None:
    harness = begin(tmp_path, sound=False)
    harness.send("setup", **SETUP, sound=value)
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.BAD_MESSAGE
    assert "sound" in harness.closed[1]


def test_sound_does_not_change_frames_and_scores(tmp_path: Path) -> None:
    seed = draw_seed()
    without_sound, with_sound = (begin(tmp_path / str(sound), sound=sound, seed=seed) for sound in (False, True))
    for harness in (without_sound, with_sound):
        harness.press("fire")
        harness.ticks(400)
        harness.send("leave")
    assert [head.seed for head in without_sound.headers] == [head.seed for head in with_sound.headers] == [seed]
    assert without_sound.packets == with_sound.packets
    assert without_sound.sounds == []
    samples = [SoundPacket.unpack(packet).samples for _, packet in with_sound.sounds]
    assert sum(min(step) < max(step) for step in samples) > 5


def test_sound_packet_round_trip_is_exact() -> None:
    steps = [bytes(range(256)) * 2, b"\0" * 512, b"\x80" * 512, b"\1"]
    packed = [SoundPacket(7, step).pack() for step in steps]
    assert [SoundPacket.unpack(packet) for packet in packed] == [SoundPacket(7, step) for step in steps]
    assert [len(packet) for packet in packed[1:]] == [9, 9, 9]


@pytest.mark.parametrize(
    "value", [b"", bytes([SOUND, 0, 0, 2]), bytes([1]) + bytes(20), bytes([SOUND, 1, 9, 0, *[0] * 6])]
)
def test_sound_packet_unpack_rejects_invalid_bytes(value: bytes) -> None:
    with pytest.raises(ValueError, match="sound packet"):
        SoundPacket.unpack(value)


def test_F9_game_without_sound_offers_and_sends_none(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", sound=False)
    assert harness.texts[0]["sound_hz"] is None
    harness.send("setup", **SETUP, sound=True)
    harness.send("start")
    harness.ticks(10)
    assert harness.sounds == []


def test_F9_game_with_sound_sends_it_without_a_request(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", sound=True)
    harness.send("setup", **SETUP, sound=False)
    harness.send("start")
    harness.ticks(10)
    assert len(harness.sounds) == 10
