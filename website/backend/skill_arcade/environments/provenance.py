"""Describes an environment so that an episode can be re-run years later."""

import json
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from gymnasium.envs.registration import EnvSpec

from skill_arcade.environments.atari import ENTRY_POINT, rom_facts
from skill_arcade.games.manifest import EnvironmentSpec

_WATCHED = ("ale-py", "box2d", "gymnasium", "minigrid", "numpy", "pillow", "pygame-ce", "skill-arcade")


def describe(environment: EnvironmentSpec, standard: EnvSpec) -> dict[str, Any]:
    """Return everything that an exact re-run needs besides seed and actions, as JSON.

    Its part `gymnasium` is the specification for `EnvSpec.from_json`: without this package,
    `gymnasium.make(EnvSpec.from_json(json.dumps(spec["gymnasium"])))` creates the same environment. It is None if the
    environment was registered with a function instead of an import path.
    """
    return {
        "id": environment.id,
        "kwargs": environment.kwargs,
        "gymnasium": json.loads(standard.to_json()) if isinstance(standard.entry_point, str) else None,
        "rom": rom_facts(standard.kwargs["game"]) if standard.entry_point == ENTRY_POINT else None,
        "packages": dict(installed_versions()),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


@cache
def installed_versions() -> tuple[tuple[str, str], ...]:
    """Return name and version of each installed package that can change what an environment does."""
    found = []
    for name in _WATCHED:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def version_differences(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return one sentence for each package, Python version or machine that differs between two descriptions."""
    before = {**then["packages"], "Python": then["python"], "the machine": then["machine"]}
    after = {**now["packages"], "Python": now["python"], "the machine": now["machine"]}
    return [
        f"{name} was {before.get(name, 'absent')} and is {after.get(name, 'absent')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
