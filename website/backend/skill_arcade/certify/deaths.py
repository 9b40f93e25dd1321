"""Finds where the player dies, while an episode is re-run: recordings have no positions."""

from dataclasses import dataclass

from skill_arcade.environments.playable_env import PlayableEnv, StepResult, TellsPosition
from skill_arcade.environments.positions import Position


@dataclass(frozen=True, slots=True)
class Death:
    """A death. `frame` is the index of the last observation before it: the recording can be opened there."""

    frame: int
    position: Position


class DeathFinder:
    """Collects the deaths of an episode.

    In a game with lives, a death is a step after which there are fewer, and its place is where the player was before
    the step: after it, the player may be back at the start. Otherwise it is the end of an episode without a reward, and
    its place is where the player is then: in the lava or in the hole.
    """

    def __init__(self, env: PlayableEnv, first: StepResult) -> None:
        """Begin an episode after its reset."""
        self._env = env if isinstance(env, TellsPosition) else None
        self._lives = first.info.get("lives")
        self._before = self._read()
        self.deaths: list[Death] = []

    @property
    def tells_position(self) -> bool:
        """Whether the environment says where the player is."""
        return self._before is not None

    def follow(self, step: int, outcome: StepResult) -> None:
        """Look at the outcome of a step."""
        if self._before is None:
            return
        after, lives = self._read(), outcome.info.get("lives")
        if lives is not None and self._lives is not None:
            if lives < self._lives:
                self.deaths.append(Death(step, self._before))
        elif outcome.terminated and outcome.reward <= 0 and after is not None:
            self.deaths.append(Death(step, after))
        self._lives, self._before = lives, after

    def _read(self) -> Position | None:
        return None if self._env is None else self._env.position()
