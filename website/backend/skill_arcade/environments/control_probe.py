"""Probes which controls of a game have a visible effect: each is pressed during random play.

In a turn-based game a control has an effect if the picture after the press differs from the one before. In real time
the game continues twice from the same state, with and without the control. If a later picture differs, only the control
can be the cause, because both continuations have the same random numbers: ALE's state contains them, and other
environments repeat the same steps from the same seed.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from ale_py import ALEState

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.games.manifest import Binding, Manifest

SEED = 3
N_MOMENTS = {"real-time": 1000, "turn-based": 20_000}
HOLD_STEPS, REST_STEPS = 12, 12
"""Steps for which a control is held, then released: some games act on the release."""
STEPS_BETWEEN_MOMENTS = 40
"""Steps between two moments at which controls are probed, in real time."""
MOMENTS_PER_BIAS = 25
"""Moments until the random player's bias changes. Environments that cannot be rewound start a new episode then."""
CHANGE_PROBABILITIES = (0.08, 0.02, 0.3)
"""Probability that the random player changes its action in the next step, in real time."""


@dataclass(slots=True)
class ProbeResult:
    """Result of probing one control: `seen` if the picture changed at the last of `moments` moments.

    `stirred` says whether the console's memory still differed after the release (while a control is held, many games
    store a copy of the stick). It is None if the memory cannot be read or the picture already changed.
    """

    moments: int = 0
    seen: bool = False
    stirred: bool | None = None


class RandomPlayer:
    """Random player whose bias towards some actions changes from time to time."""

    def __init__(self, game: Manifest) -> None:
        """Start with a random bias."""
        self._bindings = list(game.actions)
        if game.pace.kind == "real-time" and game.noop is not None:
            self._bindings.append(Binding(press=("nothing",), action=game.noop))
        self.rng = random.Random(SEED)
        self._biases = 0
        self.change()

    def change(self) -> None:
        """Draw another bias. The first one is uniform."""
        strength = min(self._biases, 1) * 1.2
        self._weights = [math.exp(self.rng.gauss(0, strength)) for _ in self._bindings]
        self._restless = CHANGE_PROBABILITIES[self._biases % len(CHANGE_PROBABILITIES)]
        self._biases += 1
        self._held = self.press()

    def press(self) -> Binding:
        """Return the presses of the next turn."""
        [binding] = self.rng.choices(self._bindings, self._weights)
        return binding

    def hold(self) -> int:
        """Return the action of the next step in real time."""
        if self.rng.random() < self._restless:
            self._held = self.press()
        return self._held.action


def probe_controls(game: Manifest, moments: int | None = None) -> dict[str, ProbeResult]:
    """Probe every control, each at up to `moments` moments, until it has a visible effect.

    `moments` None means 1,000 in real time, alone and combined with other controls, and 20,000 presses
    in turn-based games.

    Raises:
        UnsupportedEnvironment: the environment is not available here.
    """
    kind = game.pace.kind
    # Gymnasium's limit would also count steps that were rewound
    limit = {"max_episode_steps": None} if kind == "real-time" else {}
    unlimited = game.environment.model_copy(update={"kwargs": {**game.environment.kwargs, **limit}})
    env = make_environment(unlimited)
    hear = _probe_real_time if kind == "real-time" else _probe_turn_based
    try:
        return hear(game, env, moments or N_MOMENTS[kind])
    finally:
        env.close()


def ineffective_controls(game: Manifest, moments: int | None = None) -> set[str]:
    """Return the controls that had no visible effect at any of `moments` moments."""
    return {name for name, hearing in probe_controls(game, moments).items() if not hearing.seen}


def _probe_turn_based(game: Manifest, env: PlayableEnv, moments: int) -> dict[str, ProbeResult]:
    """Compare the picture after each press with the one before it."""
    found = {control.name: ProbeResult() for control in game.controls}
    player, over, seed = RandomPlayer(game), True, SEED
    for _ in range(moments):
        if over:
            env.reset(seed := seed + 1)
            player.change()
        binding = player.press()
        waiting = [found[name] for name in binding.press if not found[name].seen]
        before = _snapshot(env) if waiting else b""
        outcome = env.step(binding.action)
        over = outcome.terminated or outcome.truncated
        for hearing in waiting:
            hearing.moments += 1
            # an end counts as an effect, even if the last picture is unchanged
            hearing.seen = over or _snapshot(env) != before
        if all(hearing.seen for hearing in found.values()):
            break
    return found


