"""`website/backend/lock`: writes the three lock files from pyproject.toml."""

import argparse
import hashlib
import json
import shutil
import tomllib
from pathlib import Path

from devtools.console import report_step
from devtools.errors import UserFacingError
from devtools.paths import BACKEND
from devtools.run import run, tool_environment
from devtools.uv import find_uv

PYPROJECT = BACKEND / "pyproject.toml"
PRODUCTION_LOCK = BACKEND / "requirements.lock"
DEVELOPMENT_LOCK = BACKEND / "requirements-dev.lock"
UV_LOCK = BACKEND / "requirements-uv.lock"
UV_REQUIREMENT = "uv>=0.13,<0.14"
INDEX_VARIABLES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX", "UV_FIND_LINKS", "UV_CONFIG")
HEADER = "# From pyproject.toml by website/backend/lock. Dependencies: sha256:"


def main(arguments: list[str]) -> int:
    """Write the lock files. Pins that still satisfy the requirements are kept unless `--upgrade` is given."""
    parser = argparse.ArgumentParser(
        prog="website/backend/lock",
        description="Writes requirements.lock (production), requirements-dev.lock (all dependency groups) and "
        "requirements-uv.lock (uv itself) from pyproject.toml, with hashes, for every platform.",
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="lock the newest versions instead of keeping the current pins"
    )
    options = parser.parse_args(arguments)
    uv = find_uv()
    upgrade = ["--upgrade"] if options.upgrade else []
    groups = [part for group in dependency_groups() for part in ("--group", group)]
    with report_step("Locking all groups"):
        compile_lock(uv, DEVELOPMENT_LOCK, [PYPROJECT.name, *groups, *upgrade])
    with report_step("Locking production"):
        # Start from the pins of all groups, so that production runs the versions that the tests ran with.
        shutil.copy(DEVELOPMENT_LOCK, PRODUCTION_LOCK)
        compile_lock(uv, PRODUCTION_LOCK, [PYPROJECT.name])
    with report_step("Locking uv"):
        requirements = BACKEND / ".uv.in"
        requirements.write_text(UV_REQUIREMENT + "\n")
        try:
            compile_lock(uv, UV_LOCK, [requirements.name, "--no-annotate", *upgrade])
        finally:
            requirements.unlink()
    return 0


def compile_lock(uv: Path, lock: Path, arguments: list[str]) -> None:
    """Run `uv pip compile` into `lock`, ignoring this machine's package indexes so that the lock names none of them."""
    environment = {name: value for name, value in tool_environment().items() if not name.startswith(INDEX_VARIABLES)}
    command: list[str | Path] = [uv, "pip", "compile", "--quiet", "--no-config", "--no-header"]
    command += ["--universal", "--generate-hashes", "--python-version", "3.11"]
    command += ["--output-file", lock.name, *arguments]
    run(command, failure=f"Cannot write {lock.name}", folder=BACKEND, environment=environment)
    lock.write_text(f"{HEADER}{digest_dependencies(PYPROJECT)}\n{lock.read_text()}")


def dependency_groups() -> list[str]:
    """Return the names of the dependency groups in pyproject.toml."""
    return sorted(tomllib.loads(PYPROJECT.read_text())["dependency-groups"])


def digest_dependencies(pyproject: Path) -> str:
    """Return a digest of everything that decides what is locked. Layout and comments do not change it."""
    data = tomllib.loads(pyproject.read_text())
    project = data["project"]
    inputs = [
        project["requires-python"],
        project["dependencies"],
        project.get("optional-dependencies", {}),
        data["dependency-groups"],
        UV_REQUIREMENT,
    ]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def read_digest(lock: Path) -> str:
    """Return the digest of the dependencies that `lock` was made from."""
    first = lock.read_text().partition("\n")[0]
    if not first.startswith(HEADER):
        raise UserFacingError(f"{lock.name} was not written by website/backend/lock. Run that command.")
    return first.removeprefix(HEADER)
