"""The Gymnasium environment that plays on a running arcade (rule O24), against the environments themselves."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence

import skill_arcade.dataset as sa
from examples import clone
from skill_arcade.client import ArcadeEnv, ConnectionClosed
from skill_arcade.client.http import RequestRefused
from skill_arcade.games.catalogue import load_catalogue
from tests.conftest import temporary_home
from tests.support.arcade import Arcade, running_arcade
from tests.support.recordings import wait_for_episode

GAMES = ("breakout", "cart-pole", "minigrid-fetch", "frozen-lake", "lunar-lander")


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, None, SEGMENT_SECONDS="1", CERTIFIER="false") as running:
        yield running


@pytest.fixture
def recordings(arcade: Arcade, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Dataset]:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))
    with sa.open() as opened:
        yield opened


def make_original(game: str) -> gymnasium.Env[Any, Any]:
    """Make the environment of a game as its own package does."""
    environment = load_catalogue().games[game].environment
    if environment.id.startswith("ALE/"):
        import ale_py  # noqa: PLC0415 it registers its environments

        gymnasium.register_envs(ale_py)
    if environment.id.startswith("MiniGrid-"):
        import minigrid  # noqa: F401, PLC0415
    return gymnasium.make(environment.id, render_mode="rgb_array", **environment.kwargs)


def assert_certified(arcade: Arcade, episodes: list[str]) -> None:
    """Re-run stored episodes, and require that each is identical."""
    command = [sys.executable, "-m", "skill_arcade", "verify", *episodes]
    environment = {**os.environ, "SKILL_ARCADE_HOME": str(arcade.home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("certified") >= len(episodes), done.stdout


def compare_episode(env: ArcadeEnv, original: gymnasium.Env[Any, Any], game: str, seed: int, n_steps: int) -> str:
    """Play one episode on both with the same actions, compare everything, and return the arcade's id of it."""
    kept = load_catalogue().games[game].keep_info

    def keep(info: dict[str, Any]) -> dict[str, Any]:
        return info if kept is None else {key: value for key, value in info.items() if key in kept}

    actions = np.random.default_rng(seed)
    observation, info = env.reset(seed=seed)
    expected, expected_info = original.reset(seed=seed)
    episode = info.pop("arcade")["episode"]
    for _ in range(n_steps):
        assert data_equivalence(observation, expected)
        assert data_equivalence(info, keep(expected_info))
        np.testing.assert_array_equal(env.render(), original.render())
        action = int(actions.integers(env.action_space.n))  # type: ignore[attr-defined]
        observation, reward, terminated, truncated, info = env.step(action)
        expected, expected_reward, *expected_flags, expected_info = original.step(action)
        del info["arcade"]
        assert (reward, [terminated, truncated]) == (expected_reward, expected_flags)
        if terminated or truncated:
            break
    assert data_equivalence(observation, expected)
    return str(episode)


@pytest.mark.parametrize("game", GAMES)
def test_O24_stepped_episode_equals_that_of_the_environment_itself(
    arcade: Arcade, recordings: sa.Dataset, game: str
) -> None:
    env = ArcadeEnv(arcade.url, game, name="twin", observations="environment")
    with make_original(game) as original:
        episodes = [compare_episode(env, original, game, seed, 60) for seed in (1, 2, 2**31 - 1)]
    env.close()
    for id_, seed in zip(episodes, (1, 2, 2**31 - 1), strict=True):
        episode = wait_for_episode(recordings, id_)
        assert episode.seed == seed
        assert episode.provenance["program"] == {"pace": "stepped", "seed": seed}
    assert_certified(arcade, episodes)


@pytest.mark.slow
@pytest.mark.parametrize("game", GAMES)
def test_O24_twenty_seeds_equal_those_of_the_environment_itself(arcade: Arcade, game: str) -> None:
    env = ArcadeEnv(arcade.url, game, name="twenty", observations="environment")
    with make_original(game) as original:
        for seed in range(1, 21):
            compare_episode(env, original, game, seed, 1000)
    env.close()


def test_picture_is_the_default_observation_and_spaces_contain_what_is_returned(arcade: Arcade) -> None:
    env = ArcadeEnv(arcade.url, "cart-pole", name="spaces")
    picture, info = env.reset(seed=5)
    assert env.observation_space.contains(picture)
    assert info["arcade"]["picture"] is picture
    picture, *_ = env.step(1)
    assert env.observation_space.contains(picture)
    env.close()
    other = ArcadeEnv(arcade.url, "minigrid-fetch", name="spaces", observations="environment")
    observation, _ = other.reset(seed=5)
    assert other.observation_space.contains(observation)
    other.close()


