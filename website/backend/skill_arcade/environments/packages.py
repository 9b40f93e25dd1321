"""Finds the installed packages that can change what an environment does, for the provenance of its recordings."""

import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec

BASE_PACKAGES = ("gymnasium", "numpy", "skill-arcade")
"""Packages that take part in every environment."""
SIMULATORS = ("ale-py", "box2d", "minigrid", "mujoco", "pillow", "pygame-ce")
"""Packages that environments use without always declaring them as a requirement of their own."""
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def find_packages(spec: EnvSpec) -> dict[str, str]:
    """Return name and version of each package of an environment, sorted by name.

    They are the distribution of its module, everything that this one requires, required extras that are loaded, and
    `BASE_PACKAGES` and `SIMULATORS`.
    """
    found: dict[str, str] = {}
    waiting = [*BASE_PACKAGES, *SIMULATORS, *(name for module in _find_modules(spec) for name in _find_names(module))]
    while waiting:
        name = _normalise(waiting.pop())
        if name in found or (version := _find_version(name)) is None:
            continue
        found[name] = version
        if name != "skill-arcade":  # its requirements are those of the server
            waiting += _list_required(name)
    return dict(sorted(found.items()))


def _find_modules(spec: EnvSpec) -> Iterator[str]:
    """Return the top-level modules of the environment, of its wrappers, and of the environment inside of it."""
    points: list[Any] = [spec.entry_point, *(wrapper.entry_point for wrapper in spec.additional_wrappers)]
    for point in points:
        module = point if isinstance(point, str) else getattr(point, "__module__", "")
        yield module.partition(":")[0].partition(".")[0]
    inner = spec.kwargs.get("of")
    if isinstance(inner, str) and (name := inner.rpartition(":")[2]) in gymnasium.registry:
        yield from _find_modules(gymnasium.registry[name])


@cache
def _find_names(module: str) -> tuple[str, ...]:
    """Return the distributions that install a module. Most have its name; the others take 0.3 s to find."""
    if _find_version(_normalise(module)) is not None:
        return (module,)
    return tuple(packages_distributions().get(module, ()))


@cache
def _find_version(name: str) -> str | None:
    """Return the version of an installed package, whose metadata is parsed only once."""
    installed = _find(name)
    return None if installed is None else installed.version


def _find(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None


@cache
def _read_requirements(name: str) -> tuple[tuple[str, bool], ...]:
    """Return name, and whether it belongs to an extra, of each requirement of an installed package."""
    installed = _find(name)
    lines = [] if installed is None else installed.requires or []
    matches = [
        (_NAME.match(line), "extra ==" in line.replace('"', "'").replace("extra==", "extra ==")) for line in lines
    ]
    return tuple((_normalise(match[0]), is_extra) for match, is_extra in matches if match)


def _list_required(package: str) -> list[str]:
    return [
        name for name, is_extra in _read_requirements(package) if not is_extra or name.replace("-", "_") in sys.modules
    ]


def _normalise(name: str) -> str:
    """Return a distribution's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()
