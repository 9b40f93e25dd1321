"""A page that plays in lockstep, for tests: ale-py stands in for the emulator, whose bytes are the same."""

from typing import Any

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.recording.records import ActiveInput

PERIOD_MS = 1000 / 60
EMPTY_MODULE = b"\0asm\1\0\0\0"
"""The smallest module there is, for servers in tests: what real pages run is not run here."""


class LockstepPage:
    """Plays an episode on its own clock, which stands at `now_ms`, and packs what it did into messages.

    It is given the episode's seed rather than ALE's, which `AtariEnv` would not take.
    """

    def __init__(self, game: Manifest, seed: int, env: PlayableEnv | None = None) -> None:
        env = env or make_environment(game.environment)
        assert isinstance(env, AtariPlayableEnv)
        self.stage = env
        self.stage.reset(seed)
        self.digest = env.update_digest(0, 0.0)
        self.controls = InputLatch(game.actions, game.noop)
        self.now_ms = 1000.0
        self.n_steps = 0
        self.over = False
        self._batch: dict[str, Any] = self._fresh()

    def press(self, control: str, *, down: bool = True) -> None:
        """A control goes down or up before the next step."""
        at = self.now_ms + 1
        self.controls.change(control, down=down, source=ActiveInput(0, 0, None))
        latched = {"step": self.n_steps, "control": control, "down": down, "at": at, "frame": self.n_steps}
        self._batch["inputs"].append({**latched, "device": "keyboard", "code": control})

    def step(self, count: int = 1) -> None:
        """Take steps; no more than the game has."""
        for _ in range(count):
            if self.over:
                return
            action, _ = self.controls.sample()
            assert action is not None
            outcome = self.stage.step(action)
            self.digest = self.stage.update_digest(self.digest, outcome.reward)
            self.over = outcome.terminated or outcome.truncated
            self.n_steps += 1
            self.now_ms += PERIOD_MS
            self._batch["actions"].append(action)
            self._batch["at"].append(self.now_ms)
            self._batch["digests"].append(self.digest)

    def ticks(self) -> dict[str, Any]:
        """The message with all that was done since the last one."""
        batch, self._batch = self._batch, self._fresh()
        return batch

    def _fresh(self) -> dict[str, Any]:
        return {"type": "ticks", "first": self.n_steps, "actions": [], "at": [], "digests": [], "inputs": []}
