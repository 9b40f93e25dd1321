"""`skill-arcade agents`: agents play on a real server, are recorded, certified, and refused in words."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skill_arcade.agents.comparison import compare_agents
from skill_arcade.agents.runner import PlayedEpisode
from skill_arcade.cli import app
from skill_arcade.cli.formatting import PIPE_WIDTH
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade, wait_until_uploaded


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, None, SEGMENT_SECONDS="1", CERTIFIER="false") as running:
        yield running


def run(*words: str, home: Path | None = None) -> "subprocess.CompletedProcess[str]":
    environment = os.environ if home is None else {**os.environ, "SKILL_ARCADE_HOME": str(home)}
    command = [sys.executable, "-m", "skill_arcade", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("agent", "game", "more", "score"),
    [
        ("hanoi-optimal", "tower-of-hanoi", ("--option", "disks=4"), 1.0),
        ("babyai-bot", "babyai-go-to-red-ball", (), None),
        ("random", "frozen-lake", ("--pace", "stepped"), None),
        ("pong-follower", "pong", ("--max-steps", "200", "--pace", "realtime"), None),
    ],
)
def test_agent_plays_is_recorded_and_certified(
    arcade: Arcade, agent: str, game: str, more: tuple[str, ...], score: float | None
) -> None:
    done = run("agents", "run", agent, game, "--url", arcade.url, "--episodes", "2", "--seed", "5", "--json", *more)
    assert done.returncode == 0, done.stderr
    episodes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [episode["seed"] for episode in episodes] == [5, 6]
    assert all(episode["is_over"] for episode in episodes) is (game != "pong")
    if score is not None:
        assert [episode["score"] for episode in episodes] == [score] * 2
    if agent == "babyai-bot":
        assert min(episode["score"] for episode in episodes) > 0
    asyncio.run(wait_until_uploaded(arcade))
    verified = run("verify", *(episode["id"] for episode in episodes), home=arcade.home)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_list_names_each_agent_and_how_many_games_it_plays() -> None:
    done = CliRunner().invoke(app, ["agents", "list"])
    lines = dict(re.findall(r"^ *([a-z-]+) +(\S+) +(?:picture|environment) ", done.output, re.MULTILINE))
    assert lines["hanoi-optimal"] == "tower-of-hanoi"
    assert lines["babyai-bot"] == "23"
    assert max(len(line) for line in done.output.splitlines()) <= PIPE_WIDTH


def test_agent_that_does_not_play_the_game_is_refused() -> None:
    done = run("agents", "run", "hanoi-optimal", "pong")
    assert done.returncode != 0
    assert "does not play pong" in done.stderr


def test_unanswered_address_is_named_with_the_remedy() -> None:
    done = run("agents", "run", "random", "pong", "--url", "http://127.0.0.1:9")
    assert done.returncode != 0
    assert "http://127.0.0.1:9 does not answer" in done.stderr


def test_option_without_a_value_is_refused() -> None:
    done = run("agents", "run", "random", "tower-of-hanoi", "--option", "disks")
    assert "expected NAME=VALUE" in done.stderr


def test_compare_plays_equal_seeds_and_shows_the_difference(arcade: Arcade) -> None:
    agents = ("hanoi-optimal", "random")
    done = run("agents", "compare", *agents, "--game", "tower-of-hanoi", "--url", arcade.url, "--episodes", "3",
               "--max-steps", "20")  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.split()[:1]}
    assert rows["hanoi-optimal"][1:6] == ["3", "1", "1", "to", "1"]
    assert rows["random"][1] == "3"
    assert "left at 20 steps" in done.stdout
    assert "default options, pace stepped, seeds 1 to 3" in done.stdout


def test_compare_needs_two_agents() -> None:
    done = run("agents", "compare", "random", "random", "--game", "pong")
    assert done.returncode != 0
    assert "at least two different agents" in done.stderr


def test_comparison_pairs_scores_by_seed() -> None:
    def play(scores: dict[int, float]) -> list[PlayedEpisode]:
        return [PlayedEpisode("", seed, 1, score, is_over=True, seconds=0.0) for seed, score in scores.items()]

    one, other = compare_agents({"one": play({1: 0.0, 2: 10.0, 3: 20.0}), "other": play({3: 21.0, 1: 1.0, 4: 99.0})})
    assert (one.n_episodes, one.difference, one.middle.estimate) == (2, None, 10.0)
    assert other.difference is not None
    assert (other.difference.estimate, other.difference.low, other.difference.high) == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="no seed"):
        compare_agents({"one": play({1: 0.0}), "other": play({2: 0.0})})
