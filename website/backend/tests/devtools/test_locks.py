"""The locks are current, complete, hashed, and print_line nothing of the machine that made them."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from devtools import lock
from devtools.paths import BACKEND

LOCKS = (lock.PRODUCTION_LOCK, lock.DEVELOPMENT_LOCK, lock.UV_LOCK)
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)


def read_pins(file: Path) -> dict[str, str]:
    """Locked version of each package. Where versions differ by Python version, the last."""
    return {canonicalize_name(pin["name"]): pin["version"] for pin in PIN.finditer(file.read_text())}


def read_requirements(*groups: str) -> list[Requirement]:
    """What pyproject.toml asks for, with these dependency groups."""
    data = tomllib.loads(lock.PYPROJECT.read_text())
    on_demand = data["project"]["dependencies"] + [
        item for group in groups for item in data["dependency-groups"][group]
    ]
    return [Requirement(item) for item in on_demand]


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: str(file.name))
def test_a_lock_was_made_from_the_dependencies_of_today(file: Path) -> None:
    assert lock.read_digest(file) == lock.digest_dependencies(lock.PYPROJECT), "run website/backend/lock"


@pytest.mark.parametrize(
    ("file", "groups"),
    [(lock.PRODUCTION_LOCK, []), (lock.DEVELOPMENT_LOCK, lock.dependency_groups())],
    ids=["production", "all"],
)
def test_a_lock_satisfies_all_that_is_asked_for(file: Path, groups: list[str]) -> None:
    pins = read_pins(file)
    for requirement in read_requirements(*groups):
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_production_has_the_versions_that_the_tests_ran_with() -> None:
    production, development = read_pins(lock.PRODUCTION_LOCK), read_pins(lock.DEVELOPMENT_LOCK)
    assert production == {name: development[name] for name in production}


def test_production_has_no_tool_of_development() -> None:
    groups = {canonicalize_name(item.name) for item in read_requirements(*lock.dependency_groups())}
    on_demand = {canonicalize_name(item.name) for item in read_requirements()}
    in_production = set(read_pins(lock.PRODUCTION_LOCK))
    assert in_production & (groups - on_demand) <= {"httpx", "packaging"}  # others of production need these too


@pytest.mark.parametrize("file", LOCKS, ids=lambda file: str(file.name))
def test_every_pin_has_hashes_and_no_line_says_more(file: Path) -> None:
    allowed = re.compile(r"^(#.*|[\w.-]+==[^\s;]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    #.*)$")
    lines = file.read_text().splitlines()
    assert [line for line in lines if not allowed.match(line)] == []
    assert [line for line in lines if "/" in line and "website/backend/lock" not in line] == []


def test_each_lock_lies_beside_what_it_locks() -> None:
    assert sorted(file.name for file in BACKEND.glob("*.lock") if file.name != "uv.lock") == sorted(
        file.name for file in LOCKS
    )
