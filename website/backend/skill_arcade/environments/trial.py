"""Tries a game out before people play it: several seeds, hundreds of steps, everything recorded as in play.

`python -m skill_arcade.environments.trial {report}` reads a manifest as JSON from standard input and writes a
`TrialReport` as JSON. `try_game` runs it in two processes, so that nothing an environment does ends the caller.
"""

import hashlib
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gymnasium.utils.env_checker import check_env

from skill_arcade.child_processes import describe_exit_code
from skill_arcade.environments.environment_calls import describe_exception
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.gymnasium_env import GymnasiumPlayableEnv
from skill_arcade.environments.manifest_validation import validate_in
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.errors import EnvironmentFailed, UnsupportedEnvironment
from skill_arcade.games.manifest import Manifest
from skill_arcade.recording.observation import Leaves, describe_leaves, pack_observation

SEEDS = (3, 4, 3)
"""Seeds of the episodes. The first is played again last: state that is kept over a reset then shows."""
MAX_STEPS = 300
"""Steps of an episode, unless it ends before."""
MAX_TRIAL_SECONDS = 20.0
"""Time after which no further step is taken."""
MAX_PROCESS_SECONDS = 180.0
"""Time after which the process of a trial is killed."""
MAX_GROWTH_MB = 200
"""Growth of the memory during a trial from which on it is reported."""
MAX_LISTED = 5
"""Messages of Gymnasium's checker that are reported."""
HASH_SEEDS = ("1", "2")
IGNORED_ADVICE = "This is probably too"
"""What Gymnasium's checker says of every unbounded space, which harms nothing here."""


@dataclass(slots=True)
class TrialReport:
    """Result of a trial. Problems prevent that the game is played; warnings do not.

    `digests` has one text for each seed, of everything that the environment returned.
    """

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    n_steps: int = 0
    median_step_ms: float = 0.0
    max_step_ms: float = 0.0


def try_game(game: Manifest) -> TrialReport:
    """Try a game in two processes with different hash seeds, and compare what they saw.

    The second is not started if the first played no episode to its end: there is nothing to compare, and an environment
    that hangs would take another 180 s.
    """
    first = _run_process(game, HASH_SEEDS[0])
    if not first.digests:
        return first
    second = _run_process(game, HASH_SEEDS[1])
    if first.digests and second.digests and first.digests != second.digests:
        first.warnings.append(
            "two processes differ with the same seed and actions: the environment is not deterministic, and its "
            "episodes cannot be certified"
        )
    first.problems += [problem for problem in second.problems if problem not in first.problems]
    return first


