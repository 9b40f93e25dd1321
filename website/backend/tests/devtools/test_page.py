"""The front end's lock is current and names no host."""

import json
import shutil
from pathlib import Path

import pytest

from devtools.errors import UserFacingError
from devtools.paths import FRONTEND
from devtools.run import run, tool_environment


def test_the_front_end_lock_names_no_host() -> None:
    text = (FRONTEND / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    inside_another = {name for name, entry in packages.items() if entry.get("inBundle")}
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == sorted(inside_another)


def test_the_front_end_lock_holds_for_every_platform() -> None:
    packages = json.loads((FRONTEND / "package-lock.json").read_text())["packages"]
    names = {path.rpartition("node_modules/")[2] for path in packages}
    optional = {name for entry in packages.values() for name in entry.get("optionalDependencies", {})}
    # npm leaves out what its registry lacks, without a word, and then refuses its own lock: choose an older version.
    assert optional - names == set()


def test_the_front_end_lock_is_current() -> None:
    wanted = json.loads((FRONTEND / "package.json").read_text())
    root = json.loads((FRONTEND / "package-lock.json").read_text())["packages"][""]
    for table in ("dependencies", "devDependencies"):
        assert root.get(table, {}) == wanted.get(table, {}), "run npm install in website/frontend"


def test_a_registry_that_does_not_answer_npm_is_said(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FRONTEND / name, tmp_path)
    nowhere = {"npm_config_https_proxy": "http://127.0.0.1:9", "npm_config_cache": str(tmp_path / "cache")}
    environment = tool_environment() | nowhere | {"npm_config_fetch_retries": "0"}
    with pytest.raises(UserFacingError, match=r"\nNo: the package registry does not answer; check network and proxy, "):
        run(["npm", "ci"], failure="No", folder=tmp_path, environment=environment)
