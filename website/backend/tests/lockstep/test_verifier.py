"""Rules L1 to L7: the server follows a page, records what both agree on, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from skill_arcade.environments.factory import make_environment
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.play.assignment import SessionConfig
from skill_arcade.play.lockstep.verifier import MAX_OFFLINE_US, OFFLINE_TIMEOUT_US
from skill_arcade.play.session.session import Session
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.journal_files import list_files, read_file
from skill_arcade.recording.records import ActiveInput, RecordedStep
from skill_arcade.recording.segment import Segment, parse_segment
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.packet import PREVIEW
from tests.support.lockstep_page import PERIOD_MS, LockstepPage

GAME = load_catalogue().games["breakout"]
START = 10_000_000_000
"""The server's clock at first, microseconds."""
DELAY_US = 75_000
HELLO = {
    "protocol": 1,
    "time_origin": 0,
    "browser": "test",
    "screen": [800, 600],
    "pixel_ratio": 1,
    "refresh_hz": 60,
    "isolated": True,
}


class SentMessages:
    """What the session sent."""

    def __init__(self) -> None:
        self.texts: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self.closed: list[tuple[CloseCode, str]] = []

    def text(self, message: bytes) -> None:
        self.texts.append(json.loads(message))

    def frame(self, packet: bytes) -> None:
        if not packet[1] & PREVIEW:
            self.frames.append(packet)

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed.append((code, reason))

    def last(self, kind: str) -> dict[str, Any]:
        return next(message for message in reversed(self.texts) if message["type"] == kind)

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.texts]


class LockstepHarness:
    """A session with a page at it, both on clocks that the test turns."""

    def __init__(self, folder: Path, module: str | None = "0" * 64) -> None:
        self.folder, self.sent, self.now = folder, SentMessages(), START
        config = SessionConfig("ann", {"mode": "streamed"}, 5_000_000, 60_000_000, module)
        open_journal: Callable[..., Journal] = lambda head: Journal(folder, head)  # noqa: E731
        env = make_environment(GAME.environment)
        self.session = Session(GAME, env, self.sent, open_journal, config, wall_us=lambda: self.now)
        self.come()

    def come(self) -> None:
        """A socket opens and says hello."""
        self.session.attach(self.now)
        self.say("hello", **HELLO)

    def say(self, kind: str, **fields: Any) -> None:
        """The page sends a message; it arrives now."""
        fields = {"at": 1000.0, **fields} if kind != "ticks" else fields
        self.session.receive(json.dumps({"type": kind, **fields}).encode(), self.now, self.now)

    def start(self, mode: str = "lockstep") -> LockstepPage:
        """Begin an episode, and the page's own game."""
        self.say("start", mode=mode)
        episode = self.segments()[0].header
        return LockstepPage(GAME, episode.seed)

    def send(self, page: LockstepPage, count: int = 6, **wrong: Any) -> None:
        """The page takes steps and sends them; `wrong` is put into the message."""
        before = page.now_ms
        page.step(count)
        self.now += round((page.now_ms - before) * 1000)
        self.say(**{"kind": "ticks", **{k: v for k, v in page.ticks().items() if k != "type"}, **wrong})

    def play(self, page: LockstepPage, steps: int) -> None:
        """Play on, six steps a message."""
        for _ in range(steps // 6):
            self.send(page)

    def segments(self) -> list[Segment]:
        """What is in the journal of the newest episode, sealed or not."""
        folder = max(self.folder.iterdir())
        found = [read_file(path) for path in list_files(folder)]
        segments = [parse_segment(file[1])[0] for file in found if file is not None]
        return [segment for segment in segments if segment is not None]

    def steps(self) -> list[RecordedStep]:
        return [step for segment in self.segments() for step in segment.steps]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for segment in self.segments() for event in segment.events if event.kind == kind]


@pytest.fixture
def table(tmp_path: Path) -> LockstepHarness:
    return LockstepHarness(tmp_path)


