"""Pool of preloaded environments in the fork server, inherited by the game processes that it forks.

Loading an Atari game takes 67 ms and holds Python's global interpreter lock, which would delay the other games of a
process.
"""

import logging
from collections import Counter, deque

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.games.manifest import EnvironmentSpec

log = logging.getLogger(__name__)

MAX_POOLED_GAMES = 8
"""Games of which the pool keeps instances; the least recently used one is evicted. An instance takes 0.9 MB, shared by
copy-on-write until it is played.
"""


class EnvironmentPool:
    """Idle environments by environment spec.

    Only Atari environments are pooled, because their reset keeps no state of what was played before (decision 0010).
    """

    def __init__(self) -> None:
        self._environments: dict[str, list[AtariPlayableEnv]] = {}
        self._pending: deque[EnvironmentSpec] = deque()

    @property
    def has_pending(self) -> bool:
        """True if `warm_one` has an instance to load."""
        return bool(self._pending)

    @property
    def available(self) -> Counter[str]:
        """Number of idle instances by the JSON of their environment spec."""
        return Counter({key: len(envs) for key, envs in self._environments.items()})

    def reserve(self, environment: EnvironmentSpec, copies: int) -> None:
        """Keep `copies` instances of this environment ready, and evict the least recently used environment.

        The first instance is loaded at once, the others by later calls of `warm_one`.
        """
        envs = self._environments.pop(key := environment.model_dump_json(), [])
        self._environments[key] = envs
        if len(self._environments) > MAX_POOLED_GAMES:
            for env in self._environments.pop(next(iter(self._environments))):
                env.close()
        missing = copies - len(envs) - self._pending.count(environment)
        self._pending.extend([environment] * missing)
        if not envs:
            self._make(environment)

    def warm_one(self) -> None:
        """Load one missing instance."""
        self._make(self._pending[0])

    def _make(self, environment: EnvironmentSpec) -> None:
        self._pending.remove(environment)
        try:
            env = make_environment(environment)
        except UnsupportedEnvironment as error:
            log.warning("cannot preload environment=%s: %s", environment.id, error)
        else:
            self.release(environment, env)

    def acquire(self, environment: EnvironmentSpec) -> PlayableEnv:
        """Take an idle instance out of the pool, or load a new one.

        Raises:
            UnsupportedEnvironment: the environment cannot be loaded.
        """
        envs = self._environments.get(environment.model_dump_json())
        return envs.pop() if envs else make_environment(environment)

    def release(self, environment: EnvironmentSpec, env: PlayableEnv) -> None:
        """Put an instance that is no longer played back into the pool, or close it if it cannot be reused."""
        if isinstance(env, AtariPlayableEnv):
            self._environments.setdefault(environment.model_dump_json(), []).append(env)
        else:
            env.close()
