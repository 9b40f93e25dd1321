"""One episode again, from environment, seed and actions, held against what is kept, step by step."""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from skill_arcade.dataset import Episode
from skill_arcade.dataset.frames import Frames
from skill_arcade.environments.factory import make_environment_from_spec
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.environments.provenance import version_differences
from skill_arcade.errors import ArcadeError, UnsupportedEnvironment
from skill_arcade.recording.observation import ROOT_NAME, describe_leaves, pack_observation
from skill_arcade.storage.database.tables import CertificateResult

RESET = -1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a re-run found. `step`: the first whose outcome differs, -1 for the reset, None: none does."""

    result: CertificateResult
    step: int | None
    reason: str
    n_steps: int
    seconds: float
    versions: dict[str, Any]


class MismatchError(Exception):
    """The re-run is not what is kept."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(what)
        self.step = step


def rerun_episode(episode: Episode) -> Verdict:
    """Run an episode again and compare every frame, observation, reward, flag and kept info, exactly.

    Where it differs, the environment is held against itself: if two more runs of the same actions differ from one
    another, it is the environment that can't be reproduced, and not the record that is wrong.
    """
    began = time.perf_counter()
    versions: dict[str, Any] = {}

    def verdict(result: CertificateResult, step: int | None, reason: str, n_steps: int) -> Verdict:
        return Verdict(result, step, reason, n_steps, time.perf_counter() - began, versions)

    try:
        actions, changes = episode.actions, "; ".join(episode.find_changes())
        env = make_environment_from_spec(episode.environment)
    except UnsupportedEnvironment as unfit:
        return verdict(CertificateResult.irreproducible, None, str(unfit), 0)
    except ArcadeError as damaged:
        return verdict(CertificateResult.damaged, None, str(damaged), 0)
    versions |= {key: env.spec[key] for key in ("packages", "python", "machine")}
    try:
        compare_runs(episode, env)
    except MismatchError as difference:
        step, reason = difference.step, str(difference)
        if not is_deterministic(episode, actions[: step + 1]):
            reason = f"the environment differs from itself when the same actions are run twice ({reason})"
            return verdict(CertificateResult.irreproducible, step, reason, step + 1)
        changed = version_differences(episode.environment, env.spec)
        if changes:
            reason += f"; {changes}"
        if changed:
            reason += f"; since it was played, {'; '.join(changed)}"
        return verdict(CertificateResult.mismatch, step, reason, step + 1)
    except ArcadeError as damaged:
        return verdict(CertificateResult.damaged, None, str(damaged), 0)
    finally:
        env.close()
    if changes:
        return verdict(
            CertificateResult.damaged, None, f"{changes}, though a re-run of them comes out the same", len(actions)
        )
    return verdict(CertificateResult.certified, None, "", len(actions))


def compare_runs(episode: Episode, env: PlayableEnv) -> None:
    """Raise Differs at the first step that comes out otherwise; RecordingDamaged when the record does not read."""
    pictures = episode.pictures()
    observations = None if env.observes_picture else _Observations(episode)
    infos, rewards = episode.stored_infos, episode.rewards
    terminations, truncations = episode.terminations, episode.truncations
    _compare_state(RESET, env, env.reset(episode.seed), pictures, observations)
    for step, action in enumerate(episode.actions):
        outcome = env.step(int(action))
        if outcome.reward != rewards[step] and not (np.isnan(outcome.reward) and np.isnan(rewards[step])):
            raise MismatchError(step, f"step {step}: reward {outcome.reward:g}, stored is {rewards[step]:g}")
        for name, now, kept in (
            ("terminated", outcome.terminated, terminations[step]),
            ("truncated", outcome.truncated, truncations[step]),
        ):
            if now != kept:
                raise MismatchError(step, f"step {step}: {name} is {now}, stored is {bool(kept)}")
        _compare_info(step, outcome, infos[step])
        _compare_state(step, env, outcome, pictures, observations)


def is_deterministic(episode: Episode, actions: Any) -> bool:
    """True when two fresh environments do the same with the same seed and actions."""
    return _digest(episode, actions) == _digest(episode, actions)


def _compare_state(
    step: int, env: PlayableEnv, outcome: StepResult, pictures: Iterator[Any], observations: "_Observations | None"
) -> None:
    where = "the reset" if step == RESET else f"step {step}"
    kept = next(pictures, None)
    if kept is None:
        raise MismatchError(step, f"{where}: no frame is stored")
    if not env.picture().equals(kept):
        raise MismatchError(step, f"{where}: the frame differs")
    if observations is not None and not observations.match(step + 1, outcome.observation):
        raise MismatchError(step, f"{where}: the observation differs")


def _compare_info(step: int, outcome: StepResult, stored: dict[str, Any]) -> None:
    for key, value in stored.items():
        now = json.loads(json.dumps(outcome.info.get(key)))
        if now != value:
            raise MismatchError(step, f"step {step}: info[{key!r}] is {now!r}, stored is {value!r}")


class _Observations:
    """Kept observations, to be compared byte by byte."""

    def __init__(self, episode: Episode) -> None:
        kept = episode.observations
        if isinstance(kept, Frames):
            kept = np.asarray(kept)
        self._columns = kept if isinstance(kept, dict) else {"observation": kept}

    def match(self, index: int, observation: Any) -> bool:
        """Return whether an observation has the recorded parts with exactly the recorded values."""
        recorded = {name: _row(column, index) for name, column in self._columns.items()}
        leaves = [leaf | {"name": name} for name, value in recorded.items() for leaf in describe_leaves(value)]
        expected = b"".join(pack_observation(recorded[leaf["name"]], [leaf | {"name": ROOT_NAME}]) for leaf in leaves)
        try:
            return pack_observation(observation, leaves) == expected
        except (TypeError, ValueError):
            return False


def _row(column: Any, index: int) -> Any:
    return str(column[index]) if column.dtype.kind in "UO" else column[index]


def _digest(episode: Episode, actions: Any) -> str:
    env, digest = make_environment_from_spec(episode.environment), hashlib.blake2b()
    try:
        outcome = env.reset(episode.seed)
        for action in [None, *actions]:
            if action is not None:
                outcome = env.step(int(action))
            digest.update(env.picture().rgb().tobytes())
            digest.update(pack_observation(outcome.observation, describe_leaves(outcome.observation)))
            digest.update(repr((outcome.reward, outcome.terminated, outcome.truncated)).encode())
            digest.update(repr(sorted(outcome.info.items())).encode())
    finally:
        env.close()
    return digest.hexdigest()