def test_L1_a_game_is_offered_with_all_that_the_page_needs(table: LockstepHarness) -> None:
    offer = table.sent.last("welcome")["lockstep"]
    assert offer["module"] == f"/lockstep/{'0' * 64}.wasm"
    assert (offer["game"], offer["hz"], offer["frameskip"], offer["sticky"]) == ("breakout", 60, 1, 0)
    assert (offer["max_frames"], offer["max_steps"], offer["counts_lives"]) == (108_000, None, True)


def test_L1_without_an_emulator_nothing_is_offered_and_the_game_is_streamed(tmp_path: Path) -> None:
    table = LockstepHarness(tmp_path, module=None)
    assert table.sent.last("welcome")["lockstep"] is None
    table.say("start", mode="lockstep")
    assert table.sent.last("started")["lockstep"] is None
    assert len(table.sent.frames) == 1


def test_L1_no_frames_are_sent_and_the_mode_is_on_record(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    assert table.sent.frames == []
    provenance = table.segments()[0].header.provenance
    assert provenance["mode"] == "lockstep"
    assert provenance["lockstep"]["ale_seed"] == table.sent.last("started")["lockstep"]["ale_seed"]


def test_L4_what_both_agree_on_is_recorded_with_the_times_of_the_page(table: LockstepHarness) -> None:
    page = table.start()
    page.press("fire")
    table.send(page)
    page.press("fire", down=False)
    page.press("left")
    table.play(page, 54)
    assert table.sent.last("ticked") == {"type": "ticked", "n_steps": 60, "digest": page.digest}
    steps = table.steps()
    assert [step.action for step in steps] == [1] * 6 + [3] * 54
    assert [step.stepped_us for step in steps] == [round((1000 + PERIOD_MS * n) * 1000) for n in range(1, 61)]
    assert all(step.late_us is None for step in steps)
    assert [step.input.at_us if step.input else None for step in steps[5:7]] == [1_001_000, 1_101_000]
    assert [step.input.frame if step.input else None for step in steps[5:7]] == [0, 6]
    assert [event["control"] for event in table.events("input")] == ["fire", "fire", "left"]


def test_L4_the_end_of_the_game_is_the_servers(table: LockstepHarness) -> None:
    page = table.start()
    for _ in range(40):
        page.press("fire")
        table.play(page, 30)
        page.press("fire", down=False)
        table.play(page, 120)
        if page.over:
            break
    assert page.over
    assert table.sent.last("ended")["reason"] == "terminated"
    assert table.sent.last("ended")["n_steps"] == page.n_steps == len(table.steps())


def test_L7_a_step_that_led_elsewhere_is_not_recorded_and_the_next_game_is_streamed(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    page.digest ^= 1
    table.send(page)
    ended = table.sent.last("ended")
    assert (ended["status"], ended["reason"], ended["n_steps"]) == ("incomplete", "diverged", 60)
    assert len(table.steps()) == 60
    (incident,) = table.events("incident")
    assert (incident["what"], incident["agreed_steps"], len(incident["actions"])) == ("diverged", 60, 6)
    assert incident["digest"] != incident["digests"][0]
    table.say("start", mode="lockstep")
    assert table.sent.last("started")["lockstep"] is None
    assert len(table.sent.frames) == 1


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"first": 54}, "replayed"),
        ({"first": 66}, "gap"),
        ({"actions": [3] * 6}, "not-latched"),
        ({"at": [1.0]}, "malformed"),
    ],
)
def test_L7_steps_that_can_not_be_are_refused(table: LockstepHarness, wrong: dict[str, Any], what: str) -> None:
    page = table.start()
    table.play(page, 60)
    table.send(page, **wrong)
    assert table.sent.last("ended")["reason"] == "refused"
    assert [incident["what"] for incident in table.events("incident")] == [what]
    assert len(table.steps()) == 60


