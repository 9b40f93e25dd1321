"""Stages that are made already, for players to come: loading an Atari game takes 67 ms and holds Python's lock."""

import logging
from collections import Counter, deque

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.games.manifest import EnvironmentSpec

log = logging.getLogger(__name__)

MAX_POOLED_GAMES = 8
"""Games of which stages are kept: those that were asked for last. A stage is 0.9 MB, shared until it is played."""


class EnvironmentPool:
    """Stages by environment. Atari's only: their reset leaves nothing of what was played before (decision 0010)."""

    def __init__(self) -> None:
        self._environments: dict[str, list[AtariPlayableEnv]] = {}
        self._copies: deque[EnvironmentSpec] = deque()

    @property
    def has_pending(self) -> bool:
        """True when `load` has something to do."""
        return bool(self._copies)

    @property
    def available(self) -> Counter[str]:
        """How many stages of each environment are here, by the environment's JSON."""
        return Counter({key: len(envs) for key, envs in self._environments.items()})

    def reserve(self, environment: EnvironmentSpec, copies: int) -> None:
        """Keep so many stages of this environment, and none of the one that nobody has wanted for the longest.

        The first of them is made now, the others when `load` is called.
        """
        envs = self._environments.pop(key := environment.model_dump_json(), [])
        self._environments[key] = envs
        if len(self._environments) > MAX_POOLED_GAMES:
            for env in self._environments.pop(next(iter(self._environments))):
                env.close()
        missing = copies - len(envs) - self._copies.count(environment)
        self._copies.extend([environment] * missing)
        if not envs:
            self._make(environment)

    def warm_one(self) -> None:
        """Make one stage that is missing."""
        self._make(self._copies[0])

    def _make(self, environment: EnvironmentSpec) -> None:
        self._copies.remove(environment)
        try:
            env = make_environment(environment)
        except UnsupportedEnvironment as error:
            log.warning("no stage of %s is kept: %s", environment.id, error)
        else:
            self.release(environment, env)

    def acquire(self, environment: EnvironmentSpec) -> PlayableEnv:
        """One from the stock, or made now. Raises EnvironmentUnfit."""
        envs = self._environments.get(environment.model_dump_json())
        return envs.pop() if envs else make_environment(environment)

    def release(self, environment: EnvironmentSpec, env: PlayableEnv) -> None:
        """Keep a stage that is not played any more, or close it."""
        if isinstance(env, AtariPlayableEnv):
            self._environments.setdefault(environment.model_dump_json(), []).append(env)
        else:
            env.close()
