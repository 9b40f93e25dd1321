"""Combines the controls of a person and of an agent into one action (rule O41)."""

from skill_arcade.games.manifest import Manifest


def can_share(game: Manifest) -> bool:
    """Return whether a person and an agent can act in one step: real-time games in which controls act together."""
    return game.pace.kind == "real-time" and any(len(binding.press) > 1 for binding in game.actions)


class SharedControl:
    """The actions of a game as sets of controls, of which the person's replace only what cannot act beside them."""

    def __init__(self, game: Manifest) -> None:
        self._bindings = [(frozenset(binding.press), binding.action) for binding in game.actions]
        self._controls: dict[int, frozenset[str]] = {}
        for press, action in sorted(self._bindings, key=lambda binding: len(binding[0])):
            self._controls.setdefault(action, press)

    def combine(self, human_action: int, agent_action: int) -> int:
        """Return the action with all controls of the person, and as many of the agent's as act together with them.

        An action of the agent that no controls give is left out, and so is an action of nothing.
        """
        human = self._controls.get(human_action, frozenset())
        if not human:  # the person holds controls that do nothing together
            return agent_action
        possible = human | self._controls.get(agent_action, frozenset())
        together = [binding for binding in self._bindings if human <= binding[0] <= possible]
        return max(together, key=lambda binding: len(binding[0]))[1]
