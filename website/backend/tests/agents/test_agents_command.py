"""`skill-arcade agents`: agents play on a real server, are recorded, certified, and refused in words."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from skill_arcade.agents.comparison import compare_agents
from skill_arcade.agents.runner import PlayedEpisode
from skill_arcade.cli.formatting import PIPE_WIDTH
from skill_arcade.client import ArcadeEnv
from skill_arcade.client.http import sign_in
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine
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
    assert {read_agent_name(arcade, episode["id"]) for episode in episodes} == {agent}
    verified = run("verify", *(episode["id"] for episode in episodes), home=arcade.home)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def read_agent_name(arcade: Arcade, episode: str) -> str | None:
    """Return the agent whose version an episode points to, in the database; None if that is not in its provenance."""
    query = """SELECT a.name FROM episode e JOIN agent_version v ON v.id = e.agent_version_id
        JOIN agent a ON a.user_id = v.user_id
        WHERE e.id = :id AND e.provenance #>> '{agent,version_id}' = v.id::text AND e.user_id = a.user_id"""
    settings = Settings(_env_file=None, skill_arcade_home=arcade.home)

    async def ask() -> str | None:
        async with open_engine(settings) as engine, engine.connect() as connection:
            return (await connection.execute(text(query.replace("::", r"\:\:")), {"id": episode})).scalar()

    return asyncio.run(ask())


def test_list_names_each_agent_and_how_many_games_it_plays(arcade: Arcade) -> None:
    done = run("agents", "list", home=arcade.home)
    lines = dict(re.findall(r"^ *([a-z-]+) +\d +scripted +(\S+) +(?:picture|environment) ", done.stdout, re.MULTILINE))
    assert lines["hanoi-optimal"] == "tower-of-hanoi"
    assert lines["babyai-bot"] == "23"
    assert max(len(line) for line in done.stdout.splitlines()) <= PIPE_WIDTH


def test_added_class_plays_by_its_token_as_its_version(arcade: Arcade, tmp_path: Path) -> None:
    entry_point = "skill_arcade.agents.simple:RandomPolicy"
    words = ("agents", "add", entry_point, "--name", "dice", "--game", "frozen-lake", "--licence", "MIT")
    added = run(*words, "--summary", "Throws dice.", home=arcade.home)
    assert added.returncode == 0, added.stderr
    assert added.stdout.startswith("dice, version 1: entry-point, SHA-256 ")
    again = run(*words, home=arcade.home)
    assert again.stdout == added.stdout
    second = run(*words, "--game", "cliff-walking", home=arcade.home)
    assert second.stdout.startswith("dice, version 2: ")
    token = run("agents", "token", "dice", home=arcade.home).stdout.strip()
    play = ("agents", "run", "dice", "frozen-lake", "--url", arcade.url, "--json")
    done = run(*play, "--token", token, "--seed", "7")
    assert done.returncode == 0, done.stderr
    (episode,) = [json.loads(line) for line in done.stdout.splitlines()]
    asyncio.run(wait_until_uploaded(arcade))
    assert read_agent_name(arcade, episode["id"]) == "dice"
    assert run(*play, "--version", "3").returncode != 0
    refused = run("agents", "run", "dice", "pong", "--url", arcade.url)
    assert "The agent dice does not play pong. It plays: frozen-lake, cliff-walking." in refused.stderr
    elsewhere = (*words, "--game", "taxi", "--url", arcade.url)
    third = run(*elsewhere, "--token", token)
    assert third.stdout.startswith("dice, version 3: "), third.stderr
    assert "give the agent's --token" in run(*elsewhere).stderr
    assert run("agents", "revoke", "dice", home=arcade.home).stdout == "Revoked 1 tokens of dice.\n"
    refused = run(*play, "--token", token)
    assert "This agent token is invalid or was revoked" in refused.stderr


def test_O33_token_lets_an_agent_play_where_programs_may_not() -> None:
    with temporary_home() as home, running_arcade(home, None, PROGRAM_PLAY="false", CERTIFIER="false") as closed:
        play = ("agents", "run", "random", "frozen-lake", "--url", closed.url, "--json")
        refused = run(*play)
        assert refused.returncode != 0
        assert "Sign in with the token of the agent" in refused.stderr
        token = run("agents", "token", "random", home=home).stdout.strip()
        done = run(*play, "--token", token)
        assert done.returncode == 0, done.stderr
        (episode,) = [json.loads(line) for line in done.stdout.splitlines()]
        asyncio.run(wait_until_uploaded(closed))
        assert read_agent_name(closed, episode["id"]) == "random"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (("--name", "random"), "there from the start has this name"),
        (("--name", "Not A Name"), "lower-case letters"),
        (("--game", "no-such-game"), "no game has such an id"),
        (("--action-map", "a,b"), "expected numbers of actions"),
    ],
)
def test_add_refuses_in_words(changes: tuple[str, str], expected: str) -> None:
    words = {"--name": "dice", "--game": "frozen-lake", "--licence": "MIT"} | dict([changes])
    flat = [word for pair in words.items() for word in pair]
    done = run("agents", "add", "skill_arcade.agents.simple:RandomPolicy", *flat)
    assert done.returncode != 0
    assert expected in done.stderr


def test_realtime_game_of_an_agent_can_be_watched_by_everyone_signed_in(arcade: Arcade) -> None:
    with ArcadeEnv(arcade.url, "pong", name="pong-follower", version=1, pace="realtime") as env:
        env.reset(seed=1)
        headers = {"Authorization": f"Bearer {sign_in(arcade.url, 'onlooker')}"}
        found = httpx.get(f"{arcade.url}/players/agents/pong-follower", headers=headers).raise_for_status().json()
        (live,) = found["live"]
        assert (live["game_id"], live["version"]) == ("pong", 1)
        protocols = [Subprotocol("skill-arcade"), Subprotocol(f"watch.{live['watch_token']}")]
        with connect(f"{arcade.url.replace('http', 'ws')}/ws/watch/live", subprotocols=protocols) as socket:
            assert json.loads(socket.recv(10))["type"] == "game"
            env.step(0)
            messages = [socket.recv(10) for _ in range(2)]
        assert any(isinstance(message, bytes) for message in messages)
    found = httpx.get(f"{arcade.url}/players/agents/pong-follower", headers=headers).raise_for_status().json()
    assert found["live"] == []


def test_stepped_game_of_an_agent_is_not_offered_to_watch(arcade: Arcade) -> None:
    with ArcadeEnv(arcade.url, "pong", name="pong-follower", version=1) as env:
        env.reset(seed=1)
        headers = {"Authorization": f"Bearer {sign_in(arcade.url, 'onlooker')}"}
        found = httpx.get(f"{arcade.url}/players/agents/pong-follower", headers=headers).raise_for_status().json()
    assert found["live"] == []


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
