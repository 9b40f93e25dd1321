"""A lockstep game moves to another server while its page goes on (rules L5, R28 and O29)."""

from pathlib import Path

import pytest

from skill_arcade.play.session.resumption import ResumeFailed
from tests.lockstep.test_verifier import LockstepHarness
from tests.support.lockstep_page import LockstepPage
from tests.support.moved import read_all, read_moved, resume


def play_and_move(tmp_path: Path) -> tuple[LockstepHarness, LockstepHarness, LockstepPage]:
    """Play on one server with a control held, and move to another one while the page plays on."""
    one = LockstepHarness(tmp_path / "one")
    page = one.start()
    page.press("fire")
    one.play(page, 30)
    page.press("fire", down=False)
    page.press("left")
    one.play(page, 30)
    episode = one.segments()[0].header.episode_id
    one.session.hand_over("taken-over", one.now)
    assert one.session.handed_over == episode
    two = LockstepHarness(tmp_path / "two")
    two.session.detach(two.now)
    two.now = one.now + 77_000_000
    moved = read_moved(tmp_path / "one", episode, started_us=two.now - 2_000_000)
    resume(two.session, moved, two.now)
    return one, two, page


def test_L5_page_plays_on_while_its_game_moves(tmp_path: Path) -> None:
    one, two, page = play_and_move(tmp_path)
    page.step(40)  # while it has no connection
    two.connect()
    welcome, started = two.sent.last("welcome"), two.sent.last("started")
    assert (welcome["phase"], welcome["episode"]) == ("playing", started["episode"])
    assert started["lockstep"]["n_steps"] == 60
    two.send(page, 6)
    assert two.sent.last("ticked") == {"type": "ticked", "n_steps": 106, "digest": page.digest}
    page.press("left", down=False)
    two.play(page, 30)
    two.session.stop("left", two.now)
    segments = read_all(tmp_path / "one", tmp_path / "two", episode=one.segments()[0].header.episode_id)
    steps = [step for segment in segments for step in segment.steps]
    assert [step.step for step in steps] == list(range(136))
    assert len({step.action for step in steps}) == 3


def test_L5_reloaded_page_continues_a_moved_game_streamed(tmp_path: Path) -> None:
    _, two, _ = play_and_move(tmp_path)
    two.connect()
    two.receive("stream", reason="The page was reloaded.")
    assert two.sent.last("paused")["reason"] == "connection"
    assert len(two.sent.frames) == 1


def test_R28_lockstep_action_that_does_not_follow_from_the_inputs_is_refused(tmp_path: Path) -> None:
    one, _, _ = play_and_move(tmp_path)
    episode = one.segments()[0].header.episode_id
    moved = read_moved(tmp_path / "one", episode, started_us=0)
    other = LockstepHarness(tmp_path / "three")
    with pytest.raises(ResumeFailed, match="does not follow from the inputs"):
        resume(other.session, moved.model_copy(update={"lockstep_inputs": []}), other.now)