@dataclass(slots=True)
class _Fork:
    """A real-time game that can return to its newest moment any number of times."""

    game: Manifest
    env: PlayableEnv
    player: RandomPlayer
    seed: int = SEED
    taken: list[int] = field(default_factory=list)
    saved: ALEState | None = None

    def begin(self) -> None:
        """Start another episode."""
        self.seed += 1
        self.taken = []
        self.env.reset(self.seed)

    def mark(self) -> None:
        """Save this moment."""
        if isinstance(self.env, AtariPlayableEnv):
            self.saved = self.env.save()

    def rewind(self) -> None:
        """Return to the saved moment."""
        if isinstance(self.env, AtariPlayableEnv):
            assert self.saved is not None
            self.env.restore(self.saved)
            return
        self.env.reset(self.seed)
        for action in self.taken:
            self.env.step(action)

    def walk(self) -> None:
        """Play to the next moment, or start a new episode. Also meets games that read controls on even steps only."""
        for _ in range(STEPS_BETWEEN_MOMENTS + self.player.rng.randrange(2)):
            action = self.player.hold()
            outcome = self.env.step(action)
            self.taken.append(action)
            if outcome.terminated or outcome.truncated:
                self.begin()
                return

    def looks(self, action: int) -> Iterator[tuple[bytes, bytes | None]]:
        """Return picture and memory after each step of an action and of the rest after it; fewer at an end."""
        self.rewind()
        rest = action if self.game.noop is None else self.game.noop
        for step in range(HOLD_STEPS + REST_STEPS):
            outcome = self.env.step(action if step < HOLD_STEPS else rest)
            yield _snapshot(self.env), self.env.memory() if isinstance(self.env, AtariPlayableEnv) else None
            if outcome.terminated or outcome.truncated:
                return


def _probe_real_time(game: Manifest, env: PlayableEnv, moments: int) -> dict[str, ProbeResult]:
    found = {control.name: ProbeResult() for control in game.controls}
    fork = _Fork(game, env, RandomPlayer(game))
    fork.begin()
    for number in range(moments):
        waiting = [name for name, hearing in found.items() if not hearing.seen]
        if not waiting:
            break
        fork.mark()
        for name in waiting:
            found[name].moments += 1
            for pair in _find_presses(game, name, number):
                found[name].seen = found[name].seen or _differ(fork, pair, found[name])
        fork.rewind()
        if number % MOMENTS_PER_BIAS == MOMENTS_PER_BIAS - 1:
            fork.player.change()
            if not isinstance(env, AtariPlayableEnv):
                fork.begin()
        fork.walk()
    return found


def _find_presses(game: Manifest, name: str, number: int) -> Iterator[tuple[int, int | None]]:
    """Return actions with and without a control: alone, and combined with others, one more at each moment."""
    with_it = sorted((binding for binding in game.actions if name in binding.press), key=lambda one: len(one.press))
    actions = {frozenset(binding.press): binding.action for binding in game.actions}
    for binding in {0: with_it[0], 1: with_it[number % len(with_it)]}.values():
        yield binding.action, actions.get(frozenset(binding.press) - {name}, game.noop)


def _differ(fork: _Fork, pair: tuple[int, int | None], hearing: ProbeResult) -> bool:
    """Compare the pictures with an action with those of the other action."""
    action, without = pair
    if without is None or action == without:
        return True  # the environment has no no-op, so some other control is the comparison
    both = list(zip(fork.looks(action), list(fork.looks(without)), strict=False))
    if any(ours[0] != theirs[0] for ours, theirs in both):
        return True
    (_, memory), (_, its_memory) = both[-1]
    if memory is not None:
        hearing.stirred = bool(hearing.stirred) or memory != its_memory
    return False


def _snapshot(env: PlayableEnv) -> bytes:
    """Return a copy of the current picture."""
    pixels, palette = env.picture()
    return pixels.tobytes() + (b"" if palette is None else palette.tobytes())
