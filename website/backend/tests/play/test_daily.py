"""The session of a daily challenge: one episode from the given seed, which the page does not learn."""

import json
from pathlib import Path

import numpy as np

from skill_arcade.boards.daily import STICKY, daily_kwargs, make_daily_game
from skill_arcade.play.assignment import DailyAssignment, GameAssignment
from skill_arcade.play.session.provenance import describe_server
from skill_arcade.wire.close_codes import CloseCode
from tests.support.catalogue import load_games
from tests.support.session_harness import SessionHarness

SEED = 1_234_567


def test_R20_daily_session_has_one_episode_from_the_given_seed(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "cart-pole", seed=SEED, provenance={"daily": "2026-11-28"})
    other = SessionHarness(tmp_path, "cart-pole", seed=SEED)
    harness.send("start")
    harness.play_on(1000)
    assert harness.has_ended()
    assert (harness.headers[0].seed, harness.headers[0].provenance["daily"]) == (SEED, "2026-11-28")
    assert harness.previews[0] == other.previews[0]
    assert str(SEED) not in json.dumps(harness.texts)
    harness.send("start")
    assert harness.closed is not None
    assert harness.closed[0] is CloseCode.BAD_MESSAGE
    assert len(harness.headers) == 1


def test_ordinary_session_draws_a_seed_for_each_episode(tmp_path: Path) -> None:
    harness = SessionHarness(tmp_path, "cart-pole")
    for _ in range(3):
        harness.send("start")
        harness.play_on(1000)
    seeds = [header.seed for header in harness.headers]
    assert len(np.unique(seeds)) == 3
    assert not any("daily" in header.provenance for header in harness.headers)


def test_daily_atari_game_has_sticky_actions_and_others_are_unchanged() -> None:
    games = load_games()
    atari, lake = games["breakout"], games["frozen-lake"]
    sticky = make_daily_game(atari, daily_kwargs(atari.environment))
    assert sticky.environment.kwargs == {**atari.environment.kwargs, **STICKY}
    assert make_daily_game(lake, daily_kwargs(lake.environment)) == lake


def test_R20_assignment_of_a_daily_names_its_day_in_the_provenance(tmp_path: Path) -> None:
    game = load_games()["breakout"]
    fields = {"user_id": "ada", "game": game, "manifest_hash": "0", "journal_folder": tmp_path}
    times = {"segment_seconds": 5.0, "resume_seconds": 60.0}
    daily = DailyAssignment(day="2026-11-28", seed=SEED)
    assignment = GameAssignment(**fields, **times, daily=daily)
    assert GameAssignment.model_validate_json(assignment.model_dump_json()).daily == daily
    described = describe_server(assignment)
    assert described["daily"] == "2026-11-28"
    assert str(SEED) not in json.dumps(described)
    assert "daily" not in describe_server(GameAssignment(**fields, **times))
