"""Rules about the lock files of Python and npm packages."""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository.rules.repository import Finding, Repository

BACKEND = "website/backend"
PYPROJECT, UV_INPUT = f"{BACKEND}/pyproject.toml", f"{BACKEND}/uv.in"
PRODUCTION = f"{BACKEND}/requirements.lock"
DEVELOPMENT = f"{BACKEND}/requirements-dev.lock"
UV = f"{BACKEND}/requirements-uv.lock"
HEADER = "# From pyproject.toml by website/backend/lock. Dependencies: sha256:"
FRONTEND = "website/frontend"
PACKAGE, PACKAGE_LOCK = f"{FRONTEND}/package.json", f"{FRONTEND}/package-lock.json"
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)
LOCK_LINE = re.compile(r"^(#.*|[\w.-]+==[^\s;]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    #.*)$")
SHARED_WITH_PRODUCTION = {"httpx", "packaging"}
"""Packages that only development asks for, but that other packages of production need too."""


def dependency_groups(backend: Path) -> list[str]:
    """Return the names of the dependency groups in pyproject.toml."""
    return sorted(tomllib.loads((backend / "pyproject.toml").read_text())["dependency-groups"])


def digest_dependencies(backend: Path) -> str:
    """Return a digest of everything that decides what is locked. Layout and comments do not change it.

    `website/backend/lock` writes it into the lock files.
    """
    data = tomllib.loads((backend / "pyproject.toml").read_text())
    project = data["project"]
    inputs = [
        project["requires-python"],
        project["dependencies"],
        project.get("optional-dependencies", {}),
        data["dependency-groups"],
        (backend / "uv.in").read_text().strip(),
    ]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def check_python_locks(repository: Repository) -> Iterator[Finding]:
    """The lock files belong to the current pyproject.toml, satisfy it, and contain hashes and no address."""
    for file in (PRODUCTION, DEVELOPMENT, UV):
        if file not in repository.texts:
            yield Finding(file, 1, "the lock file is missing: run website/backend/lock")
            return
        first = repository.texts[file].partition("\n")[0]
        if first != HEADER + digest_dependencies(repository.root / BACKEND):
            yield Finding(file, 1, "the lock file does not belong to pyproject.toml: run website/backend/lock")
        for number, line in enumerate(repository.texts[file].splitlines(), start=1):
            if not LOCK_LINE.match(line) or ("/" in line and "website/backend/lock" not in line):
                yield Finding(file, number, "the line is not a pin with hashes: run website/backend/lock")
    yield from _check_pins(repository)


def _check_pins(repository: Repository) -> Iterator[Finding]:
    """The pins satisfy the requirements, and production has the pins of development but none of its tools."""
    data = tomllib.loads(repository.texts[PYPROJECT])
    groups: dict[str, list[str]] = data["dependency-groups"]
    production, development = (_read_pins(repository.texts[file]) for file in (PRODUCTION, DEVELOPMENT))
    required = [Requirement(item) for item in data["project"]["dependencies"]]
    grouped = [Requirement(item) for group in groups.values() for item in group]
    for file, pins, requirements in (
        (PRODUCTION, production, required),
        (DEVELOPMENT, development, required + grouped),
    ):
        for requirement in requirements:
            if pins.get(canonicalize_name(requirement.name), "") not in requirement.specifier:
                yield Finding(file, 1, f"no pin satisfies {requirement}: run website/backend/lock")
    for name, version in production.items():
        if development.get(name) != version:
            yield Finding(PRODUCTION, 1, f"{name}=={version} is not the version that the tests run with")
    tools = {canonicalize_name(item.name) for item in grouped} - {canonicalize_name(item.name) for item in required}
    for name in sorted(set(production) & tools - SHARED_WITH_PRODUCTION):
        yield Finding(PRODUCTION, 1, f"{name} is a tool of development and must not be installed in production")


def _read_pins(text: str) -> dict[str, str]:
    """Return the locked version of each package. If the versions differ by Python version, the last one counts."""
    return {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(text)}


def check_npm_lock(repository: Repository) -> Iterator[Finding]:
    """The front end's lock file belongs to package.json, has hashes, names no host and holds for every platform."""
    package: dict[str, Any] = json.loads(repository.texts[PACKAGE])
    packages: dict[str, dict[str, Any]] = json.loads(repository.texts[PACKAGE_LOCK])["packages"]
    for table in ("dependencies", "devDependencies"):
        if packages[""].get(table, {}) != package.get(table, {}):
            yield Finding(PACKAGE_LOCK, 1, f"{table} differ from package.json: run npm install in {FRONTEND}")
    for name, entry in packages.items():
        if "resolved" in entry:
            yield Finding(PACKAGE_LOCK, 1, f"{name} names the address of a registry: remove `resolved`")
        if name and "integrity" not in entry and not entry.get("inBundle"):
            yield Finding(PACKAGE_LOCK, 1, f"{name} has no hash")
    # npm silently omits what its registry lacks, and later rejects its own lock file. An older version helps.
    names = {path.rpartition("node_modules/")[2] for path in packages}
    optional = {name for entry in packages.values() for name in entry.get("optionalDependencies", {})}
    for name in sorted(optional - names):
        yield Finding(PACKAGE_LOCK, 1, f"the optional dependency {name} is missing: choose a version that is complete")
