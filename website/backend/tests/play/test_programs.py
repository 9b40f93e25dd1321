"""O24: a program plays by `act`, at its own pace or that of the game; a person cannot."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skill_arcade.play.session.session import MAX_UNSEALED_EPISODES
from skill_arcade.recording import journal as journal_module
from skill_arcade.recording.journal import SEALED, lock_episode, seal_file
from skill_arcade.recording.segment import read_segment
from skill_arcade.wire.close_codes import CloseCode
from tests.support.session_harness import SessionHarness

STEPPED = {"pace": "stepped", "seed": None}
REALTIME = {"pace": "realtime", "seed": None}


def outcomes(harness: SessionHarness) -> list[dict[str, Any]]:
    return [text for text in harness.texts if text["type"] == "outcome"]


def recorded_actions(journal: Path) -> list[int]:
    """Return the actions of all sealed segments."""
    paths = sorted(path for path in journal.rglob("*") if path.is_file())
    return [step.action for path in paths for step in read_segment(path).steps]


def test_O24_stepped_game_steps_by_act_only(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", is_program=True)
    harness.send("start", program={"pace": "stepped", "seed": 77})
    assert harness.session.due_us is None or not harness.session.is_ticking
    for action in (1, 0, 3):
        harness.now += 5_000_000
        harness.send("act", action=action, frame=None)
    assert [outcome["frame"] for outcome in outcomes(harness)] == [0, 1, 2, 3]
    assert harness.order[-2:] == ["outcome", "frame"]
    assert (harness.headers[0].seed, harness.headers[0].provenance["program"]) == (77, {"pace": "stepped", "seed": 77})
    harness.press("left")
    assert len(outcomes(harness)) == 4


def test_O24_realtime_action_holds_until_the_next_act(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", is_program=True)
    harness.send("start", program=REALTIME)
    harness.send("act", action=2, frame=0)
    assert len(outcomes(harness)) == 1
    harness.ticks(5)
    harness.send("act", action=3, frame=5)
    harness.ticks(2)
    assert [outcome["frame"] for outcome in outcomes(harness)] == [0, 1, 2, 3, 4, 5, 6, 7]
    harness.send("pause")
    harness.send("resume")  # a pause lets go of the action, as of held controls
    harness.ticks(1)
    harness.send("leave")
    assert recorded_actions(tmp_path) == [2, 2, 2, 2, 2, 3, 3, 0]


def test_O24_next_episode_of_a_program_may_be_an_ordinary_one(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", is_program=True)
    harness.send("start", program=STEPPED)
    harness.send("leave")
    n_outcomes = len(outcomes(harness))
    harness.send("start")
    harness.ticks(3)
    assert len(outcomes(harness)) == n_outcomes
    assert "program" not in harness.headers[-1].provenance


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("start", {"program": STEPPED}), ("start", {"program": REALTIME}), ("act", {"action": 0, "frame": None})],
    ids=["stepped", "realtime", "act"],
)
def test_O24_person_is_rejected_in_words(tmp_path: Path, kind: str, fields: dict[str, Any]) -> None:
    harness = SessionHarness(tmp_path, "breakout")
    harness.send(kind, **fields)
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.BAD_MESSAGE
    assert "program" in harness.closed[1]
    assert not harness.headers


def test_O24_unknown_action_and_given_seed_are_rejected_in_words(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "breakout", is_program=True)
    harness.send("start", program=STEPPED)
    harness.send("act", action=4, frame=None)
    assert harness.closed == (CloseCode.BAD_MESSAGE, "act.action is 4; Breakout has the actions 0 to 3")
    given = SessionHarness(tmp_path / "given", "breakout", is_program=True, seed=5)
    given.send("start", program={"pace": "stepped", "seed": 6})
    assert given.closed is not None
    assert "seed" in given.closed[1]
    delayed = SessionHarness(tmp_path / "delayed", "breakout", is_program=True, input_delay_us=100_000)
    delayed.send("start", program=STEPPED)
    assert delayed.closed is not None
    assert "delays" in delayed.closed[1]
    ordinary = SessionHarness(tmp_path / "ordinary", "breakout", is_program=True)
    ordinary.send("start")
    ordinary.send("act", action=0, frame=None)
    assert ordinary.closed == (CloseCode.BAD_MESSAGE, "act needs a start with program")


@pytest.mark.parametrize(
    ("mode", "pace", "reason"),
    [
        ("lockstep", "stepped", "needs the mode lockstep with the pace lockstep"),
        ("streamed", "lockstep", "needs the mode lockstep with the pace lockstep"),
        ("lockstep", "lockstep", "not offered in lockstep"),
    ],
)
def test_O35_lockstep_without_its_pace_or_its_offer_is_rejected_in_words(
    tmp_path: Path, mode: str, pace: str, reason: str
) -> None:
    harness = SessionHarness(tmp_path, "breakout", is_program=True)
    harness.send("start", program={"pace": pace, "seed": None}, mode=mode)
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.BAD_MESSAGE
    assert reason in harness.closed[1]
    assert not harness.headers


class BlockedDisk:
    """Sealing of segments that waits until `release` is set, and then fails with `failure` if there is one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.release = threading.Event()
        self.failure: OSError | None = None
        monkeypatch.setattr(journal_module, "seal_file", self._seal)

    def _seal(self, file: int, path: Path) -> None:
        assert self.release.wait(60)
        if self.failure is not None:
            raise self.failure
        seal_file(file, path)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockedDisk]:
    blocked = BlockedDisk(monkeypatch)
    yield blocked
    blocked.release.set()


