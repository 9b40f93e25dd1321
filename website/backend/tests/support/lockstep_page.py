"""A lockstep page for tests, in which ale-py replaces the WebAssembly emulator; both compute the same bytes."""

from typing import Any

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.session.input_latch import InputLatch
from skill_arcade.recording.records import ActiveInput

PERIOD_MS = 1000 / 60
EMPTY_MODULE = b"\0asm\1\0\0\0"
"""The smallest WebAssembly module, for servers in tests whose pages do not run it."""


class LockstepPage:
    """Plays an episode on its own clock, which is at `now_ms`, and packs its steps into messages.

    It gets the seed of the episode instead of ALE's seed, which `AtariEnv` does not accept.
    """

    def __init__(self, game: Manifest, seed: int, env: PlayableEnv | None = None) -> None:
        env = env or make_environment(game.environment)
        assert isinstance(env, AtariPlayableEnv)
        self.env = env
        self.env.reset(seed)
        self.digest = env.update_digest(0, 0.0)
        self.controls = InputLatch(game.actions, game.noop)
        self.now_ms = 1000.0
        self.n_steps = 0
        self.over = False
        self._batch: dict[str, Any] = self._new_batch()

    def press(self, control: str, *, down: bool = True) -> None:
        """Press or release a control before the next step."""
        at = self.now_ms + 1
        self.controls.change(control, down=down, source=ActiveInput(0, 0, None))
        latched = {"step": self.n_steps, "control": control, "down": down, "at": at, "frame": self.n_steps}
        self._batch["inputs"].append({**latched, "device": "keyboard", "code": control})

    def step(self, count: int = 1) -> None:
        """Take steps until the game ends."""
        for _ in range(count):
            if self.over:
                return
            action, _ = self.controls.sample()
            assert action is not None
            outcome = self.env.step(action)
            self.digest = self.env.update_digest(self.digest, outcome.reward)
            self.over = outcome.terminated or outcome.truncated
            self.n_steps += 1
            self.now_ms += PERIOD_MS
            self._batch["actions"].append(action)
            self._batch["at"].append(self.now_ms)
            self._batch["digests"].append(self.digest)

    def ticks(self) -> dict[str, Any]:
        """Return a `ticks` message with everything since the last one."""
        batch, self._batch = self._batch, self._new_batch()
        return batch

    def _new_batch(self) -> dict[str, Any]:
        return {"type": "ticks", "first": self.n_steps, "actions": [], "at": [], "digests": [], "inputs": []}
