"""A session continues the episode of another server: same steps, next numbers, later times (R26, R28)."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from skill_arcade.environments.factory import make_environment
from skill_arcade.play.session.resumption import ResumeFailed
from skill_arcade.play.session.session import STEPS_LOST_NOTICE
from skill_arcade.recording.records import RecordedEvent, RecordedStep
from skill_arcade.recording.shipment import JournalFollower, merge_records, parse_records
from skill_arcade.wire.packet import FramePacket
from tests.support.moved import read_all, read_lost, read_moved, recorded_digests, repeat, resume
from tests.support.session_harness import HELLO_MESSAGE, SessionHarness

GAMES = ["breakout", "berzerk", "qbert", "tetris", "mountain-car", "tower-of-hanoi", "minigrid-locked-room"]


def play_some(harness: SessionHarness, n_steps: int = 70) -> None:
    """Play about a second of a real-time game, or some turns."""
    harness.send("start")
    play_on(harness, n_steps)


def play_on(harness: SessionHarness, n_steps: int) -> None:
    controls = [control.name for control in harness.manifest.controls]
    for index in range(n_steps // 10):
        control = controls[index % len(controls)]
        harness.press(control)
        if harness.manifest.pace.kind == "real-time":
            harness.play_on(10)
        harness.now += 1000
        harness.press(control, down=False)


def plain(record: RecordedStep | RecordedEvent) -> Any:
    """Return a record without its picture."""
    return record._replace(encoded=None, observation=b"") if isinstance(record, RecordedStep) else record  # type: ignore[arg-type]


def open_other(tmp_path: Path, game: str) -> SessionHarness:
    """Return the session of another server, on which no page has connected yet."""
    other = SessionHarness(tmp_path / "two", game, provenance={"server": "two", "mode": "streamed"})
    other.session.detach(other.now)
    other.now += 500_000_000  # its monotonic clock is another one
    return other


@pytest.mark.parametrize("game", GAMES)
def test_R28_episode_goes_on_exactly_where_the_other_server_left_it(tmp_path: Path, game: str) -> None:
    one = SessionHarness(tmp_path / "one", game, provenance={"server": "one", "mode": "streamed"})
    play_some(one, 10)
    one.session.hand_over("taken-over", one.now)
    episode = one.headers[0].episode_id
    assert one.session.handed_over == episode
    assert one.session.is_finished
    assert not one.has_ended()

    two = open_other(tmp_path, game)
    moved = read_moved(tmp_path / "one", episode, started_us=two.now - 3_000_000)
    resume(two.session, moved, two.now)
    two.session.attach(HELLO_MESSAGE, two.now)
    assert two.messages_of("welcome")["phase"] == "paused"
    assert two.messages_of("started")["episode"] == str(episode)
    shown = FramePacket.unpack(two.packets[-1])
    assert (shown.frame, shown.encoded.key) == (len(moved.actions), True)
    assert shown.score == pytest.approx(moved.score)
    two.send("resume")
    play_on(two, 10)
    two.send("leave")

    segments = read_all(tmp_path / "one", tmp_path / "two", episode=episode)
    assert [segment.header.number for segment in segments] == list(range(len(segments)))
    steps = [step for segment in segments for step in segment.steps]
    assert [step.step for step in steps] == list(range(len(steps)))
    assert len(steps) > len(moved.actions)
    assert all(earlier.server_us <= later.server_us for earlier, later in pairwise(steps))
    events = [event for segment in segments for event in segment.events]
    assert [event.number for event in events] == list(range(len(events)))
    assert [event.kind for event in events].count("handed-over") == 1
    assert recorded_digests(segments) == repeat(make_environment(two.manifest.environment), segments)
    first = next(segment for segment in segments if segment.header.fence == 7)
    assert first.header.before == moved.before
    assert (first.header.seed, first.header.provenance["server"]) == (one.headers[0].seed, "two")
    assert segments[-1].end is not None
    assert segments[-1].end.n_steps == len(steps)
    assert segments[-1].end.score == pytest.approx(sum(step.reward for step in steps))


def test_R28_player_is_told_that_steps_were_lost_and_the_record_says_so(tmp_path: Path) -> None:
    one = SessionHarness(tmp_path / "one", "breakout", provenance={"mode": "streamed"})
    play_some(one)
    one.session.hand_over("taken-over", one.now)
    episode = one.headers[0].episode_id
    two = open_other(tmp_path, "breakout")
    resume(two.session, read_moved(tmp_path / "one", episode, started_us=0, is_whole=False), two.now)
    two.session.attach(HELLO_MESSAGE, two.now)
    assert two.messages_of("notice")["text"] == STEPS_LOST_NOTICE
    two.send("leave")
    (segment,) = read_all(tmp_path / "two", episode=episode)
    assert [event.kind for event in segment.events][:2] == ["rewound", "attach"]


@pytest.mark.parametrize(("game", "n_stored"), [("breakout", 0), ("breakout", 1), ("tetris", 1), ("tower-of-hanoi", 0)])
def test_R35_shipped_records_follow_the_stored_ones_as_they_were(tmp_path: Path, game: str, n_stored: int) -> None:
    one = SessionHarness(tmp_path / "one", game, provenance={"server": "one", "mode": "streamed"})
    play_some(one, 100 if one.manifest.pace.kind == "real-time" else 20)
    episode = one.headers[0].episode_id
    shipped = parse_records(JournalFollower(tmp_path / "one").read())
    played = merge_records(shipped)
    one.session.stop("left", one.now)
    for number in range(n_stored, len(shipped)):
        (tmp_path / "one" / str(episode) / f"{number:06d}.sealed").unlink(missing_ok=True)
    two = open_other(tmp_path, game)
    moved = read_lost(tmp_path / "one", shipped, n_stored, started_us=two.now - 30_000_000)
    resume(two.session, moved, two.now)
    two.session.attach(HELLO_MESSAGE, two.now)
    two.send("leave")

    segments = read_all(tmp_path / "one", tmp_path / "two", episode=episode)
    repeated = merge_records(segments)[: len(played)]
    assert [plain(one) for one in repeated] == [plain(one) for one in played]
    events = [event for segment in segments for event in segment.events]
    assert [event.number for event in events] == list(range(len(events)))
    (rewound,) = [event for event in events if event.kind == "rewound"]
    n_repeated = sum(len(segment.steps) for segment in shipped[n_stored:])
    assert rewound.data == {"server": None, "recovered_steps": n_repeated}
    assert recorded_digests(segments) == repeat(make_environment(two.manifest.environment), segments)
    assert dict(pair for segment in segments for pair in segment.shown) == dict(
        pair for segment in shipped for pair in segment.shown
    )


def test_R35_episode_that_nobody_plays_ends_after_the_shipped_records(tmp_path: Path) -> None:
    one = SessionHarness(tmp_path / "one", "breakout", provenance={"server": "one", "mode": "streamed"})
    play_some(one)
    shipped = parse_records(JournalFollower(tmp_path / "one").read())
    two = open_other(tmp_path, "breakout")
    lost = read_lost(tmp_path / "one", shipped, 0, started_us=two.now - 30_000_000)
    resume(two.session, lost.model_copy(update={"is_over": True}), two.now)
    assert two.session.is_finished
    (segment,) = read_all(tmp_path / "two", episode=lost.id)
    assert (segment.header.number, segment.header.fence, len(segment.steps)) == (
        0,
        7,
        sum(len(one.steps) for one in shipped),
    )
    assert segment.events[-1].kind == "recovered"
    assert segment.end is not None
    assert (segment.end.reason, segment.end.n_steps) == ("server-lost", len(segment.steps))
    assert segment.end.ended_us == max(record.server_us for record in merge_records(shipped))


def test_R35_shipped_step_with_another_result_is_not_continued(tmp_path: Path) -> None:
    one = SessionHarness(tmp_path / "one", "breakout", provenance={"mode": "streamed"})
    play_some(one)
    shipped = parse_records(JournalFollower(tmp_path / "one").read())
    shipped[0].steps[40] = shipped[0].steps[40]._replace(reward=17.0)
    two = open_other(tmp_path, "breakout")
    with pytest.raises(ResumeFailed, match="step 40 has another result"):
        resume(two.session, read_lost(tmp_path / "one", shipped, 0, started_us=0), two.now)


@pytest.mark.parametrize("change", ["picture", "score", "actions", "version"])
def test_R28_state_that_differs_from_the_record_is_not_continued(tmp_path: Path, change: str) -> None:
    one = SessionHarness(tmp_path / "one", "breakout", provenance={"mode": "streamed"})
    play_some(one)
    one.session.hand_over("taken-over", one.now)
    two = open_other(tmp_path, "breakout")
    moved = read_moved(tmp_path / "one", one.headers[0].episode_id, started_us=0)
    packages = {**moved.environment, "packages": {**moved.environment["packages"], "ale-py": "0.0.1"}}
    changes: dict[str, dict[str, Any]] = {
        "picture": {"picture_sha256": "0" * 64},
        "score": {"score": moved.score + 1},
        "actions": {"actions": moved.actions[:-20]},
        "version": {"environment": packages},
    }
    with pytest.raises(ResumeFailed):
        resume(two.session, moved.model_copy(update=changes[change]), two.now)
    two.session.prepare()
    two.session.attach(HELLO_MESSAGE, two.now)
    assert two.messages_of("welcome")["phase"] == "ready"


def test_O29_trial_without_another_server_ends_as_before(tmp_path: Path) -> None:
    one = SessionHarness(tmp_path, "breakout", provenance={"mode": "streamed"}, seed=5)
    play_some(one)
    one.session.hand_over("taken-over", one.now)
    assert one.session.handed_over is None
    last = read_all(tmp_path, episode=one.headers[0].episode_id)[-1]
    assert last.end is not None
    assert last.end.reason == "taken-over"


def test_R26_episode_without_a_step_can_be_handed_over(tmp_path: Path) -> None:
    one = SessionHarness(tmp_path / "one", "breakout", provenance={"mode": "streamed"})
    one.send("start")
    one.session.hand_over("taken-over", one.now)
    episode = one.headers[0].episode_id
    two = open_other(tmp_path, "breakout")
    resume(two.session, read_moved(tmp_path / "one", episode, started_us=two.now), two.now)
    two.session.attach(HELLO_MESSAGE, two.now)
    two.send("resume")
    two.ticks(5)
    two.send("leave")
    segments = read_all(tmp_path / "one", tmp_path / "two", episode=episode)
    assert [step.step for segment in segments for step in segment.steps] == [0, 1, 2, 3, 4]
    first = next(step for segment in segments for step in segment.steps)
    assert first.info is not None
    assert [segment.header.first_step for segment in segments] == [0, 0]
