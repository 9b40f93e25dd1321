"""Lockstep of a program: it steps its own copy of the game in real time, and the arcade verifies each step.

Actions are sent as the controls that lead to them, by the rules for pages (L2, L4 and L6 of wire/SPEC.md).
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

BATCH_MS = 100.0
"""Time after which the steps so far are sent (rule L2)."""
MAX_CATCH_UP_MS = 50.0
"""Delay that is made up for by faster steps. The arcade allows 100 ms (rule L6)."""
MAX_DELAY_MS = 1_000.0
"""Delay at which the game is paused. The arcade allows 2 s, in which the network delays steps too (rule L6)."""


class LockstepUnavailable(Exception):
    """The game cannot be played in lockstep. The text says why, and what to do."""


class EpisodeRefused(Exception):
    """The arcade has ended the episode, because it did not accept a step. It is recorded up to there."""


class Emulator(Protocol):
    """What steps the game on this machine: `LocalEmulator`."""

    digest: int
    """Digest of everything that was observed since the reset (rule L3)."""

    def reset(self, ale_seed: int) -> None:
        """Begin an episode."""

    def step(self, action: int) -> tuple[float, bool, bool]:
        """Take a step. Return its reward, and whether it has terminated or truncated the episode."""
        ...


class LockstepGame:
    """Steps an emulator at the rate of the game, and sends the steps."""

    def __init__(
        self, offer: Mapping[str, Any], emulator: Emulator, send: Callable[..., None], now_ms: Callable[[], float]
    ) -> None:
        """`offer` is that of `welcome`. `send` sends a message, given its type and its fields without `at`."""
        self._emulator, self._send, self._now_ms = emulator, send, now_ms
        self._controls = find_controls(offer["bindings"], offer["noop"])
        self._period_ms = 1000 / offer["hz"]
        self._held: frozenset[str] = frozenset()
        self._batch: dict[str, Any] = {}
        self._due_ms = self._sent_ms = self._delay_ms = 0.0
        self.n_steps, self.score = 0, 0.0
        self._start_batch(0.0)

    def start(self, ale_seed: int) -> None:
        """Begin an episode, whose `started` has just arrived."""
        self._emulator.reset(ale_seed)
        self.n_steps, self.score, self._held = 0, 0.0, frozenset()
        self._start_clock(self._now_ms())

    def needs_pause(self) -> bool:
        """Return whether the program is so late that the arcade would refuse the next steps."""
        return self._delay_ms + max(0.0, self._now_ms() - self._due_ms) > MAX_DELAY_MS

    def resume(self) -> None:
        """Continue after a pause, in which the arcade has released all controls."""
        self._held = frozenset()
        self._start_clock(self._now_ms())

    def step(self, action: int) -> tuple[float, bool, bool]:
        """Wait for the time of the next step, take it, and send it with those before if it is time to.

        Return its reward, and whether it has terminated or truncated the episode.

        Raises:
            ValueError: no control leads to the action.
        """
        if action not in self._controls:
            raise ValueError(f"no key of this game leads to the action {action}, so it cannot be played in lockstep")
        now = self._wait()
        self._press(self._controls[action], now)
        reward, terminated, truncated = self._emulator.step(action)
        self._batch["actions"].append(action)
        self._batch["times"].append(now)
        self._batch["digests"].append(self._emulator.digest)
        self.n_steps, self.score = self.n_steps + 1, self.score + reward
        if terminated or truncated or now - self._sent_ms >= BATCH_MS:
            self.flush()
        return reward, terminated, truncated

    def flush(self) -> None:
        """Send the steps that were not sent yet."""
        if self._batch["actions"]:
            batch = self._batch
            self._start_batch(self._now_ms())
            self._send("ticks", at=batch.pop("times"), **batch)

    def _wait(self) -> float:
        """Wait until the next step is due. Return the time."""
        if (left_ms := self._due_ms - self._now_ms()) > 0:
            time.sleep(left_ms / 1000)
        now = self._now_ms()
        begin = max(self._due_ms, now - MAX_CATCH_UP_MS)
        self._delay_ms += begin - self._due_ms
        self._due_ms = begin + self._period_ms
        return now

    def _press(self, controls: frozenset[str], now: float) -> None:
        for down, changed in ((False, self._held - controls), (True, controls - self._held)):
            self._batch["inputs"] += [
                {"step": self.n_steps, "control": control, "down": down, "at": now, "frame": self.n_steps,
                 "device": "keyboard", "code": control}
                for control in sorted(changed)
            ]  # fmt: skip
        self._held = controls

    def _start_clock(self, now: float) -> None:
        self._due_ms, self._delay_ms = now + self._period_ms, 0.0
        self._start_batch(now)

    def _start_batch(self, now: float) -> None:
        self._batch = {"first": self.n_steps, "actions": [], "times": [], "digests": [], "inputs": []}
        self._sent_ms = now


def find_controls(bindings: list[dict[str, Any]], noop: int) -> dict[int, frozenset[str]]:
    """Return for each action the fewest controls that lead to it when they are held and no others are (rule I2)."""
    found: dict[int, frozenset[str]] = {noop: frozenset()}
    for binding in sorted(bindings, key=lambda one: len(one["press"])):
        found.setdefault(int(binding["action"]), frozenset(binding["press"]))
    return found
