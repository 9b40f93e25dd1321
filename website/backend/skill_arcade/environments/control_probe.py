"""Which of its controls a game listens to: each is pressed at moments of a lively play, and the picture compared.

In turns, a control was heard when the picture after its press differs from the one before. In real time the game
goes two ways from the very same state, with the control held and without; where a later picture differs, nothing else
can have made the difference, chance included: both ways begin with the same random numbers (ALE's state holds them;
other environments play the same steps again from the same seed).
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
"""A control is held, then let go: some games act when it comes up."""
STEPS_BETWEEN_MOMENTS = 40
"""Steps from a moment to the next, in real time."""
MOMENTS_PER_BIAS = 25
"""Moments until the player's temper changes; environments that can't be rewound, only played again, begin anew."""
CHANGE_PROBABILITIES = (0.08, 0.02, 0.3)
"""How likely the player presses something else in the next step, in real time."""


@dataclass(slots=True)
class ProbeResult:
    """How a control was tried: `seen` when the picture changed at the last of so many moments.

    `stirred`: at some moment the console's memory still differed when the control was let go (while it is held, many
    keep a copy of the stick). None: it can't be read, or the picture told at once.
    """

    moments: int = 0
    seen: bool = False
    stirred: bool | None = None


class RandomPlayer:
    """Somebody who presses at random, each stretch of play in another temper: more of this, less of that."""

    def __init__(self, game: Manifest) -> None:
        """Begin in some temper."""
        self._bindings = list(game.actions)
        if game.pace.kind == "real-time" and game.noop is not None:
            self._bindings.append(Binding(press=("nothing",), action=game.noop))
        self.rng = random.Random(SEED)
        self._biases = 0
        self.change()

    def change(self) -> None:
        """Take another temper: the first is an even one."""
        strength = min(self._biases, 1) * 1.2
        self._weights = [math.exp(self.rng.gauss(0, strength)) for _ in self._bindings]
        self._restless = CHANGE_PROBABILITIES[self._biases % len(CHANGE_PROBABILITIES)]
        self._biases += 1
        self._held = self.press()

    def press(self) -> Binding:
        """What to press now."""
        [binding] = self.rng.choices(self._bindings, self._weights)
        return binding

    def hold(self) -> int:
        """The action of the next step in real time."""
        if self.rng.random() < self._restless:
            self._held = self.press()
        return self._held.action


def probe_controls(game: Manifest, moments: int | None = None) -> dict[str, ProbeResult]:
    """Press every control of a game, each at up to so many moments, until it is seen to act.

    None: 1,000 in real time, there alone and in turn with the controls it may be held with; 20,000 presses of anything
    in turns. Raises EnvironmentUnfit.
    """
    kind = game.pace.kind
    # Gymnasium's limit would count steps that were taken back too.
    limit = {"max_episode_steps": None} if kind == "real-time" else {}
    unlimited = game.environment.model_copy(update={"kwargs": {**game.environment.kwargs, **limit}})
    env = make_environment(unlimited)
    hear = _probe_real_time if kind == "real-time" else _probe_turn_based
    try:
        return hear(game, env, moments or N_MOMENTS[kind])
    finally:
        env.close()


def ineffective_controls(game: Manifest, moments: int | None = None) -> set[str]:
    """Controls that changed the picture at none of so many moments."""
    return {name for name, hearing in probe_controls(game, moments).items() if not hearing.seen}


def _probe_turn_based(game: Manifest, env: PlayableEnv, moments: int) -> dict[str, ProbeResult]:
    """Compare the picture after a press with the one before it."""
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
            # The end is seen, though the last picture may be as before: who stands at the table is done.
            hearing.seen = over or _snapshot(env) != before
        if all(hearing.seen for hearing in found.values()):
            break
    return found


@dataclass(slots=True)
class _Fork:
    """A play in real time that goes back to its newest moment as often as is asked for."""

    game: Manifest
    env: PlayableEnv
    player: RandomPlayer
    seed: int = SEED
    taken: list[int] = field(default_factory=list)
    saved: ALEState | None = None

    def begin(self) -> None:
        """Begin another episode."""
        self.seed += 1
        self.taken = []
        self.env.reset(self.seed)

    def mark(self) -> None:
        """Remember this moment."""
        if isinstance(self.env, AtariPlayableEnv):
            self.saved = self.env.save()

    def rewind(self) -> None:
        """Go back to the moment."""
        if isinstance(self.env, AtariPlayableEnv):
            assert self.saved is not None
            self.env.restore(self.saved)
            return
        self.env.reset(self.seed)
        for action in self.taken:
            self.env.step(action)

    def walk(self) -> None:
        """Play on to the next moment, or begin anew. Games that listen on even steps only are met there too."""
        for _ in range(STEPS_BETWEEN_MOMENTS + self.player.rng.randrange(2)):
            action = self.player.hold()
            outcome = self.env.step(action)
            self.taken.append(action)
            if outcome.terminated or outcome.truncated:
                self.begin()
                return

    def looks(self, action: int) -> Iterator[tuple[bytes, bytes | None]]:
        """Picture and memory after each step of an action, then of rest, from the moment on; fewer when it ends."""
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
    """Actions with a control and without: alone, and together with others, of which each moment takes one more."""
    with_it = sorted((binding for binding in game.actions if name in binding.press), key=lambda one: len(one.press))
    actions = {frozenset(binding.press): binding.action for binding in game.actions}
    for binding in {0: with_it[0], 1: with_it[number % len(with_it)]}.values():
        yield binding.action, actions.get(frozenset(binding.press) - {name}, game.noop)


def _differ(fork: _Fork, pair: tuple[int, int | None], hearing: ProbeResult) -> bool:
    """Compare the pictures with an action with those of the other one in its place."""
    action, without = pair
    if without is None or action == without:
        return True  # the environment has no rest, so one control is what happens without any
    both = list(zip(fork.looks(action), list(fork.looks(without)), strict=False))
    if any(ours[0] != theirs[0] for ours, theirs in both):
        return True
    (_, memory), (_, its_memory) = both[-1]
    if memory is not None:
        hearing.stirred = bool(hearing.stirred) or memory != its_memory
    return False


def _snapshot(env: PlayableEnv) -> bytes:
    """The picture now."""
    pixels, palette = env.picture()
    return pixels.tobytes() + (b"" if palette is None else palette.tobytes())
