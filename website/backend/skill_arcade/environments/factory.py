"""Creates playable environments from a manifest's specification or from a recorded one."""

import importlib
from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box, Dict, MultiBinary, MultiDiscrete, Tuple

from skill_arcade.environments.atari import AtariPlayableEnv, is_indexable
from skill_arcade.environments.button_actions import list_buttons
from skill_arcade.environments.environment_calls import environment_call
from skill_arcade.environments.gymnasium_env import GymnasiumPlayableEnv
from skill_arcade.environments.packages import find_packages
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.environments.provenance import describe
from skill_arcade.errors import EnvironmentFailed, UnsupportedEnvironment
from skill_arcade.games.draft import EnvironmentInfo
from skill_arcade.games.manifest import EnvironmentSpec

ATARI_HZ = 60.0
"""Frame rate of the Atari 2600 (NTSC)."""
MIN_REAL_TIME_HZ = 15.0
"""Lowest `render_fps` of an environment that is drafted as a real-time game; slower ones are turn-based."""


def make_environment(environment: EnvironmentSpec) -> PlayableEnv:
    """Create the environment of a manifest.

    Raises:
        UnsupportedEnvironment: Gymnasium does not know it, it raises an exception, or it cannot be played.
    """
    kwargs = dict(environment.kwargs)
    registered = find_spec(environment.id)
    limit = kwargs.pop("max_episode_steps", registered.max_episode_steps)
    standard = replace(registered, max_episode_steps=limit, kwargs={**registered.kwargs, **kwargs})
    spec = describe(environment, standard)
    call = f"make with {kwargs}" if kwargs else "make"
    try:
        with environment_call(environment.id, call):
            env = AtariPlayableEnv(standard, spec) if is_indexable(standard) else GymnasiumPlayableEnv(standard, spec)
    except EnvironmentFailed as error:
        raise UnsupportedEnvironment(str(error)) from error
    spec["packages"] = find_packages(standard)
    return env


def make_environment_from_spec(spec: dict[str, Any]) -> PlayableEnv:
    """Create the environment that was recorded as `spec`, for a re-run.

    Other versions of packages are no error; `version_differences` lists them.

    Raises:
        UnsupportedEnvironment: it is not available here, or its ROM differs.
    """
    env = make_environment(EnvironmentSpec(id=spec["id"], kwargs=spec["kwargs"]))
    if env.spec["rom"] != spec["rom"]:
        env.close()
        raise UnsupportedEnvironment(f"{spec['id']}: the installed ROM is not the one that was played")
    return env


def describe_environment(env_id: str) -> EnvironmentInfo:
    """Return what a first manifest needs. An action vector is played by three levels of each axis.

    Raises:
        UnsupportedEnvironment: the environment is not available here or cannot be played.
    """
    registered = find_spec(env_id)
    try:
        with environment_call(env_id, "make"):
            environment = gymnasium.make(registered)
    except EnvironmentFailed as error:
        raise UnsupportedEnvironment(str(error)) from error
    drawn_at = float(environment.metadata.get("render_fps") or 0)
    hz = drawn_at if drawn_at >= MIN_REAL_TIME_HZ else None
    space, names = environment.action_space, _find_button_names(environment)
    measured = isinstance(space, Box)
    environment.close()
    if isinstance(space, MultiBinary | MultiDiscrete | Tuple | Dict):
        try:
            return EnvironmentInfo(env_id, 0, None, hz, buttons=list_buttons(space, names))
        except ValueError as error:
            raise UnsupportedEnvironment(f"{env_id}: {error}") from error
    choice = EnvironmentSpec(id=env_id)
    if measured:
        choice = EnvironmentSpec(id="SkillArcade/Levels-v0", kwargs={"of": env_id, "levels": 3})
    env = make_environment(choice)
    meanings, n_actions = getattr(env, "meanings", None), env.n_actions
    options = getattr(env, "options", {})
    env.close()
    if meanings is not None:
        return EnvironmentInfo(env_id, n_actions, meanings, ATARI_HZ, options)
    return EnvironmentInfo(choice.id, n_actions, None, hz, kwargs=choice.kwargs)


def _find_button_names(environment: gymnasium.Env[Any, Any]) -> list[str | None]:
    """Return the names of the buttons of a console, as stable-retro has them; empty if there are none."""
    names = getattr(environment.unwrapped, "buttons", None)
    is_named = isinstance(names, list) and all(name is None or isinstance(name, str) for name in names)
    return names if isinstance(names, list) and is_named else []


def find_spec(env_id: str) -> EnvSpec:
    """Return Gymnasium's specification of an id. `module:id` first imports the module that registers it.

    Raises:
        UnsupportedEnvironment: the module or the id does not exist here.
    """
    module, _, name = env_id.rpartition(":")
    try:
        if module:
            with environment_call(env_id, f"importing {module}"):
                _import(module)
        return gymnasium.spec(name)
    except EnvironmentFailed as error:
        raise UnsupportedEnvironment(str(error)) from error
    except gymnasium.error.Error as error:
        where = "" if module else " If a package registers it, write `package:id`."
        raise UnsupportedEnvironment(f"Gymnasium knows no environment {name}: {error}{where}") from error


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UnsupportedEnvironment(f"{module} needs the package {error.name}, which is not installed here") from error
