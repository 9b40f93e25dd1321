"""BabyAI's own expert, on a copy of the environment that plays along."""

import logging
import sys
from contextlib import redirect_stdout
from typing import Any

import gymnasium

from skill_arcade.agents.policy import CorrectablePolicy
from skill_arcade.environments.factory import find_spec
from skill_arcade.games.manifest import EnvironmentSpec

log = logging.getLogger(__name__)


class BabyAIPolicy(CorrectablePolicy):
    """Plays as `minigrid.utils.baby_ai_bot.BabyAIBot` (Chevalier-Boisvert et al., "BabyAI", ICLR 2019).

    The bot plans on the whole state of the environment, which is no observation. It looks at a copy that was reset with
    the same seed and took the same actions.
    """

    def __init__(self, environment: EnvironmentSpec) -> None:
        self._copy: gymnasium.Env[Any, Any] = gymnasium.make(find_spec(environment.id), **environment.kwargs)
        self._bot: Any = None
        self._last_action: int | None = None
        """Action that the copy has not taken yet."""
        self._is_corrected = False

    def start(self, seed: int) -> None:
        """Begin an episode."""
        with redirect_stdout(sys.stderr):  # BabyAI prints; standard output is for what a command returns
            self._copy.reset(seed=seed)
        self._last_action, self._is_corrected = None, False
        self._make_bot()

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Take the last action on the copy, and plan the next one."""
        if self._last_action is not None:
            self._copy.step(self._last_action)
        self._last_action = self._plan()
        return self._last_action

    def correct(self, action: int) -> None:
        """Let the copy take this action instead of the one that was chosen."""
        self._last_action, self._is_corrected = action, True

    def _make_bot(self) -> None:
        from minigrid.utils.baby_ai_bot import BabyAIBot  # noqa: PLC0415 (slow to import, and only for these games)

        self._bot = BabyAIBot(self._copy)  # type: ignore[no-untyped-call]

    def _plan(self) -> int:
        """Plan the next action. After a correction the bot may not know its way any more; it then plans afresh."""
        try:
            return int(self._bot.replan(self._last_action))
        except Exception as error:
            if not self._is_corrected:
                raise
            log.info("bot plans afresh after a correction error=%s: %s", type(error).__name__, error)
        self._make_bot()
        return int(self._bot.replan(None))
