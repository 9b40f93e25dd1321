"""Random environments are played over a real socket, uploaded, read back and certified: nothing changes on the way."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.dataset import Episode
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.environments.changing_leaves import find_changing_leaves
from skill_arcade.environments.rendered_picture import read_picture
from skill_arcade.environments.step_values import read_reward
from skill_arcade.recording.observation import describe_leaves, pack_observation, stack_observations
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult
from tests.support.arcade import Arcade, Player, issue_ticket, running_arcade, sign_in, wait_until_uploaded
from tests.support.database import temporary_home
from tests.support.exact_values import is_same
from tests.support.random_env import MANIFEST, N_CASES, N_STEPS

N_EXAMPLES = 20


@pytest.fixture(scope="module")
def arcade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arcade]:
    games = tmp_path_factory.mktemp("games")
    (games / "random.yaml").write_text(MANIFEST)
    with (
        temporary_home() as home,
        running_arcade(
            home, GAMES_FOLDER=str(games), PYTHONPATH=str(Path(__file__).parents[2]), RESUME_SECONDS="1"
        ) as running,
    ):
        yield running


async def play(arcade: Arcade, case: int) -> UUID:
    """Play a case to its end; return the episode."""
    ticket = await issue_ticket(arcade.url, await sign_in(arcade.url, "random@example.org"), "random")
    address = f"ws://127.0.0.1:{arcade.port}/ws/random?token={ticket}&case={case}"
    async with asyncio.timeout(60), connect(address, compression=None, open_timeout=60) as connection:
        player = Player(connection)
        await player.hello()
        await player.send("start")
        started = await player.read_until("started")
        await player.read_until_frame(0)
        for step in range(N_STEPS):
            key: dict[str, Any] = {"control": "go", "frame": step, "device": "keyboard", "code": "ArrowRight"}
            await player.send("input", down=True, **key)
            await player.send("input", down=False, **key)
            await player.read_until_frame(step + 1)
        await player.read_until("ended")
    await wait_until_uploaded(arcade)
    return UUID(started["episode"])


def compare(episode: Episode, case: int) -> None:
    """Compare an episode with what the environment itself gives."""
    env = gymnasium.make("Random/Any-v0", case=case, render_mode="rgb_array", disable_env_checker=True)
    observation, info = env.reset(seed=episode.seed)
    leaves = describe_leaves(observation, find_changing_leaves(env.observation_space))
    packed, infos, rewards = [pack_observation(observation, leaves)], [], []
    pictures: list[Any] = [read_picture(env.render())]
    for action in episode.actions:
        observation, reward, _, _, info = env.step(int(action))
        packed.append(pack_observation(observation, leaves))
        infos.append(info)
        rewards.append(read_reward(reward))
        pictures.append(read_picture(env.render()))
    assert len(pictures) == N_STEPS + 1
    for frame, picture in zip(episode.frames, pictures, strict=True):
        assert np.array_equal(frame, picture)
    assert np.array_equal(episode.rewards, rewards, equal_nan=True)
    assert is_same(episode.infos, infos)
    expected, found = stack_observations(packed, leaves), episode.observations
    columns = found if isinstance(found, dict) else {"observation": np.asarray(found)}
    assert columns.keys() == expected.keys()
    for name, column in expected.items():
        assert columns[name].dtype == column.dtype
        assert repr(columns[name].tolist()) == repr(column.tolist())


@settings(max_examples=N_EXAMPLES)
@given(case=st.integers(0, N_CASES - 1))
def test_random_environment_over_a_real_socket_is_recorded_exactly(arcade: Arcade, case: int) -> None:
    episode_id = asyncio.run(play(arcade, case))
    with open_dataset(settings=Settings(skill_arcade_home=arcade.home)) as dataset:
        episode = dataset.episode(episode_id)
        compare(episode, case)
        verdict = rerun_episode(episode)
    assert (verdict.result, verdict.reason) == (CertificateResult.certified, "")
