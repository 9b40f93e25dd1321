"""Validates a manifest against its environment: actions, options, display. `control_probe` checks its controls."""

from collections.abc import Iterator

from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.games.manifest import SPEED, Manifest

SEED = 3


def validate_game(game: Manifest) -> list[str]:
    """Return one sentence for each problem of a game; empty if there are none."""
    try:
        env = make_environment(game.environment)
    except UnsupportedEnvironment as unfit:
        return [f"environment: {unfit}"]
    try:
        return validate_in(game, env)
    finally:
        env.close()


def validate_in(game: Manifest, env: PlayableEnv) -> list[str]:
    """Return one sentence for each problem of a game whose environment has been made."""
    return list(_find_faults(game, env))


def _find_faults(game: Manifest, env: PlayableEnv) -> Iterator[str]:
    env.reset(SEED)
    actions = {binding.action for binding in game.actions} | ({game.noop} if game.noop is not None else set())
    for action in sorted(actions):
        if action >= env.n_actions:
            yield f"actions: there is no action {action}; the environment has 0 to {env.n_actions - 1}"
    meanings = getattr(env, "meanings", None)
    if meanings is not None:
        yield from _compare_meanings(game, meanings)
    yield from _validate_options(game, env)
    action = game.noop if game.noop is not None else game.actions[0].action
    if action >= env.n_actions:
        return
    outcome = env.step(action)
    for key in [game.show.lives, *(game.keep_info or ())]:
        if key is not None and key not in outcome.info:
            yield f"info has no {key!r}; it has {', '.join(sorted(outcome.info))}"


def _validate_options(game: Manifest, env: PlayableEnv) -> Iterator[str]:
    offered = getattr(env, "options", None)
    if offered is not None:
        if dict(game.options) != offered:
            yield f"options: the cartridge has {offered}"
        return
    for name, values in game.choices().items():
        for value in values if name != SPEED else ():
            try:
                make_environment(game.choose({name: value}).environment).close()
            except UnsupportedEnvironment as unfit:
                yield f"options.{name}: {unfit}"


def _compare_meanings(game: Manifest, meanings: tuple[str, ...]) -> Iterator[str]:
    for binding in game.actions:
        meaning = meanings[binding.action] if binding.action < len(meanings) else ""
        missing = [control for control in binding.press if control.upper() not in meaning and control != "fire"]
        if missing:
            yield f"actions: {' + '.join(binding.press)} is bound to {meaning}"
    if game.noop is not None and meanings[game.noop] != "NOOP":
        yield f"noop: action {game.noop} means {meanings[game.noop]}"
