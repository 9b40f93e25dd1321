import json

import gymnasium
import numpy as np
import pytest
from ale_py.env import AtariEnv
from gymnasium.envs.registration import EnvSpec

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.colour_tables import NTSC, PAL, UNUSED_INDEX, ColourTable
from skill_arcade.environments.factory import make_environment
from skill_arcade.games.manifest import EnvironmentSpec

EXACT = {"frameskip": 1, "repeat_action_probability": 0.0}


def atari(game: str, **kwargs: object) -> AtariPlayableEnv:
    env = make_environment(EnvironmentSpec(id=f"ALE/{game}-v5", kwargs={**EXACT, **kwargs}))
    assert isinstance(env, AtariPlayableEnv)
    return env


# Tall, short and ordinary screens, both television standards, one with sticky actions.
@pytest.mark.parametrize(
    ("game", "kwargs"),
    [
        ("Breakout", {}),
        ("MontezumaRevenge", {}),
        ("Seaquest", {"repeat_action_probability": 0.25}),
        ("JourneyEscape", {}),
        ("AirRaid", {}),
        ("KingKong", {"frameskip": 4}),
        ("SpaceInvaders", {"mode": 5, "difficulty": 1}),
        ("Berzerk", {}),  # draws random numbers before its first frame
    ],
)
def test_atari_pictures_and_rewards_equal_rgb_environment(game: str, kwargs: dict[str, object]) -> None:
    env = atari(game, **kwargs)
    rgb = gymnasium.make(EnvSpec.from_json(json.dumps(env.spec["gymnasium"])))
    actions = np.random.default_rng(5).integers(env.n_actions, size=700)
    env.reset(5)
    for action in actions[:100]:
        env.step(int(action))
    expected, info = rgb.reset(seed=77)
    outcome = env.reset(77)
    assert outcome.info["lives"] == info["lives"]
    assert outcome.info["seeds"] == [int(word) for word in info["seeds"]]
    assert isinstance(rgb.unwrapped, AtariEnv)
    assert np.array_equal(env._game.ale.getRAM(), rgb.unwrapped.ale.getRAM())
    for action in actions:
        assert np.array_equal(env.picture().rgb(), expected)
        assert env.picture().pixels.max() < UNUSED_INDEX
        if outcome.terminated:
            break
        expected, reward, terminated, truncated, info = rgb.step(action)
        outcome = env.step(int(action))
        assert (outcome.reward, outcome.terminated, outcome.truncated) == (reward, terminated, truncated)
        assert outcome.info == info
    env.close()
    rgb.close()


@pytest.mark.parametrize("television", [NTSC, PAL])
def test_atari_palette_folding_keeps_colours_and_frees_index_255(television: ColourTable) -> None:
    assert television.palette.shape == (255, 3)
    assert np.array_equal(television.palette[television.goes], television.colours)
    assert np.array_equal(television.goes[::2], np.arange(0, 256, 2))


def test_atari_odd_colour_indices_equal_those_of_ale() -> None:
    """Random memory makes a PAL game lose its colour, as a frame with an odd number of lines does on a television."""
    env = atari("AirRaid")
    env.reset(1)
    game = env._game
    draw = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        for address in draw.integers(128, size=20):
            game.ale.setRAM(int(address), int(draw.integers(256)))
        env.step(0)
        seen |= set(np.unique(game.ale.getScreen()).tolist())
        assert np.array_equal(env.picture().rgb(), game.ale.getScreenRGB())
    assert any(index % 2 for index in seen)


def test_atari_same_seed_and_actions_repeat_frames() -> None:
    actions = np.random.default_rng(3).integers(4, size=400).tolist()

    def play(env: AtariPlayableEnv) -> list[bytes]:
        env.reset(2**31 - 1)
        return [bytes(env.step(action).observation) for action in actions]

    env = atari("Breakout", repeat_action_probability=0.25)
    first = play(env)
    assert play(env) == first
    assert play(atari("Breakout", repeat_action_probability=0.25)) == first


@pytest.mark.parametrize("game", ["Breakout", "SpaceInvaders", "AirRaid"])
def test_atari_sound_equals_sound_observations(game: str) -> None:
    env = atari(game)
    heard = gymnasium.make(f"ALE/{game}-v5", sound_obs=True, frameskip=1, repeat_action_probability=0.0)
    env.reset(5)
    heard.reset(seed=5)
    loud = 0
    for action in np.random.default_rng(5).integers(env.n_actions, size=600):
        env.step(int(action))
        samples = heard.step(action)[0]["sound"]
        assert env.sound() == samples.tobytes()
        loud += int(samples.min() < samples.max())
    assert env.samples_per_step == len(env.sound()) == 512
    assert loud > 5


def test_atari_frameskip_has_no_sound() -> None:
    assert atari("Breakout", frameskip=4).samples_per_step == 0


def test_atari_frame_limit_truncates() -> None:
    env = atari("Pong", max_num_frames_per_episode=50)
    env.reset(1)
    outcomes = [env.step(0) for _ in range(50)]
    assert [outcome.truncated for outcome in outcomes] == [False] * 49 + [True]
    assert not outcomes[-1].terminated


def test_atari_spec_contains_rom_and_versions() -> None:
    spec = json.loads(json.dumps(atari("Pong").spec))
    assert spec["rom"]["game"] == "pong"
    assert len(spec["rom"]["sha256"]) == 64
    assert {"ale-py", "gymnasium", "numpy", "skill-arcade"} <= spec["packages"].keys()
    assert spec["gymnasium"]["kwargs"]["repeat_action_probability"] == 0.0
