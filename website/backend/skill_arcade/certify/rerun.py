"""Re-runs one episode from environment, seed and actions, and compares it with the recording step by step."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skill_arcade.certify.deaths import Death, DeathFinder
from skill_arcade.dataset import Episode
from skill_arcade.dataset.frames import Frames
from skill_arcade.environments.factory import make_environment_from_spec
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.environments.provenance import version_differences
from skill_arcade.errors import ArcadeError, EnvironmentFailed, NotFound, NotReady, UnsupportedEnvironment
from skill_arcade.recording.observation import ROOT_NAME, describe_leaves, pack_leaf, pack_observation
from skill_arcade.storage.database.tables import CertificateResult

RESET = -1


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a re-run.

    * `step`: the first step that differs, -1 for the reset, or None if no step differs.
    * `deaths`: where the player died; None if the environment does not tell, or if the episode is not certified.
    """

    result: CertificateResult
    step: int | None
    reason: str
    n_steps: int
    seconds: float
    versions: dict[str, Any]
    deaths: tuple[Death, ...] | None = None


class MismatchError(Exception):
    """Raised if the re-run differs from the recording."""

    def __init__(self, step: int, message: str) -> None:
        super().__init__(message)
        self.step = step


def rerun_episode(
    episode: Episode, opened: list[PlayableEnv] | None = None, on_step: Callable[[int], None] = lambda step: None
) -> Verdict:
    """Re-run an episode and compare all frames, observations, rewards, flags and stored infos exactly.

    Every failure becomes a verdict: of the environment `irreproducible`, of reading the recording `damaged`. A
    difference is a `mismatch`, also if the environment is not deterministic; `digest_runs` finds that out.

    * `opened`: gets the environment, which the caller closes; None closes it here.
    * `on_step`: called before each step with its number.
    """
    started = time.perf_counter()
    versions: dict[str, Any] = {}

    def verdict(result: CertificateResult, step: int | None, reason: str, n_steps: int) -> Verdict:
        return Verdict(result, step, reason, n_steps, time.perf_counter() - started, versions)

    try:
        actions, changes = episode.actions, "; ".join(episode.find_changes())
        episode.prefix_actions  # noqa: B018 read here, because those of an erased episode are not found
        env = make_environment_from_spec(episode.environment)
        if opened is not None:
            opened.append(env)
    except (UnsupportedEnvironment, NotFound) as error:
        return verdict(CertificateResult.irreproducible, None, str(error), 0)
    except NotReady:
        raise
    except ArcadeError as error:
        return verdict(CertificateResult.damaged, None, str(error), 0)
    versions |= {key: env.spec[key] for key in ("packages", "python", "machine")}
    try:
        deaths = compare_runs(episode, env, on_step)
    except MismatchError as mismatch:
        changed = version_differences(episode.environment, env.spec)
        notes = [changes, f"changes since the recording: {'; '.join(changed)}" if changed else ""]
        reason = "; ".join([str(mismatch), *filter(None, notes)])
        return verdict(CertificateResult.mismatch, mismatch.step, reason, mismatch.step + 1)
    except (EnvironmentFailed, UnsupportedEnvironment) as error:
        return verdict(CertificateResult.irreproducible, None, f"the re-run failed: {error}", 0)
    except MemoryError:
        return verdict(CertificateResult.irreproducible, None, "the re-run exceeds CERTIFIER_MEMORY_MB", 0)
    except NotReady:
        raise
    except ArcadeError as error:
        return verdict(CertificateResult.damaged, None, str(error), 0)
    finally:
        if opened is None:
            env.close()
    if changes:
        return verdict(CertificateResult.damaged, None, f"{changes}, although the re-run is identical", len(actions))
    certified = verdict(CertificateResult.certified, None, "", len(actions))
    return replace(certified, deaths=None if deaths is None else tuple(deaths))


def compare_runs(
    episode: Episode, env: PlayableEnv, on_step: Callable[[int], None] = lambda step: None
) -> list[Death] | None:
    """Re-run the episode in `env` and compare. Return where the player dies, or None if `env` does not tell.

    Raises:
        MismatchError: a step differs; the error names the first one.
        RecordingDamaged: the recording cannot be read.
    """
    pictures = episode.pictures()
    observations = None if env.observes_picture else _Observations(episode)
    infos, rewards = episode.stored_infos, episode.rewards
    terminations, truncations = episode.terminations, episode.truncations
    first = _begin(episode, env, on_step)
    _compare_state(RESET, env, first, pictures, observations)
    finder = DeathFinder(env, first)
    for step, action in enumerate(episode.actions):
        on_step(step)
        outcome = env.step(int(action))
        if outcome.reward != rewards[step] and not (np.isnan(outcome.reward) and np.isnan(rewards[step])):
            raise MismatchError(step, f"step {step}: reward {outcome.reward:g}, stored is {rewards[step]:g}")
        for name, actual, recorded in (
            ("terminated", outcome.terminated, terminations[step]),
            ("truncated", outcome.truncated, truncations[step]),
        ):
            if actual != recorded:
                raise MismatchError(step, f"step {step}: {name} is {actual}, stored is {bool(recorded)}")
        _compare_info(step, outcome, infos[step])
        _compare_state(step, env, outcome, pictures, observations)
        finder.follow(step, outcome)
    return finder.deaths if finder.tells_position else None


