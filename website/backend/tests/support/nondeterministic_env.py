"""An environment with randomness that does not depend on the seed:
`tests.support.nondeterministic_env:CartPoleDrifting-v0`.
"""

import secrets
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

from skill_arcade.games.manifest import EnvironmentSpec, Manifest
from tests.support.catalogue import load_games

SPEC = "CartPoleDrifting-v0"


class NondeterministicEnv(CartPoleEnv):
    """CartPole with a small random drift at each step."""

    def step(self, action: Any) -> Any:
        assert self.state is not None
        self.state = np.array([part + secrets.randbelow(1000) / 1e6 for part in self.state])
        return super().step(action)  # type: ignore[no-untyped-call]


def nondeterministic_game() -> Manifest:
    """Return a game of this environment."""
    environment = EnvironmentSpec(id=f"{__name__}:{SPEC}")
    return load_games()["cart-pole"].model_copy(update={"id": "drifting", "environment": environment})


if SPEC not in gymnasium.registry:
    gymnasium.register(SPEC, entry_point=NondeterministicEnv)  # type: ignore[arg-type]
