"""The server verifies a lockstep page, and records only the steps on which both agree (rules L1 to L7)."""

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from skill_arcade.environments.atari import AtariPlayableEnv
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
from skill_arcade.wire.packet import PREVIEW, FramePacket
from tests.support.lockstep_page import PERIOD_MS, LockstepPage
from tests.support.session_harness import HELLO_MESSAGE

GAME = load_catalogue().games["breakout"]
START = 10_000_000_000
"""The server's clock at first, in microseconds."""
DELAY_US = 75_000


class SentMessages:
    """Records what the session sends."""

    def __init__(self) -> None:
        self.texts: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self.watched: list[bytes] = []
        self.scenes: list[dict[str, Any] | None] = []
        self.closed: list[tuple[CloseCode, str]] = []

    def text(self, message: bytes) -> None:
        self.texts.append(json.loads(message))

    def frame(self, packet: bytes) -> None:
        if not packet[1] & PREVIEW:
            self.frames.append(packet)

    def watch_frame(self, packet: bytes) -> None:
        self.watched.append(packet)

    def watch_scene(self, scene: bytes | None) -> None:
        self.scenes.append(None if scene is None else json.loads(scene))

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed.append((code, reason))

    def last(self, kind: str) -> dict[str, Any]:
        return next(message for message in reversed(self.texts) if message["type"] == kind)

    def kinds(self) -> list[str]:
        return [message["type"] for message in self.texts]


class LockstepHarness:
    """A session with a page, both on manual clocks."""

    def __init__(self, folder: Path, module: str | None = "0" * 64) -> None:
        self.folder, self.sent, self.now = folder, SentMessages(), START
        config = SessionConfig("ann", {"mode": "streamed"}, 5_000_000, 60_000_000, module)
        open_journal: Callable[..., Journal] = lambda head: Journal(folder, head)  # noqa: E731
        env = make_environment(GAME.environment)
        self.session = Session(GAME, env, self.sent, open_journal, config, wall_us=lambda: self.now)
        self.connect()

    def connect(self) -> None:
        """Connect and send `hello`."""
        self.session.attach(HELLO_MESSAGE, self.now)

    def receive(self, kind: str, **fields: Any) -> None:
        """Receive a message of the page now."""
        fields = {"at": 1000.0, **fields} if kind != "ticks" else fields
        self.session.receive(json.dumps({"type": kind, **fields}).encode(), self.now, self.now)

    def start(self, mode: str = "lockstep") -> LockstepPage:
        """Start an episode, and the page's own game."""
        self.receive("start", mode=mode)
        episode = self.segments()[0].header
        return LockstepPage(GAME, episode.seed)

    def send(self, page: LockstepPage, count: int = 6, **overrides: Any) -> None:
        """Let the page take steps and send them, with `overrides` in the message."""
        before = page.now_ms
        page.step(count)
        self.now += round((page.now_ms - before) * 1000)
        self.receive(**{"kind": "ticks", **{k: v for k, v in page.ticks().items() if k != "type"}, **overrides})

    def play(self, page: LockstepPage, steps: int) -> None:
        """Play six steps per message."""
        for _ in range(steps // 6):
            self.send(page)

    def segments(self) -> list[Segment]:
        """Return the segments of the newest episode in the journal, sealed or not."""
        folder = max(self.folder.iterdir())
        files = [read_file(path) for path in list_files(folder)]
        segments = [parse_segment(file[1])[0] for file in files if file is not None]
        return [segment for segment in segments if segment is not None]

    def steps(self) -> list[RecordedStep]:
        return [step for segment in self.segments() for step in segment.steps]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for segment in self.segments() for event in segment.events if event.kind == kind]


@pytest.fixture
def harness(tmp_path: Path) -> LockstepHarness:
    return LockstepHarness(tmp_path)


def test_L1_welcome_offers_lockstep_with_settings(harness: LockstepHarness) -> None:
    offer = harness.sent.last("welcome")["lockstep"]
    assert offer["module"] == f"/lockstep/{'0' * 64}.wasm"
    assert (offer["game"], offer["hz"], offer["frameskip"], offer["sticky"]) == ("breakout", 60, 1, 0)
    assert (offer["max_frames"], offer["max_steps"], offer["counts_lives"]) == (108_000, None, True)


def test_L1_lockstep_without_emulator_is_streamed(tmp_path: Path) -> None:
    harness = LockstepHarness(tmp_path, module=None)
    assert harness.sent.last("welcome")["lockstep"] is None
    harness.receive("start", mode="lockstep")
    assert harness.sent.last("started")["lockstep"] is None
    assert len(harness.sent.frames) == 1


