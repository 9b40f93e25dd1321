"""Interface between a game process and an environment: reset, step, picture."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

from skill_arcade.environments.positions import Position
from skill_arcade.frames.picture import Picture


class StepResult(NamedTuple):
    """Result of `step`, or of `reset` with reward 0 and both flags False, as Gymnasium defines them."""

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


class PlayableEnv(Protocol):
    """A Gymnasium environment with a picture."""

    @property
    def observes_picture(self) -> bool:
        """Whether the observation is the picture, so that it is not stored twice."""

    @property
    def changing_leaves(self) -> tuple[str, ...]:
        """Names of the observation's leaves whose form changes from step to step, as `describe_leaves` takes them."""

    @property
    def n_actions(self) -> int:
        """Number of actions; actions are 0 to n_actions - 1."""

    @property
    def spec(self) -> dict[str, Any]:
        """Description for exact re-runs, as JSON: id, kwargs, package versions, hash of the ROM if it has one."""

    def reset(self, seed: int) -> StepResult:
        """Start an episode. `seed` is 1 to 2**31 - 1."""

    def step(self, action: int) -> StepResult:
        """Take one step."""

    def picture(self) -> Picture:
        """Return the picture after the last reset or step. The next step may overwrite its arrays."""

    def close(self) -> None:
        """Release the environment."""


@runtime_checkable
class HasAudio(PlayableEnv, Protocol):
    """A playable environment with sound."""

    @property
    def samples_per_step(self) -> int:
        """Samples per step; 0 means that the environment is silent."""

    def sound(self) -> bytes:
        """Return the samples of the last step: unsigned bytes. They are no part of the observation."""


@runtime_checkable
class TellsPosition(PlayableEnv, Protocol):
    """A playable environment that may know where the player is."""

    def position(self) -> Position | None:
        """Return where the player is after the last reset or step, or None if this environment does not tell."""