def _begin(episode: Episode, env: PlayableEnv, on_step: Callable[[int], None]) -> StepResult:
    """Bring the environment to observation 0: by the reset, and the steps before the frame of a branch (rule R31)."""
    outcome = env.reset(episode.seed)
    for action in episode.prefix_actions:
        on_step(RESET)
        outcome = env.step(int(action))
    return outcome


def digest_runs(
    episode: Episode, n_actions: int, opened: list[PlayableEnv], on_step: Callable[[int], None]
) -> tuple[str, str]:
    """Take the first `n_actions` actions of an episode twice in one new environment; return the digest of each run.

    Two different digests mean that the environment keeps state over a reset. Digests that differ between processes mean
    that it is not deterministic: each process has another id and another hash seed.

    Raises:
        EnvironmentFailed, UnsupportedEnvironment: the environment cannot be run.
    """
    env = make_environment_from_spec(episode.environment)
    opened.append(env)
    actions = [*episode.prefix_actions, *episode.actions[:n_actions]]
    return _digest(env, episode.seed, actions, on_step), _digest(env, episode.seed, actions, on_step)


def _compare_state(
    step: int, env: PlayableEnv, outcome: StepResult, pictures: Iterator[Any], observations: "_Observations | None"
) -> None:
    position = "the reset" if step == RESET else f"step {step}"
    recorded = next(pictures, None)
    if recorded is None:
        raise MismatchError(step, f"{position}: no frame is stored")
    if not env.picture().equals(recorded):
        raise MismatchError(step, f"{position}: the frame differs")
    if observations is not None and not observations.match(step + 1, outcome.observation):
        raise MismatchError(step, f"{position}: the observation differs")


def _compare_info(step: int, outcome: StepResult, stored: dict[str, Any]) -> None:
    for key, value in stored.items():
        actual = json.loads(json.dumps(outcome.info.get(key)))
        if actual != value:
            raise MismatchError(step, f"step {step}: info[{key!r}] is {actual!r}, stored is {value!r}")


class _Observations:
    """The recorded observations, for comparison byte by byte."""

    def __init__(self, episode: Episode) -> None:
        recorded = episode.observations
        if isinstance(recorded, Frames):
            recorded = np.asarray(recorded)
        self._columns = recorded if isinstance(recorded, dict) else {"observation": recorded}

    def match(self, index: int, observation: Any) -> bool:
        """Return whether an observation has the recorded parts with exactly the recorded values."""
        recorded = {name: _row(column, index) for name, column in self._columns.items()}
        leaves = [self._describe(name, value) for name, value in recorded.items()]
        expected = b"".join(pack_leaf(recorded[leaf["name"]], leaf) for leaf in leaves)
        try:
            return pack_observation(observation, leaves) == expected
        except (TypeError, ValueError):
            return False

    def _describe(self, name: str, value: Any) -> dict[str, Any]:
        is_object = self._columns[name].dtype.hasobject and not isinstance(value, str)
        (leaf,) = describe_leaves(value, (ROOT_NAME,) if is_object else ())
        return leaf | {"name": name}


def _row(column: Any, index: int) -> Any:
    return str(column[index]) if column.dtype.kind == "U" else column[index]


def _digest(env: PlayableEnv, seed: int, actions: Any, on_step: Callable[[int], None]) -> str:
    digest = hashlib.blake2b()
    outcome = env.reset(seed)
    for step, action in enumerate([None, *actions]):
        on_step(step)
        if action is not None:
            outcome = env.step(int(action))
        digest.update(env.picture().rgb().tobytes())
        leaves = describe_leaves(outcome.observation, env.changing_leaves)
        digest.update(pack_observation(outcome.observation, leaves))
        digest.update(repr((outcome.reward, outcome.terminated, outcome.truncated)).encode())
        digest.update(json.dumps(outcome.info, sort_keys=True).encode())
    return digest.hexdigest()
