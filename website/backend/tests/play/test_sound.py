"""Sound comes to who asks for it, behind the frames, and changes nothing of them. Rules S1 to S4 of the SPEC."""

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
        table = SessionHarness(folder, "breakout")
    if sound:
        table.send("setup", **SETUP, sound=True)
    table.send("start")
    return table


def test_S1_sound_comes_while_it_is_asked_for(tmp_path: Path) -> None:
    table = begin(tmp_path, sound=False)
    assert table.texts[0]["sound_hz"] == 30_720
    table.ticks(20)
    assert table.sounds == []
    table.send("setup", **SETUP, sound=True)
    table.ticks(20)
    assert [SoundPacket.unpack(packet).frame for _, packet in table.sounds] == list(range(21, 41))
    assert all(len(SoundPacket.unpack(packet).samples) == 512 for _, packet in table.sounds)
    table.send("setup", **SETUP, sound=False)
    table.ticks(20)
    assert len(table.sounds) == 20


def test_S1_a_new_socket_is_silent_until_it_asks(tmp_path: Path) -> None:
    table = begin(tmp_path, sound=True)
    table.ticks(5)
    table.session.detach(table.now)
    table.session.attach(table.now)
    assert len(table.sounds) == 5


def test_S1_a_game_of_turns_has_none(tmp_path: Path) -> None:
    assert SessionHarness(tmp_path, "tower-of-hanoi-4").texts[0]["sound_hz"] is None


def test_S2_each_comes_right_behind_its_frame(tmp_path: Path) -> None:
    table = begin(tmp_path, sound=True)
    table.ticks(30)
    frames = [int.from_bytes(table.packets[before - 1][4:8], "little") for before, _ in table.sounds]
    assert frames == [SoundPacket.unpack(packet).frame for _, packet in table.sounds] == list(range(1, 31))


def test_S3_sound_is_dropped_before_a_frame_is(tmp_path: Path) -> None:
    table = begin(tmp_path, sound=True)
    table.acknowledges = False
    table.ticks(45)
    assert len(table.packets) == 46
    assert len(table.sounds) == MAX_FRAMES_IN_FLIGHT - 1
    table.acknowledges = True
    table.ticks(1)
    assert SoundPacket.unpack(table.sounds[MAX_FRAMES_IN_FLIGHT - 1][1]).frame == 46


@pytest.mark.parametrize("wrong", ["yes", 1, None, [True]])
def test_S4_what_is_no_boolean_is_refused(tmp_path: Path, wrong: object) -> None:
    table = begin(tmp_path, sound=False)
    table.send("setup", **SETUP, sound=wrong)
    assert table.closed is not None
    assert table.closed[0] is CloseCode.BAD_MESSAGE
    assert "sound" in table.closed[1]


def test_frames_and_scores_are_the_same_with_sound_and_without(tmp_path: Path) -> None:
    seed = draw_seed()
    silent, loud = (begin(tmp_path / str(sound), sound=sound, seed=seed) for sound in (False, True))
    for table in (silent, loud):
        table.press("fire")
        table.ticks(400)
        table.send("leave")
    assert [head.seed for head in silent.headers] == [head.seed for head in loud.headers] == [seed]
    assert silent.packets == loud.packets
    assert silent.sounds == []
    samples = [SoundPacket.unpack(packet).samples for _, packet in loud.sounds]
    assert sum(min(step) < max(step) for step in samples) > 5


def test_packets_go_there_and_back() -> None:
    steps = [bytes(range(256)) * 2, b"\0" * 512, b"\x80" * 512, b"\1"]
    packed = [SoundPacket(7, step).pack() for step in steps]
    assert [SoundPacket.unpack(packet) for packet in packed] == [SoundPacket(7, step) for step in steps]
    assert [len(packet) for packet in packed[1:]] == [9, 9, 9]


@pytest.mark.parametrize(
    "wrong", [b"", bytes([SOUND, 0, 0, 2]), bytes([1]) + bytes(20), bytes([SOUND, 1, 9, 0, *[0] * 6])]
)
def test_what_is_no_sound_packet_is_refused(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="sound packet"):
        SoundPacket.unpack(wrong)
