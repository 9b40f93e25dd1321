"""The text beside the picture (rule O15): sent with the preview, after each change, and on each new connection."""

from pathlib import Path

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Display, Manifest
from tests.support.odd_env import odd_game
from tests.support.session_harness import SessionHarness


def captions(harness: SessionHarness) -> list[str]:
    """Return the texts that were sent so far."""
    return [message["text"] for message in harness.texts if message["type"] == "caption"]


def with_text(game: Manifest, key: str) -> Manifest:
    """Return a game that shows a part of its observation or info."""
    return game.model_copy(update={"show": Display(text=key)})


def test_O15_mission_is_sent_before_the_preview_and_again_after_a_reconnect(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "minigrid-fetch")
    (mission,) = captions(harness)
    assert "fetch" in mission or "get" in mission
    harness.send("start")
    harness.press("left")
    assert captions(harness) == [mission]
    harness.reconnect()
    assert captions(harness) == [mission, mission]


def test_O15_changing_text_is_sent_before_each_frame_that_it_belongs_to(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, with_text(odd_game("text-surrogate"), "t"))
    harness.send("start")
    harness.press("go")
    harness.press("go", down=False)
    harness.press("stay")
    assert captions(harness) == [r"\ud8000", r"\ud8001", r"\ud8002"]
    assert harness.order[-2:] == ["caption", "frame"]


def test_O15_text_of_info_is_sent(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, with_text(odd_game("enum-info"), "x"))
    assert captions(harness) == ["0"]


def test_O15_game_without_text_sends_none(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "tower-of-hanoi")
    harness.send("start")
    assert captions(harness) == []


def test_catalogue_shows_the_mission_wherever_it_differs_between_episodes() -> None:
    games = load_catalogue().games.values()
    named = [game for game in games if game.show.text == "mission"]
    assert len(named) == 28
    assert all("language" in game.tags for game in named)
