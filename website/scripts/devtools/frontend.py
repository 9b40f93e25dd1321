"""Installs the front end's packages and builds the page."""

import re
import shutil
from pathlib import Path

from devtools.build_stamps import digest_files, is_fresh, write_stamp
from devtools.console import report_step
from devtools.errors import UserFacingError
from devtools.paths import FRONTEND
from devtools.run import run, tool_environment

MIN_NODE_VERSION = (20, 19)
NODE_INSTALL_HINT = (
    "Install Node 20.19 or newer with npm (Debian: apt-get install nodejs npm) and run this command again."
)
SOURCES = (
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig*.json",
)


def check_node() -> str:
    """Return the version of Node. Raises `UserFacingError` if Node or npm is missing or too old."""
    if not shutil.which("node"):
        raise UserFacingError(f"Node is missing. {NODE_INSTALL_HINT}")
    version = run(["node", "--version"], failure="Cannot run node --version").strip()
    numbers = re.match(r"v(\d+)\.(\d+)", version)
    if not numbers or tuple(int(number) for number in numbers.groups()) < MIN_NODE_VERSION:
        raise UserFacingError(f"Node {version} is too old. {NODE_INSTALL_HINT}")
    if not shutil.which("npm"):
        raise UserFacingError(f"npm is missing. {NODE_INSTALL_HINT}")
    return version


def install_packages(node: str) -> None:
    """Run `npm ci` if package-lock.json, package.json or the version of Node changed since the last run."""
    stamp = FRONTEND / "node_modules" / ".installed"
    digest = digest_files([FRONTEND / "package-lock.json", FRONTEND / "package.json"], node)
    if is_fresh(stamp, digest):
        return
    with report_step("Installing front-end packages"):
        run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            failure="Cannot install the front-end packages",
            folder=FRONTEND,
        )
        write_stamp(stamp, digest)


def build_page() -> None:
    """Run `npm run build` if a source changed since the last run."""
    stamp = FRONTEND / "dist" / ".built"
    digest = digest_files(list_sources())
    if is_fresh(stamp, digest):
        return
    with report_step("Building the page"):
        environment = tool_environment() | {"NODE_ENV": "production"}
        run(
            ["npm", "run", "build"],
            failure="Cannot build the page",
            folder=FRONTEND,
            environment=environment,
        )
        write_stamp(stamp, digest)


def list_sources() -> list[Path]:
    """Return every file that the built page depends on."""
    found = [path for pattern in SOURCES for path in FRONTEND.glob(pattern)]
    return [file for path in found for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
