"""Which agents there are, and which games each of them plays."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from skill_arcade.agents.babyai import BabyAIPolicy
from skill_arcade.agents.hanoi import HanoiPolicy
from skill_arcade.agents.policy import Policy
from skill_arcade.agents.pong import PongPolicy
from skill_arcade.agents.simple import NoopPolicy, RandomPolicy
from skill_arcade.agents.tetris import TetrisPolicy
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.games.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent. `games` are patterns of ids, without those in `excluded`.

    `make` creates its policy for a game and its number of actions. `observes` is what the policy gets: the picture, or
    what the game's environment returns.
    """

    name: str
    summary: str
    games: tuple[str, ...]
    make: Callable[[Manifest, int], Policy]
    excluded: tuple[str, ...] = ()
    observes: Literal["picture", "environment"] = "environment"

    def plays(self, game: Manifest) -> bool:
        """Return whether the agent plays a game."""
        if self.name == "no-op" and game.noop is None:
            return False
        return game.id not in self.excluded and any(fnmatchcase(game.id, pattern) for pattern in self.games)


AGENTS = (
    Agent(
        "random",
        "Draws each action with equal chance.",
        ("*",),
        lambda _game, n_actions: RandomPolicy(n_actions),
    ),
    Agent("no-op", "Touches nothing.", ("*",), lambda game, _n_actions: NoopPolicy(game.noop or 0)),
    Agent(
        "hanoi-optimal",
        "Solves the tower in the fewest moves.",
        ("tower-of-hanoi",),
        lambda _game, _n_actions: HanoiPolicy(),
    ),
    Agent(
        "babyai-bot",
        "BabyAI's own expert, which knows the whole level.",
        ("babyai-*",),
        lambda game, _n_actions: BabyAIPolicy(game.environment),
        excluded=("babyai-key-in-box",),  # its box is something that the bot does not open
    ),
    Agent(
        "tetris-placement",
        "Puts each piece where it leaves the flattest well without holes.",
        ("tetris",),
        lambda _game, _n_actions: TetrisPolicy(),
    ),
    Agent(
        "pong-follower",
        "Follows the ball with its paddle, and sees only the picture.",
        ("pong",),
        lambda _game, _n_actions: PongPolicy(),
        observes="picture",
    ),
)


def find_agent(name: str, game: Manifest) -> Agent:
    """Return the agent with this name.

    Raises:
        NotFound: there is no such agent.
        InvalidRequest: it does not play this game.
    """
    agent = next((agent for agent in AGENTS if agent.name == name), None)
    if agent is None:
        raise NotFound(f"There is no agent {name!r}. The agents are: {', '.join(agent.name for agent in AGENTS)}.")
    if not agent.plays(game):
        players = ", ".join(agent.name for agent in AGENTS if agent.plays(game))
        raise InvalidRequest(f"The agent {name} does not play {game.id}. Agents that do: {players}.")
    return agent
