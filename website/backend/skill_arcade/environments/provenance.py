"""Describes an environment so that an episode can be re-run years later."""

import json
import platform
from typing import Any

from gymnasium.envs.registration import EnvSpec

from skill_arcade.environments.atari import ENTRY_POINT, rom_facts
from skill_arcade.games.manifest import EnvironmentSpec

REGISTERING_MODULES = {"SkillArcade": "skill_arcade.environments"}
"""Modules that register a namespace of ids, which manifests name without them. ALE is not one of them, because the
table of human baselines has its ids as Gymnasium lists them: `import ale_py` registers them.
"""


def describe(environment: EnvironmentSpec, standard: EnvSpec) -> dict[str, Any]:
    """Return everything that an exact re-run needs besides seed and actions, as JSON, without the packages.

    `find_packages` finds these when the environment has been made.

    Its part `gymnasium` is the specification for `EnvSpec.from_json`: without this package,
    `gymnasium.make(EnvSpec.from_json(json.dumps(spec["gymnasium"])))` creates the same environment. It is None if the
    environment was registered with a function instead of an import path, or with arguments that are no JSON.
    """
    return {
        "id": _qualify(environment.id),
        "kwargs": environment.kwargs,
        "gymnasium": _write_spec(standard),
        "rom": rom_facts(standard.kwargs["game"]) if standard.entry_point == ENTRY_POINT else None,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }


def _qualify(env_id: str) -> str:
    """Return an id with the module that registers it, so that `gymnasium.make` alone finds the environment."""
    module = REGISTERING_MODULES.get(env_id.partition("/")[0])
    return env_id if module is None or ":" in env_id else f"{module}:{env_id}"


def _write_spec(standard: EnvSpec) -> dict[str, Any] | None:
    if not isinstance(standard.entry_point, str):
        return None
    try:
        written: dict[str, Any] = json.loads(standard.to_json())
    except Exception:  # noqa: BLE001  (arguments of any class)
        return None
    return written


def version_differences(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return one sentence for each package, Python version or machine that differs between two descriptions.

    A package that only `now` has is no difference, because older recordings list fewer packages.
    """
    before = {**then["packages"], "Python": then["python"], "the machine": then["machine"]}
    after = {**now["packages"], "Python": now["python"], "the machine": now["machine"]}
    return [
        f"{name} was {before[name]} and is {after.get(name, 'absent')}"
        for name in sorted(before)
        if before[name] != after.get(name)
    ]