def fall(harness: SessionHarness) -> None:
    """Play CartPole to its end, stepped."""
    harness.acknowledges = False
    harness.send("start", program=STEPPED)
    while not harness.has_ended():
        harness.send("act", action=1, frame=None)


def test_R43_next_stepped_episode_begins_while_the_one_before_is_sealed(tmp_path: Path, disk: BlockedDisk) -> None:
    harness = SessionHarness(tmp_path, "cart-pole", is_program=True)
    fall(harness)
    harness.send("start", program=STEPPED)
    assert harness.order[-3:] == ["started", "outcome", "frame"]
    first, second = (tmp_path / str(header.episode_id) for header in harness.headers)
    assert not list(first.glob(f"*{SEALED}"))
    assert lock_episode(first) is None  # so that no uploader takes it for that of a dead process
    assert harness.session._unsealed
    threading.Timer(0.2, disk.release.set).start()
    harness.session.stop("left", harness.now)
    assert [len(list(folder.glob(f"*{SEALED}"))) for folder in (first, second)] == [1, 1]
    assert lock_episode(first) is not None


def test_R43_at_most_eight_ended_episodes_wait_for_the_disk(tmp_path: Path, disk: BlockedDisk) -> None:
    harness = SessionHarness(tmp_path, "cart-pole", is_program=True)
    for _ in range(MAX_UNSEALED_EPISODES):
        fall(harness)
    assert len(harness.session._unsealed) == MAX_UNSEALED_EPISODES
    threading.Timer(0.2, disk.release.set).start()
    fall(harness)
    assert not list((tmp_path / str(harness.headers[0].episode_id)).glob("*.open"))
    assert disk.release.is_set()


def test_R43_failed_sealing_ends_the_session_with_the_next_episode(tmp_path: Path, disk: BlockedDisk) -> None:
    harness = SessionHarness(tmp_path, "cart-pole", is_program=True)
    disk.failure = OSError(28, "No space left on device")
    disk.release.set()
    fall(harness)
    harness.session._unsealed[0]._journal._sealer._thread.join()  # type: ignore[attr-defined]
    fall(harness)
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.RECORDING_UNAVAILABLE
    assert harness.session.is_finished


def test_O24_seed_of_a_program_is_reset_once(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "cart-pole", is_program=True)
    assert harness.session._prepared_reset.is_ready
    harness.send("start", program={"pace": "stepped", "seed": 5})
    harness.send("leave")
    assert not harness.session.is_idle  # the next seed is expected from the program as well
    harness.send("start", program=STEPPED)
    harness.send("leave")
    assert harness.session.is_idle
