"""An environment as a game process meets it: it steps, and it shows a picture."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

from skill_arcade.frames.picture import Picture


class StepResult(NamedTuple):
    """What `reset` (reward 0, neither flag) or `step` returned, in Gymnasium's meaning."""

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


class PlayableEnv(Protocol):
    """A Gymnasium environment with its picture."""

    @property
    def observes_picture(self) -> bool:
        """True when the observation *is* the picture, so that it need not be kept twice."""

    @property
    def n_actions(self) -> int:
        """Actions are 0 to n_actions - 1."""

    @property
    def spec(self) -> dict[str, Any]:
        """All that a bit-exact re-run needs: id, kwargs, packages with versions, ROM hash where there is one. JSON."""

    def reset(self, seed: int) -> StepResult:
        """Begin an episode; seed 1 to 2**31 - 1."""

    def step(self, action: int) -> StepResult:
        """Take one step."""

    def picture(self) -> Picture:
        """What the player sees after the last reset or step. The arrays may be reused by the next step."""

    def close(self) -> None:
        """Free the environment."""


@runtime_checkable
class HasAudio(PlayableEnv, Protocol):
    """A stage that can be heard."""

    @property
    def samples_per_step(self) -> int:
        """How many samples a step has; 0: it is silent after all."""

    def sound(self) -> bytes:
        """What the last step sounded like: unsigned samples of one byte. No part of the observation."""
