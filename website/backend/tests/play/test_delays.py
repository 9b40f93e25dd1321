"""Delays that a study imposes: inputs act later, and pictures are sent later, exactly by the recorded times."""

import random
from pathlib import Path
from typing import Any

import pytest

from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.recording.records import RecordedStep
from skill_arcade.recording.segment import read_segment
from tests.support.session_harness import HELLO_MESSAGE, SessionHarness

DELAY_US = 100_000
PERIOD_US = 1_000_000 // 60


def tick_until(harness: SessionHarness, moment: int) -> None:
    """Do what is due up to a moment, which is then the present."""
    while (due := harness.session.due_us) is not None and due <= moment:
        harness.now = max(harness.now, due)
        harness.session.tick(harness.now)
    harness.now = moment


def read_steps(journal: Path) -> list[RecordedStep]:
    """Return the steps of the only episode."""
    [episode] = list_episodes(journal)
    segments = [read_segment(path) for path in sorted(episode.glob("*.sealed"))]
    return [step for segment in segments for step in segment.steps]


@pytest.mark.parametrize("delay_us", [0, DELAY_US, 33_333, 500_000])
def test_I4_input_acts_at_the_first_tick_after_its_delay(tmp_path: Path, delay_us: int) -> None:
    harness, rng = SessionHarness(tmp_path, "breakout", input_delay_us=delay_us), random.Random(delay_us)
    harness.send("start")
    for number in range(40):
        tick_until(harness, harness.now + rng.randint(40_000, 90_000))
        harness.press("right", down=number % 2 == 0)
    tick_until(harness, harness.now + delay_us + 100_000)
    harness.send("leave")
    steps = read_steps(tmp_path)
    received = {step.input.received_us for step in steps if step.input is not None}
    assert len(received) == 40
    for moment in received:
        acting = next(step for step in steps if step.input is not None and step.input.received_us == moment)
        expected = next(step for step in steps if step.server_us >= moment + delay_us)
        assert acting.step == expected.step


def test_I4_turn_based_step_is_taken_exactly_after_the_delay(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "tower-of-hanoi", input_delay_us=DELAY_US)
    harness.send("start")
    for pole in (1, 3, 1, 2):
        harness.press(f"pole-{pole}")
        harness.press(f"pole-{pole}", down=False)
        tick_until(harness, harness.now + 30_000)
    tick_until(harness, harness.now + DELAY_US)
    harness.send("leave")
    steps = read_steps(tmp_path)
    assert len(steps) == 4
    assert [step.server_us - step.input.received_us for step in steps if step.input] == [DELAY_US] * 4


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi"])
def test_I4_pause_and_end_drop_inputs_that_do_not_act_yet(tmp_path: Path, game: str) -> None:
    harness = SessionHarness(tmp_path, game, input_delay_us=DELAY_US)
    control = "right" if game == "breakout" else "pole-1"
    harness.send("start")
    harness.press(control)
    harness.session.detach(harness.now)
    tick_until(harness, harness.now + 2 * DELAY_US)
    harness.session.attach(HELLO_MESSAGE, harness.now)
    harness.send("resume")
    tick_until(harness, harness.now + DELAY_US)
    harness.press(control)
    harness.send("leave")
    tick_until(harness, harness.now + 2 * DELAY_US)
    harness.session.stop("left", harness.now)
    steps = read_steps(tmp_path) if game == "breakout" else []
    noop = harness.manifest.noop
    assert all(step.action == noop for step in steps)
    assert game == "breakout" or harness.n_steps == 0


class SendTimes(SessionHarness):
    """A session that notes the time at which each packet is sent."""

    def __init__(self, *arguments: Any, **fields: Any) -> None:
        self.sent: list[tuple[int, int]] = []  # of each frame, the times of its step and of sending it
        super().__init__(*arguments, **fields)

    def frame(self, packet: bytes) -> None:
        if not packet[1] & 32:
            self.sent.append((int.from_bytes(packet[8:16], "little"), self.now))
        super().frame(packet)


@pytest.mark.parametrize(("game", "delay_us"), [("breakout", 0), ("breakout", 200_000), ("tower-of-hanoi", 50_000)])
def test_F8_frames_are_sent_exactly_after_the_delay(tmp_path: Path, game: str, delay_us: int) -> None:
    harness = SendTimes(tmp_path, game, frame_delay_us=delay_us)
    harness.send("start")
    for _ in range(12):
        if game == "tower-of-hanoi":
            harness.press("pole-1")
            harness.press("pole-1", down=False)
        tick_until(harness, harness.now + 45_000)
    tick_until(harness, harness.now + delay_us)
    assert len(harness.sent) > 12
    assert {sent - made for made, sent in harness.sent} == {delay_us}


def test_F8_order_stays_and_pong_is_not_delayed(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "minigrid-fetch", frame_delay_us=DELAY_US)
    harness.order.clear()
    harness.send("start")
    harness.send("ping", id=1, previous=None)
    assert harness.order == ["started", "pong"]
    harness.send("leave")
    assert harness.order == ["started", "pong"]
    tick_until(harness, harness.now + DELAY_US)
    assert harness.order == ["started", "pong", "frame", "ended"]


def test_F8_waiting_frames_are_dropped_with_the_connection_and_sent_at_the_end(tmp_path: Path) -> None:
    harness = SendTimes(tmp_path, "breakout", frame_delay_us=500_000)
    harness.send("start")
    tick_until(harness, harness.now + 200_000)
    harness.session.detach(harness.now)
    tick_until(harness, harness.now + 1_000_000)
    assert harness.sent == []
    harness.session.attach(HELLO_MESSAGE, harness.now)
    harness.send("resume")
    tick_until(harness, harness.now + 100_000)
    harness.session.stop("server-stopped", harness.now)
    assert len(harness.sent) >= 5
    assert harness.order[-1] == "ended"
    made = [one for one, _ in harness.sent]
    assert made == sorted(made)


def test_F2_F8_delay_alone_drops_no_frame(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", frame_delay_us=500_000)
    harness.send("start")
    tick_until(harness, harness.now + 3_000_000)
    frames = [int.from_bytes(packet[4:8], "little") for packet in harness.packets]
    assert frames == list(range(len(frames)))
    assert len(frames) > 120