def test_L7_the_same_message_twice_is_refused(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    page.step(6)
    table.now += 100_000
    message = page.ticks()
    for _ in range(2):
        table.session.receive(json.dumps(message).encode(), table.now, table.now)
    assert [incident["what"] for incident in table.events("incident")] == ["replayed"]
    assert len(table.steps()) == 66


def test_L6_slow_motion_is_refused(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 600)
    while "ended" not in table.sent.kinds():
        table.now += 100_000
        page.now_ms += 100
        table.send(page)
    assert [incident["what"] for incident in table.events("incident")] == ["too-slow"]
    assert page.n_steps < 600 + 60 * 5


def test_L6_steps_faster_than_the_game_are_refused(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    page.step(60)
    table.say(**{"kind": "ticks", **{k: v for k, v in page.ticks().items() if k != "type"}})
    assert [incident["what"] for incident in table.events("incident")] == ["too-fast"]


def test_L5_a_page_plays_on_without_its_socket_and_nothing_is_missing(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    table.session.detach(table.now)
    page.step(600)
    table.now += 10_000_000
    table.come()
    assert table.sent.last("started")["lockstep"]["n_steps"] == 60
    table.send(page)
    table.play(page, 60)
    assert table.sent.last("ticked")["n_steps"] == 726 == len(table.steps())
    assert "paused" not in table.sent.kinds()


def test_L5_a_page_that_was_away_too_long_froze_and_goes_on_after_a_pause(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    table.session.detach(table.now)
    page.step(MAX_OFFLINE_US // 16_667)
    table.now += 45_000_000
    page.now_ms += 25_000
    table.come()
    table.send(page, 0)
    table.say("pause")
    assert table.sent.last("paused")["reason"] == "player"
    table.now += 5_000_000
    table.say("resume")
    table.play(page, 60)
    assert table.sent.last("ticked")["n_steps"] == page.n_steps == len(table.steps())


def test_L5_a_page_that_was_loaded_anew_goes_on_by_streaming_in_the_same_episode(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    table.session.detach(table.now)
    table.now += 2_000_000
    table.come()
    table.say("stream", reason="loaded anew")
    assert len(table.sent.frames) == 1
    assert table.sent.last("paused")["reason"] == "connection"
    table.say("resume")
    for _ in range(30):
        due = table.session.due_us
        assert due is not None
        table.now = due
        table.session.tick(table.now)
    assert len(table.steps()) >= 60 + 29
    assert table.steps()[59].stepped_us is not None
    assert table.steps()[60].stepped_us is None
    assert table.events("stream") == [{"reason": "loaded anew"}]


def test_L5_who_does_not_come_back_leaves_what_arrived(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    table.session.detach(table.now)
    due = table.session.due_us
    while due is not None and not table.session.is_finished:
        table.now = due
        table.session.tick(table.now)
        due = table.session.due_us
    assert table.session.is_finished
    last = table.segments()[-1]
    assert last.end is not None
    assert (last.end.reason, last.end.n_steps) == ("disconnected", 60)


def test_L7_a_page_that_falls_silent_ends_its_game(table: LockstepHarness) -> None:
    page = table.start()
    table.play(page, 60)
    table.now += OFFLINE_TIMEOUT_US
    table.session.tick(table.now)
    table.session.tick(table.now)
    assert table.sent.last("ended")["reason"] == "silent"


def test_L2_a_pause_stands_between_steps_and_lets_go_of_the_controls(table: LockstepHarness) -> None:
    page = table.start()
    page.press("right")
    table.play(page, 60)
    table.say("pause")
    page.controls.release(ActiveInput(0, 0, None))
    table.now += 600_000_000
    page.now_ms += 600_000
    table.say("resume")
    table.play(page, 60)
    assert [step.action for step in table.steps()] == [2] * 60 + [0] * 60


def test_an_episode_can_follow_another_in_lockstep(table: LockstepHarness) -> None:
    first = table.start()
    table.play(first, 60)
    table.say("leave")
    table.now += 2_000_000
    table.session.tick(table.now)
    second = table.start()
    table.play(second, 60)
    assert table.sent.last("ticked")["n_steps"] == 60
    assert UUID(table.sent.last("started")["episode"]) == table.segments()[0].header.episode_id