def _run_process(game: Manifest, hash_seed: str) -> TrialReport:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "skill_arcade.environments.trial", str(report)]
        try:
            completed = subprocess.run(
                command,
                input=game.model_dump_json().encode(),
                env={**os.environ, "PYTHONHASHSEED": hash_seed},
                capture_output=True,
                timeout=MAX_PROCESS_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return TrialReport([f"the environment hangs: the trial did not end in {MAX_PROCESS_SECONDS:.0f} s"])
        if report.exists():
            return TrialReport(**json.loads(report.read_text()))
        last = completed.stderr.decode(errors="replace").strip().splitlines()[-1:]
        cause = describe_exit_code(completed.returncode)
        return TrialReport([f"the environment ended its process ({cause}){''.join(f': {line}' for line in last)}"])


def main() -> None:
    """Try the game of the manifest on standard input, and write the report."""
    signal.signal(signal.SIGINT, lambda *_: None)  # the caller ends this process; an environment's own is a failure
    game, path = Manifest.model_validate_json(sys.stdin.buffer.read()), Path(sys.argv[1])
    report = TrialReport()
    try:
        env = make_environment(game.environment)
    except UnsupportedEnvironment as error:
        report.problems.append(f"environment: {error}")
    else:
        try:
            _Trial(game, env, report).run()
        except (EnvironmentFailed, UnsupportedEnvironment) as error:
            report.problems.append(str(error))
        path.write_text(json.dumps(asdict(report)))
        _close(env, report)
        _run_checker(env, report)
    path.write_text(json.dumps(asdict(report)))
    os._exit(0)  # threads of the environment may still run


class _Trial:
    """Plays one environment and collects what is to be reported."""

    def __init__(self, game: Manifest, env: PlayableEnv, report: TrialReport) -> None:
        self._game, self._env, self._report = game, env, report
        self._leaves: Leaves | None = None
        self._step_seconds: list[float] = []
        self._sizes: set[tuple[int, int]] = set()
        self._pictures: set[bytes] = set()
        self._warned: dict[str, str] = {}

    def run(self) -> None:
        """Play all episodes.

        Raises:
            EnvironmentFailed: the environment cannot be played or recorded.
        """
        report, deadline = self._report, time.monotonic() + MAX_TRIAL_SECONDS
        report.problems += validate_in(self._game, self._env)
        memory_mb: float | None = None
        for number, seed in enumerate(SEEDS):
            report.digests.append(self._play(seed, random.Random(seed), deadline))
            if number == 0:
                memory_mb = _max_memory_mb()
        report.n_steps = len(self._step_seconds)
        if self._step_seconds:
            report.median_step_ms = round(statistics.median(self._step_seconds) * 1000, 2)
            report.max_step_ms = round(max(self._step_seconds) * 1000, 2)
        report.warnings += self._warned.values()
        report.warnings += self._list_warnings(_max_memory_mb() - (memory_mb or 0.0))

    def _play(self, seed: int, rng: random.Random, deadline: float) -> str:
        """Play one episode with random actions; return the digest of everything it returned."""
        actions = [binding.action for binding in self._game.actions if binding.action < self._env.n_actions]
        actions += [self._game.noop] if self._game.noop is not None else []
        digest = hashlib.blake2b()
        outcome = self._env.reset(seed)
        self._check_result(outcome, digest)
        for _ in range(MAX_STEPS):
            if outcome.terminated or outcome.truncated or time.monotonic() > deadline or not actions:
                break
            started = time.perf_counter()
            outcome = self._env.step(rng.choice(actions))
            self._check_result(outcome, digest)
            self._step_seconds.append(time.perf_counter() - started)
        return digest.hexdigest()

    def _check_result(self, outcome: StepResult, digest: Any) -> None:
        pixels = self._env.picture().rgb()
        self._sizes.add((pixels.shape[1], pixels.shape[0]))
        digest.update(pixels.tobytes())
        if len(self._pictures) < 2:
            self._pictures.add(hashlib.blake2b(pixels.tobytes()).digest())
        if not self._env.observes_picture:
            digest.update(self._pack(outcome.observation))
        digest.update(json.dumps([outcome.reward, outcome.terminated, outcome.truncated]).encode())
        digest.update((text := json.dumps(outcome.info, sort_keys=True)).encode())
        if '"$repr"' in text:
            names = [key for key, value in outcome.info.items() if '"$repr"' in json.dumps(value)]
            self._warn_once(
                "repr", f"info {', '.join(map(repr, names))} has objects that are stored as their repr only"
            )
        if outcome.reward != outcome.reward or abs(outcome.reward) == float("inf"):
            self._warn_once(
                "reward", f"a reward is {outcome.reward}: it is stored, and so are sums that have no meaning"
            )
        space = getattr(self._env, "observation_space", None)
        if space is not None and not _contains(space, outcome.observation):
            self._warn_once("space", "an observation is outside of the observation space that the environment declares")

    def _pack(self, observation: Any) -> bytes:
        try:
            if self._leaves is None:
                self._leaves = describe_leaves(observation, self._env.changing_leaves)
            return pack_observation(observation, self._leaves)
        except (TypeError, ValueError) as error:
            raise EnvironmentFailed(f"the observation cannot be recorded: {error}") from error

    def _warn_once(self, kind: str, text: str) -> None:
        self._warned.setdefault(kind, text)

    def _list_warnings(self, growth_mb: float) -> Iterator[str]:
        report, pace = self._report, self._game.pace
        if report.digests[0] != report.digests[2]:
            yield (
                f"seed {SEEDS[0]} played twice gives two episodes: the environment keeps state over a reset, or is not "
                "deterministic; its episodes cannot be certified"
            )
        if len(self._pictures) < 2 and report.n_steps > 1:
            yield f"the picture never changed in {report.n_steps} steps"
        if len(self._sizes) > 1:
            sizes = ", ".join(f"{width} x {height}" for width, height in sorted(self._sizes)[:MAX_LISTED])
            yield f"the picture changes its size ({sizes}): it is recorded, but exports as video leave the episode out"
        if pace.kind == "real-time" and report.median_step_ms > 1000 / pace.hz:
            yield f"a step takes {report.median_step_ms} ms (median); {pace.hz:g} Hz leave {1000 / pace.hz:.1f} ms"
        if growth_mb > MAX_GROWTH_MB:
            yield f"memory grew by {growth_mb:.0f} MB in {report.n_steps} steps"


def _contains(space: Any, observation: Any) -> bool:
    try:
        return bool(space.contains(observation))
    except Exception:  # noqa: BLE001  (a space of an environment)
        return False


def _max_memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _close(env: PlayableEnv, report: TrialReport) -> None:
    try:
        env.close()
    except EnvironmentFailed as error:
        report.warnings.append(str(error))


def _run_checker(env: PlayableEnv, report: TrialReport) -> None:
    """Add what Gymnasium's own checker says about a new instance."""
    if not isinstance(env, GymnasiumPlayableEnv):
        return
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fresh = env.make_again()
            check_env(fresh.unwrapped, skip_render_check=True)
            fresh.close()
        except BaseException as error:  # noqa: BLE001  (whatever an environment raises)
            messages.append(describe_exception(error))
    messages += [" ".join(str(one.message).split()) for one in caught if IGNORED_ADVICE not in str(one.message)]
    unique = dict.fromkeys(message.replace("\x1b[33m", "").replace("\x1b[0m", "") for message in messages)
    report.warnings += [f"Gymnasium's checker: {message}" for message in list(unique)[:MAX_LISTED]]


if __name__ == "__main__":
    main()
