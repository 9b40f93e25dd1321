"""Odd environments are recorded exactly, and certified, or are refused in a sentence; what was played is kept."""

import asyncio
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from sqlalchemy import URL

from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.dataset import Episode
from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.environments.rendered_picture import read_picture
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.wire.close_codes import CloseCode
from tests.conftest import opened_engine
from tests.support.database import fresh_database
from tests.support.exact_values import is_same
from tests.support.odd_env import INFOS, N_STEPS, OBSERVATIONS, RECORDED, REFUSED, REWARDS, odd_game
from tests.support.session_harness import SessionHarness, upload_all


@pytest.fixture(scope="module")
def recorded(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Episode]]:
    """Every case that is kept, played to its end with random actions, uploaded and read back."""
    folder = tmp_path_factory.mktemp("odd")
    (journal := folder / "journal").mkdir()
    headers = {case: play(journal, case).headers[0].episode_id for case in RECORDED}
    with fresh_database(postgres) as url:

        async def upload() -> None:
            async with opened_engine(url) as engine:
                await upload_all(journal, folder / "objects", engine)

        asyncio.run(upload())
        dataset: Dataset
        with open_dataset(url.render_as_string(hide_password=False), folder / "objects") as dataset:
            yield {case: dataset.episode(episode) for case, episode in headers.items()}


def play(journal: Path, case: str) -> SessionHarness:
    """Play a case with the same random actions each time, until it ends or is closed."""
    rng, harness = random.Random(7), SessionHarness(journal, odd_game(case))
    if harness.closed is None:
        harness.send("start")
    for _ in range(N_STEPS):
        if harness.closed is not None or harness.has_ended():
            break
        control = rng.choice(["go", "stay"])
        harness.now += 200_000
        harness.press(control)
        harness.press(control, down=False)
    harness.now += 2_000_000
    if not harness.session.is_finished:
        harness.session.stop("left", harness.now)
    return harness


def raw_run(episode: Episode, case: str) -> list[tuple[Any, ...]]:
    """Return what the environment itself gives for the recorded actions: (observation, reward, info, picture)."""
    env = gymnasium.make(odd_game(case).environment.id, render_mode="rgb_array", disable_env_checker=True)
    observation, info = env.reset(seed=episode.seed)
    results: list[tuple[Any, ...]] = [(observation, 0.0, info, env.render())]
    for action in episode.actions:
        observation, reward, _, _, info = env.step(int(action))
        results.append((observation, reward, info, env.render()))
    return results


@pytest.mark.parametrize("case", RECORDED)
def test_odd_environment_is_recorded_whole_and_certified(recorded: dict[str, Episode], case: str) -> None:
    episode = recorded[case]
    assert (episode.n_steps, episode.end_reason) == (N_STEPS, "terminated")
    verdict = rerun_episode(episode)
    assert (verdict.result, verdict.reason) == (CertificateResult.certified, "")


@pytest.mark.parametrize("case", RECORDED)
def test_odd_environment_pictures_come_back(recorded: dict[str, Episode], case: str) -> None:
    expected: Any = None
    pairs = zip(raw_run(recorded[case], case), recorded[case].frames, strict=True)
    for (_, _, _, rendered), frame in pairs:
        pixels = read_picture(rendered)
        expected = expected if pixels is None else pixels
        assert np.array_equal(frame, expected)


@pytest.mark.parametrize("case", OBSERVATIONS)
def test_odd_observations_come_back(recorded: dict[str, Episode], case: str) -> None:
    episode = recorded[case]
    for index, (observation, *_) in enumerate(raw_run(episode, case)):
        for path, value in parts_of(observation, case):
            observations: Any = episode.observations
            assert_same((observations if path is None else observations[path])[index], value)


def parts_of(observation: Any, case: str) -> list[tuple[str | None, Any]]:
    """Return the leaves of an observation by the name under which the dataset has them."""
    match case:
        case "key-slash":
            return [("a~1b", observation["a/b"]), ("a/b", observation["a"]["b"])]
        case "key-schema":
            return [("schema", observation["schema"]), ("~0schema", observation["~schema"])]
        case "key-unicode":
            return [("ключ", observation["ключ"]), ("~2", observation[""])]
        case "tuple":
            return [("0", observation[0]), ("1/deep", observation[1]["deep"])]
    return list(observation.items()) if isinstance(observation, dict) else [(None, observation)]


def assert_same(found: Any, expected: Any) -> None:
    """Compare values and the dtypes of arrays; NaN equals NaN, and -0.0 differs from 0.0."""
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif expected is None or isinstance(expected, str):
        assert found == expected
    else:
        one, other = np.asarray(found), np.asarray(expected)
        assert one.shape == other.shape
        if one.dtype == other.dtype:
            assert one.tobytes() == other.tobytes()
        else:  # a wider dtype at the reset
            assert np.array_equal(one.astype(other.dtype), other)


@pytest.mark.parametrize("case", INFOS)
def test_odd_infos_come_back(recorded: dict[str, Episode], case: str) -> None:
    episode = recorded[case]
    raw = [info for _, _, info, _ in raw_run(episode, case)]
    assert all(is_same(found, value) for found, value in zip([episode.reset_info, *episode.infos], raw, strict=True))


@pytest.mark.parametrize("case", REWARDS)
def test_odd_rewards_come_back(recorded: dict[str, Episode], case: str) -> None:
    expected = REWARDS[case][1]
    rewards = recorded[case].rewards
    assert all(reward == expected or (math.isnan(reward) and math.isnan(expected)) for reward in rewards)


@pytest.mark.parametrize("case", REFUSED)
def test_odd_environment_is_refused_in_a_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str) -> None:
    harness = play(tmp_path, case)
    assert harness.closed is not None
    code, _ = harness.closed
    assert code is CloseCode.GAME_CRASHED
    assert REFUSED[case] in caplog.text
