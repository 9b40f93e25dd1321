"""Creates playable environments from a manifest's specification or from a recorded one."""

import importlib
from dataclasses import replace
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Box

from skill_arcade.environments.atari import AtariPlayableEnv, is_indexable
from skill_arcade.environments.gymnasium_env import GymnasiumPlayableEnv
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.environments.provenance import describe
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.games.draft import EnvironmentInfo
from skill_arcade.games.manifest import EnvironmentSpec

ATARI_HZ = 60.0
"""Frame rate of the Atari 2600 (NTSC)."""
MIN_REAL_TIME_HZ = 15.0
"""Lowest `render_fps` of an environment that is drafted as a real-time game; slower ones are turn-based."""


def make_environment(environment: EnvironmentSpec) -> PlayableEnv:
    """Create the environment of a manifest.

    Raises:
        UnsupportedEnvironment: Gymnasium does not know it, its arguments are invalid, or it cannot be played.
    """
    kwargs = dict(environment.kwargs)
    registered = find_spec(environment.id)
    limit = kwargs.pop("max_episode_steps", registered.max_episode_steps)
    standard = replace(registered, max_episode_steps=limit, kwargs={**registered.kwargs, **kwargs})
    spec = describe(environment, standard)
    try:
        return AtariPlayableEnv(standard, spec) if is_indexable(standard) else GymnasiumPlayableEnv(standard, spec)
    except (TypeError, ValueError, gymnasium.error.Error) as error:
        raise UnsupportedEnvironment(f"{environment.id} cannot be created with {kwargs}: {error}") from error


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
    environment = gymnasium.make(find_spec(env_id))
    drawn_at = float(environment.metadata.get("render_fps") or 0)
    measured = isinstance(environment.action_space, Box)
    environment.close()
    choice = EnvironmentSpec(id=env_id)
    if measured:
        choice = EnvironmentSpec(id="SkillArcade/Levels-v0", kwargs={"of": env_id, "levels": 3})
    env = make_environment(choice)
    meanings, n_actions = getattr(env, "meanings", None), env.n_actions
    options = getattr(env, "options", {})
    env.close()
    if meanings is not None:
        return EnvironmentInfo(env_id, n_actions, meanings, ATARI_HZ, options)
    hz = drawn_at if drawn_at >= MIN_REAL_TIME_HZ else None
    return EnvironmentInfo(choice.id, n_actions, None, hz, kwargs=choice.kwargs)


def find_spec(env_id: str) -> EnvSpec:
    """Return Gymnasium's specification of an id. `module:id` first imports the module that registers it.

    Raises:
        UnsupportedEnvironment: the module or the id does not exist here.
    """
    module, _, name = env_id.rpartition(":")
    try:
        if module:
            importlib.import_module(module)
        return gymnasium.spec(name)
    except ModuleNotFoundError as error:
        raise UnsupportedEnvironment(f"{env_id} needs the package {error.name}, which is not installed here") from error
    except gymnasium.error.Error as error:
        where = "" if module else " If a package registers it, write `package:id`."
        raise UnsupportedEnvironment(f"Gymnasium knows no environment {name}: {error}{where}") from error
