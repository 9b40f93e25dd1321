"""What an agent is to the runner: a policy that chooses an action for each observation."""

from typing import Any, Protocol, runtime_checkable


class Policy(Protocol):
    """Chooses actions."""

    def start(self, seed: int) -> None:
        """Begin an episode with this seed, 1 to 2**31 - 1."""

    def choose(self, observation: Any, info: dict[str, Any]) -> int:
        """Return the action for an observation and its info, an index of the game's actions."""
        ...


@runtime_checkable
class CorrectablePolicy(Policy, Protocol):
    """A policy that keeps a state of its own, which follows from the actions that were taken."""

    def correct(self, action: int) -> None:
        """Note that this action was taken instead of the one that `choose` returned last."""
