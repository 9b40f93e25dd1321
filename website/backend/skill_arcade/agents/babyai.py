"""BabyAI's own expert, on a copy of the environment that plays along."""

import sys
from contextlib import redirect_stdout
from typing import Any

import gymnasium

from skill_arcade.agents.policy import Policy
from skill_arcade.environments.factory import find_spec
from skill_arcade.games.manifest import EnvironmentSpec


class BabyAIPolicy(Policy):
    """Plays as `minigrid.utils.baby_ai_bot.BabyAIBot` (Chevalier-Boisvert et al., "BabyAI", ICLR 2019).

    The bot plans on the whole state of the environment, which is no observation. It looks at a copy that was reset with
    the same seed and took the same actions.
    """

    def __init__(self, environment: EnvironmentSpec) -> None:
        self._copy: gymnasium.Env[Any, Any] = gymnasium.make(find_spec(environment.id), **environment.kwargs)
        self._bot: Any = None
        self._last_action: int | None = None

    def start(self, seed: int) -> None:
        """Begin an episode."""
        from minigrid.utils.baby_ai_bot import BabyAIBot  # noqa: PLC0415 (slow to import, and only for these games)

        with redirect_stdout(sys.stderr):  # BabyAI prints; standard output is for what a command returns
            self._copy.reset(seed=seed)
        self._bot, self._last_action = BabyAIBot(self._copy), None  # type: ignore[no-untyped-call]

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Plan the next action, and take it on the copy."""
        self._last_action = int(self._bot.replan(self._last_action))
        self._copy.step(self._last_action)
        return self._last_action