def test_O24_realtime_episode_runs_at_the_games_rate(arcade: Arcade, recordings: sa.Dataset) -> None:
    env = ArcadeEnv(arcade.url, "breakout", name="live", pace="realtime")
    _, info = env.reset()
    episode, begin, frames = info["arcade"]["episode"], time.monotonic(), [0]
    while time.monotonic() - begin < 2:
        *_, terminated, _, info = env.step(1 if len(frames) % 2 else 2)
        frames.append(info["arcade"]["frame"])
        assert not terminated
    seconds = time.monotonic() - begin
    env.close()
    assert all(after > before for before, after in pairwise(frames))
    assert frames[-1] / seconds == pytest.approx(60, rel=0.2)
    stored = wait_for_episode(recordings, episode)
    assert stored.provenance["program"] == {"pace": "realtime", "seed": None}
    acts = [event for event in stored.events if event.kind == "act"]
    assert {event.data["action"] for event in acts} == {1, 2}
    assert set(stored.actions[60:].tolist()) <= {1, 2}
    assert_certified(arcade, [episode])


def test_turn_based_game_takes_each_action_as_a_step(arcade: Arcade) -> None:
    env = ArcadeEnv(arcade.url, "tower-of-hanoi", name="turns", pace="realtime")
    env.reset(seed=3)
    _, _, _, _, info = env.step(0)
    assert info["arcade"]["frame"] == 1
    env.close()


def test_unknown_action_and_step_without_episode_raise_in_words(arcade: Arcade) -> None:
    env = ArcadeEnv(arcade.url, "cart-pole", name="wrong")
    with pytest.raises(ValueError, match="call reset first"):
        env.step(0)
    env.reset(seed=1)
    with pytest.raises(ValueError, match="actions 0 to 1"):
        env.step(2)
    env._send("act", action=2, frame=0)
    with pytest.raises(ConnectionClosed, match=r"act\.action is 2"):
        env.step(0)
    env.close()


def test_unknown_game_is_refused_with_the_arcades_reason(arcade: Arcade) -> None:
    with pytest.raises(RequestRefused, match="Game 'no-such-game' not found"):
        ArcadeEnv(arcade.url, "no-such-game", name="lost")


def test_cloned_policy_of_the_example_plays_on_the_arcade_as_in_the_environment(arcade: Arcade) -> None:
    weights = np.array([[0.0, 0.1], [0.0, 0.3], [0.0, 2.0], [0.0, 1.0], [0.0, 0.0]])
    played = clone.play_on_arcade(arcade.url, weights, seeds=(1, 2, 3))
    assert played == [clone.play_episode(seed, weights) for seed in (1, 2, 3)]
    assert min(played) > 20


def test_reset_in_real_time_of_a_slow_program_returns_although_frames_have_passed(
    arcade: Arcade, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_until = ArcadeEnv._read_until

    def read_until_late(env: ArcadeEnv, kind: str) -> dict[str, Any]:
        message = read_until(env, kind)
        if kind == "started":
            time.sleep(0.3)  # some 18 frames arrive meanwhile
        return message

    monkeypatch.setattr(ArcadeEnv, "_read_until", read_until_late)
    with ArcadeEnv(arcade.url, "breakout", name="slow", pace="realtime") as env:
        for _ in range(2):
            frames: list[int] = []
            reset = threading.Thread(target=lambda: frames.append(env.reset()[1]["arcade"]["frame"]), daemon=True)  # noqa: B023
            reset.start()
            reset.join(20)
            assert frames, "reset did not return"
            assert frames[0] >= 1


def test_R31_program_plays_from_a_frame_of_its_own_episode(arcade: Arcade, recordings: sa.Dataset) -> None:
    with ArcadeEnv(arcade.url, "breakout", name="branching") as env:
        env.reset(seed=5)
        pictures = [env.step(1 + step % 3)[0] for step in range(30)]
        episode = env.unwrapped._episode  # type: ignore[attr-defined]
    wait_for_episode(recordings, episode)
    with ArcadeEnv(arcade.url, "breakout", name="branching", branch=(episode, 12)) as env:
        with pytest.raises(ValueError, match="leave it out"):
            env.reset(seed=5)
        for _ in range(2):
            picture, info = env.reset()
            assert np.array_equal(picture, pictures[11])
            for step in range(12, 30):
                picture = env.step(1 + step % 3)[0]
                assert np.array_equal(picture, pictures[step])
    branch = wait_for_episode(recordings, info["arcade"]["episode"]).branch
    assert branch is not None
    assert (branch["parent"], branch["step"]) == (episode, 12)
