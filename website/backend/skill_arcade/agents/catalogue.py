"""Which agents are there from the start, and which games each of them plays."""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from skill_arcade.agent_version import Format, Observation, VersionFacts, matches
from skill_arcade.agents.babyai import BabyAIPolicy
from skill_arcade.agents.cart_pole import CartPolePolicy
from skill_arcade.agents.hanoi import HanoiPolicy
from skill_arcade.agents.onnx import INSTALL, OnnxPolicy
from skill_arcade.agents.policy import Policy
from skill_arcade.agents.pong import PongPolicy
from skill_arcade.agents.simple import NoopPolicy, RandomPolicy
from skill_arcade.agents.tetris import TetrisPolicy
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.games.manifest import Manifest

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
"""For each cloned agent its weights, NAME.onnx, and their card, NAME.json, as `examples/imitate.py` wrote them."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent that can play here. `games` are patterns of ids, as a version has them.

    `make` creates its policy for a game and its number of actions. `observes` is what the policy gets. `entry_point` is
    the class of the policy, or None for weights. `sha256` is the digest of the weights, or of the source file.
    `training` has the facts of the training of weights.
    """

    name: str
    summary: str
    games: tuple[str, ...]
    make: Callable[[Manifest, int], Policy]
    sha256: str
    entry_point: str | None = None
    observes: Observation = "environment"
    format: Format = "scripted"
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def missing_package(self) -> str | None:
        """Name of the package that the agent needs and that is not installed, or None."""
        return "onnxruntime" if self.format == "onnx" and find_spec("onnxruntime") is None else None

    def plays(self, game: Manifest) -> bool:
        """Return whether the agent plays a game."""
        if self.name == "no-op" and game.noop is None:
            return False
        return matches(self.games, game.id)


def describe_version(agent: Agent) -> VersionFacts:
    """Describe an agent that is there from the start, for its version in the database."""
    return VersionFacts(
        sha256=agent.sha256,
        format=agent.format,
        games=agent.games,
        observation=agent.observes,
        entry_point=agent.entry_point,
        training=agent.training,
        licence="MIT",
    )


def hash_source(module: str) -> str:
    """Return the SHA-256 of the source file of a module that is imported already, hexadecimal."""
    return hashlib.sha256(Path(str(sys.modules[module].__file__)).read_bytes()).hexdigest()


def _make_built_in(
    name: str,
    summary: str,
    games: tuple[str, ...],
    policy: type[Policy],
    make: Callable[[Manifest, int], Policy],
    observes: Observation = "environment",
) -> Agent:
    module = policy.__module__
    return Agent(name, summary, games, make, hash_source(module), f"{module}:{policy.__name__}", observes)


def _make_clone(name: str, summary: str, games: tuple[str, ...]) -> Agent:
    weights = WEIGHTS_FOLDER / f"{name}.onnx"
    card = json.loads((WEIGHTS_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    return Agent(name, summary, games, lambda _game, _n: OnnxPolicy(weights), sha256, format="onnx", training=card)


AGENTS = (
    _make_built_in(
        "random",
        "Draws each action with equal chance.",
        ("*",),
        RandomPolicy,
        lambda _game, n_actions: RandomPolicy(n_actions),
    ),
    _make_built_in(
        "no-op",
        "Touches nothing.",
        ("*",),
        NoopPolicy,
        lambda game, _n_actions: NoopPolicy(game.noop or 0),
    ),
    _make_built_in(
        "hanoi-optimal",
        "Solves the tower in the fewest moves.",
        ("tower-of-hanoi",),
        HanoiPolicy,
        lambda _game, _n_actions: HanoiPolicy(),
    ),
    _make_built_in(
        "babyai-bot",
        "BabyAI's own expert, which knows the whole level.",
        ("babyai-*", "!babyai-key-in-box"),  # its box is something that the bot does not open
        BabyAIPolicy,
        lambda game, _n_actions: BabyAIPolicy(game.environment),
    ),
    _make_built_in(
        "tetris-placement",
        "Puts each piece where it leaves the flattest well without holes.",
        ("tetris",),
        TetrisPolicy,
        lambda _game, _n_actions: TetrisPolicy(),
    ),
    _make_built_in(
        "pong-follower",
        "Follows the ball with its paddle, and sees only the picture.",
        ("pong",),
        PongPolicy,
        lambda _game, _n_actions: PongPolicy(),
        "picture",
    ),
    _make_built_in(
        "cart-pole-balancer",
        "Keeps the pole upright and the cart in the middle.",
        ("cart-pole",),
        CartPolePolicy,
        lambda _game, _n_actions: CartPolePolicy(),
    ),
    _make_clone(
        "cart-pole-clone", "A small network that has learned from rounds of cart-pole-balancer.", ("cart-pole",)
    ),
)


def find_agent(name: str, game: Manifest) -> Agent:
    """Return the agent with this name that is there from the start.

    Raises:
        NotFound: there is no such agent.
        InvalidRequest: it does not play this game, or needs a package that is not installed.
    """
    agent = next((agent for agent in AGENTS if agent.name == name), None)
    if agent is None:
        raise NotFound(f"There is no agent {name!r}. The agents are: {', '.join(agent.name for agent in AGENTS)}.")
    if not agent.plays(game):
        players = ", ".join(agent.name for agent in AGENTS if agent.plays(game))
        raise InvalidRequest(f"The agent {name} does not play {game.id}. Agents that do: {players}.")
    if (package := agent.missing_package) is not None:
        raise InvalidRequest(f"The agent {name} needs {package}, which is not installed here. Run: {INSTALL}")
    return agent
