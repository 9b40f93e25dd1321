"""Whether a game plays as its manifest says: every control, won and lost, lives, in the real environment."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from skill_arcade.environments.making import make_stage
from skill_arcade.environments.stage import Stage
from skill_arcade.errors import EnvironmentUnfit
from skill_arcade.games.manifest import Manifest, spell_value
from skill_arcade.recording.observation import describe_leaves

SEED = 3
PRESS_STEPS = 12
"""Steps for which a control is held when it is tried."""


def try_game(game: Manifest) -> list[str]:
    """What is wrong with a game, a sentence each; nothing when all is well."""
    try:
        stage = make_stage(game.environment)
    except EnvironmentUnfit as unfit:
        return [f"environment: {unfit}"]
    try:
        return list(_find_faults(game, stage))
    finally:
        stage.close()


def _find_faults(game: Manifest, stage: Stage) -> Iterator[str]:
    outcome = stage.reset(SEED)
    describe_leaves(outcome.observation)
    actions = {binding.action for binding in game.actions} | ({game.noop} if game.noop is not None else set())
    for action in sorted(actions):
        if action >= stage.n_actions:
            yield f"actions: there is no action {action}; the environment has 0 to {stage.n_actions - 1}"
    meanings = getattr(stage, "meanings", None)
    if meanings is not None:
        yield from _compare_meanings(game, meanings)
    yield from _try_options(game, stage)
    outcome = stage.step(game.noop if game.noop is not None else game.actions[0].action)
    for key in [game.show.lives, *(game.keep_info or ())]:
        if key is not None and key not in outcome.info:
            yield f"info has no {key!r}; it has {', '.join(sorted(outcome.info))}"


def _try_options(game: Manifest, stage: Stage) -> Iterator[str]:
    offered = getattr(stage, "options", None)
    if offered is not None:
        if dict(game.options) != offered:
            yield f"options: the cartridge has {offered}"
        return
    for name, values in game.options.items():
        for value in values:
            try:
                make_stage(game.choose({name: spell_value(value)}).environment).close()
            except EnvironmentUnfit as unfit:
                yield f"options.{name}: {unfit}"


def _compare_meanings(game: Manifest, meanings: tuple[str, ...]) -> Iterator[str]:
    for binding in game.actions:
        meaning = meanings[binding.action] if binding.action < len(meanings) else ""
        missing = [control for control in binding.press if control.upper() not in meaning and control != "fire"]
        if missing:
            yield f"actions: {' + '.join(binding.press)} is bound to {meaning}"
    if game.noop is not None and meanings[game.noop] != "NOOP":
        yield f"noop: action {game.noop} means {meanings[game.noop]}"


def silent_controls(game: Manifest, rounds: int = 40) -> set[str]:
    """Controls that never changed the picture, however the game stood when they were pressed.

    Each is held for a moment at several points of a scripted play, and the picture compared with that of an equal
    game in which it was not held (real time) or with the picture before (turn-based).
    """
    stage, other = make_stage(game.environment), make_stage(game.environment)
    try:
        return {control.name for control in game.controls} - set(_heard(game, stage, other, rounds))
    finally:
        stage.close()
        other.close()


def _heard(game: Manifest, stage: Stage, other: Stage, rounds: int) -> Iterator[str]:
    todo = {control.name for control in game.controls}
    rng = np.random.default_rng(SEED)
    real_time = game.pace.kind == "real-time"
    for number in range(rounds):
        if not todo:
            return
        lead = [int(rng.choice([binding.action for binding in game.actions])) for _ in range(4)]
        for name in sorted(todo):
            waiting = number if real_time else number % 6
            if any(_differs(game, stage, other, pair, lead, waiting) for pair in _pairs(game, name, number)):
                todo.discard(name)
                yield name


def _pairs(game: Manifest, name: str, number: int) -> Iterator[tuple[int, Any]]:
    """Actions with a control and without: alone, and together with others, of which each round takes one more."""
    with_it = sorted((binding for binding in game.actions if name in binding.press), key=lambda one: len(one.press))
    actions = {frozenset(binding.press): binding.action for binding in game.actions}
    for binding in {0: with_it[0], 1: with_it[number % len(with_it)]}.values():
        yield binding.action, actions.get(frozenset(binding.press) - {name}, game.noop)


def _differs(game: Manifest, stage: Stage, other: Stage, pair: tuple[int, Any], lead: list[int], waiting: int) -> bool:
    """Play the same on both, then press on one of them only: the pair's first action there, its second here."""
    action, without = pair
    rest: Any = game.noop
    real_time = game.pace.kind == "real-time"
    if real_time and action == without:
        return True  # the environment has no rest, so one control is what happens without any
    before = [step for act in lead for step in [act] * 15 + [rest] * 10 * waiting] if real_time else lead * waiting
    for one in (stage, other):
        one.reset(SEED)
        for act in before:
            last = one.step(act)
            if last.terminated or last.truncated:
                one.reset(SEED + 1)
    for _ in range(PRESS_STEPS if real_time else 1):
        outcome = stage.step(action)
        if real_time:
            other.step(without)
        elif outcome.terminated or outcome.truncated:
            return True  # the end is seen, though the last picture may be as before: who stands at the table is done
        if not stage.picture().equals(other.picture()):
            return True
    return False