def test_L1_lockstep_sends_no_frames_and_records_mode(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    assert harness.sent.frames == []
    provenance = harness.segments()[0].header.provenance
    assert provenance["mode"] == "lockstep"
    assert provenance["lockstep"]["ale_seed"] == harness.sent.last("started")["lockstep"]["ale_seed"]


def test_L4_lockstep_records_agreed_steps_with_page_times(harness: LockstepHarness) -> None:
    page = harness.start()
    page.press("fire")
    harness.send(page)
    page.press("fire", down=False)
    page.press("left")
    harness.play(page, 54)
    assert harness.sent.last("ticked") == {"type": "ticked", "n_steps": 60, "digest": page.digest}
    steps = harness.steps()
    assert [step.action for step in steps] == [1] * 6 + [3] * 54
    assert [step.stepped_us for step in steps] == [round((1000 + PERIOD_MS * n) * 1000) for n in range(1, 61)]
    assert all(step.late_us is None for step in steps)
    assert [step.input.at_us if step.input else None for step in steps[5:7]] == [1_001_000, 1_101_000]
    assert [step.input.frame if step.input else None for step in steps[5:7]] == [0, 6]
    assert [event["control"] for event in harness.events("input")] == ["fire", "fire", "left"]


def test_L4_lockstep_game_ends_by_the_server(harness: LockstepHarness) -> None:
    page = harness.start()
    for _ in range(40):
        page.press("fire")
        harness.play(page, 30)
        page.press("fire", down=False)
        harness.play(page, 120)
        if page.over:
            break
    assert page.over
    assert harness.sent.last("ended")["reason"] == "terminated"
    assert harness.sent.last("ended")["n_steps"] == page.n_steps == len(harness.steps())


def test_L7_lockstep_wrong_digest_ends_as_diverged_and_streams_next(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    page.digest ^= 1
    harness.send(page)
    ended = harness.sent.last("ended")
    assert (ended["status"], ended["reason"], ended["n_steps"]) == ("incomplete", "diverged", 60)
    assert len(harness.steps()) == 60
    (incident,) = harness.events("incident")
    assert (incident["what"], incident["agreed_steps"], len(incident["actions"])) == ("diverged", 60, 6)
    assert incident["digest"] != incident["digests"][0]
    harness.receive("start", mode="lockstep")
    assert harness.sent.last("started")["lockstep"] is None
    assert len(harness.sent.frames) == 1


@pytest.mark.parametrize(
    ("overrides", "incident_kind"),
    [
        ({"first": 54}, "replayed"),
        ({"first": 66}, "gap"),
        ({"actions": [3] * 6}, "not-latched"),
        ({"at": [1.0]}, "malformed"),
    ],
)
def test_L7_lockstep_invalid_steps_end_as_refused(
    harness: LockstepHarness, overrides: dict[str, Any], incident_kind: str
) -> None:
    page = harness.start()
    harness.play(page, 60)
    harness.send(page, **overrides)
    assert harness.sent.last("ended")["reason"] == "refused"
    assert [incident["what"] for incident in harness.events("incident")] == [incident_kind]
    assert len(harness.steps()) == 60


def test_L7_lockstep_repeated_message_is_refused(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    page.step(6)
    harness.now += 100_000
    message = page.ticks()
    for _ in range(2):
        harness.session.receive(json.dumps(message).encode(), harness.now, harness.now)
    assert [incident["what"] for incident in harness.events("incident")] == ["replayed"]
    assert len(harness.steps()) == 66


def test_L6_lockstep_slow_motion_is_refused(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 600)
    while "ended" not in harness.sent.kinds():
        harness.now += 100_000
        page.now_ms += 100
        harness.send(page)
    assert [incident["what"] for incident in harness.events("incident")] == ["too-slow"]
    assert page.n_steps < 600 + 60 * 5


def test_L6_lockstep_too_fast_steps_are_refused(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    page.step(60)
    harness.receive(**{"kind": "ticks", **{k: v for k, v in page.ticks().items() if k != "type"}})
    assert [incident["what"] for incident in harness.events("incident")] == ["too-fast"]


def test_L5_lockstep_reconnect_submits_steps_of_the_disconnection(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    harness.session.detach(harness.now)
    page.step(600)
    harness.now += 10_000_000
    harness.connect()
    assert harness.sent.last("started")["lockstep"]["n_steps"] == 60
    harness.send(page)
    harness.play(page, 60)
    assert harness.sent.last("ticked")["n_steps"] == 726 == len(harness.steps())
    assert "paused" not in harness.sent.kinds()


def test_L5_lockstep_reconnect_after_offline_timeout_continues_from_pause(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    harness.session.detach(harness.now)
    page.step(MAX_OFFLINE_US // 16_667)
    harness.now += 45_000_000
    page.now_ms += 25_000
    harness.connect()
    harness.send(page, 0)
    harness.receive("pause")
    assert harness.sent.last("paused")["reason"] == "player"
    harness.now += 5_000_000
    harness.receive("resume")
    harness.play(page, 60)
    assert harness.sent.last("ticked")["n_steps"] == page.n_steps == len(harness.steps())


def test_L5_lockstep_reconnect_of_reloaded_page_switches_to_streaming(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    harness.session.detach(harness.now)
    harness.now += 2_000_000
    harness.connect()
    harness.receive("stream", reason="loaded anew")
    assert len(harness.sent.frames) == 1
    assert harness.sent.last("paused")["reason"] == "connection"
    harness.receive("resume")
    for _ in range(30):
        due = harness.session.due_us
        assert due is not None
        harness.now = due
        harness.session.tick(harness.now)
    assert len(harness.steps()) >= 60 + 29
    assert harness.steps()[59].stepped_us is not None
    assert harness.steps()[60].stepped_us is None
    assert harness.events("stream") == [{"reason": "loaded anew"}]


def test_L5_lockstep_reconnect_timeout_keeps_received_steps(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    harness.session.detach(harness.now)
    due = harness.session.due_us
    while due is not None and not harness.session.is_finished:
        harness.now = due
        harness.session.tick(harness.now)
        due = harness.session.due_us
    assert harness.session.is_finished
    last = harness.segments()[-1]
    assert last.end is not None
    assert (last.end.reason, last.end.n_steps) == ("disconnected", 60)


def test_L7_lockstep_silent_page_timeout_ends_episode(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 60)
    harness.now += OFFLINE_TIMEOUT_US
    harness.session.tick(harness.now)
    harness.session.tick(harness.now)
    assert harness.sent.last("ended")["reason"] == "silent"


def test_L2_lockstep_pause_releases_controls(harness: LockstepHarness) -> None:
    page = harness.start()
    page.press("right")
    harness.play(page, 60)
    harness.receive("pause")
    page.controls.release(ActiveInput(0, 0, None))
    harness.now += 600_000_000
    page.now_ms += 600_000
    harness.receive("resume")
    harness.play(page, 60)
    assert [step.action for step in harness.steps()] == [2] * 60 + [0] * 60


def test_L1_lockstep_episode_can_follow_another(harness: LockstepHarness) -> None:
    first = harness.start()
    harness.play(first, 60)
    harness.receive("leave")
    harness.now += 2_000_000
    harness.session.tick(harness.now)
    second = harness.start()
    harness.play(second, 60)
    assert harness.sent.last("ticked")["n_steps"] == 60
    assert UUID(harness.sent.last("started")["episode"]) == harness.segments()[0].header.episode_id


def test_L3_lockstep_digest_is_crc32_of_screen_ram_reward_lives_and_flags() -> None:
    env = make_environment(GAME.environment)
    assert isinstance(env, AtariPlayableEnv)
    env.reset(7)
    ale, digest, expected = env._game.ale, env.update_digest(0, 0.0), 0
    rewards = [0.0]
    for action in [None, 1, *[3] * 60]:
        if action is not None:
            rewards.append(env.step(action).reward)
            digest = env.update_digest(digest, rewards[-1])
        flags = ale.game_over(with_truncation=False) + 2 * ale.game_truncated()
        numbers = struct.pack("<3i", int(rewards[-1]), ale.lives(), flags)
        expected = zlib.crc32(ale.getScreen().tobytes() + ale.getRAM().tobytes() + numbers, expected)
        assert digest == expected


def test_O19_L4_watchers_get_the_frames_that_the_server_has_verified(harness: LockstepHarness) -> None:
    page = harness.start()
    harness.play(page, 12)
    harness.receive("watch", allowed=True)
    harness.play(page, 30)
    harness.send(page, digests=[0] * 6)
    harness.session.send_scene()
    packets = [FramePacket.unpack(packet) for packet in harness.sent.watched]
    assert [packet.frame for packet in packets] == list(range(12, 43))
    assert [packet.encoded.key for packet in packets[:2]] == [True, True]
    recorded = {step.step + 1: step.encoded for step in harness.steps()}
    for packet in packets[1:]:
        assert packet.encoded.data == recorded[packet.frame].data
    assert [scene and scene["phase"] for scene in harness.sent.scenes] == ["playing", "ended"]
    assert harness.sent.frames == []
