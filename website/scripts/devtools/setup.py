"""Sets up the project. Everything that was done before, from the same inputs, is skipped."""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from devtools.paths import BACKEND, FRONTEND, PYTHON, STATE, VENV
from devtools.run import UserFacingError, digest_files, is_fresh, run

MIN_UV_VERSION, MIN_NODE_VERSION = (0, 9), (20, 19)
LOCK, UV_LOCK = BACKEND / "requirements-dev.lock", BACKEND / "requirements-uv.lock"
PAGE_SOURCES = ("src/**/*", "public/**/*", "index.html", "package*.json", "vite.config.ts", "tsconfig*.json")


def set_up(*, page: bool) -> None:
    """Install missing packages and, if `page` is set, build the front end."""
    check_node()
    check_folders(STATE, BACKEND, FRONTEND, own=(VENV, FRONTEND / "node_modules"))
    with setup_lock():
        install_python_packages()
        install_front_end_packages()
        if page:
            build_page()


def check_folders(*writable: Path, own: Sequence[Path] = ()) -> None:
    """Raise `UserFacingError` for a folder that is not writable, or one that is a link, which another clone may own."""
    for folder in writable:
        existing = next(filter(Path.exists, (folder, *folder.parents)))
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            advice = "Change its owner to your user (chown), or clone the repository into a folder that you own."
            raise UserFacingError(f"Cannot write to the folder {existing}. {advice}")
    for link in filter(Path.is_symlink, own):
        advice = "Delete the link; set-up then installs the packages into a folder of this clone."
        raise UserFacingError(f"{link} is a link to {link.resolve()}, which another clone may use. {advice}")


def read_version(program: str | Path) -> tuple[int, ...]:
    """Return (major, minor) of a program, or () if it prints no version, like an empty shim of a version manager."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(number) for number in re.findall(r"\d+", answer)[:2])


def check_node() -> None:
    """Raise `UserFacingError` if Node or npm is missing or too old."""
    version = read_version("node") if shutil.which("node") else ()
    if version < MIN_NODE_VERSION or not shutil.which("npm"):
        found = f"Node is {'.'.join(map(str, version)) or 'missing'}, npm is {shutil.which('npm') or 'missing'}"
        advice = "Install both (Debian: apt-get install nodejs npm) and run this command again."
        raise UserFacingError(f"Node 20.19 or newer and npm are required, but {found}. {advice}")


@contextmanager
def setup_lock() -> Iterator[None]:
    """Hold the set-up lock of this clone, so that two commands do not install at the same time."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another set-up of this clone to finish ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find_uv() -> Path:
    """Return the path of uv: one on the PATH that is new enough, else this clone's own after installing it by pip.

    `pip --target` needs no rights outside the clone and no venv module, also if Python is "externally managed".
    """
    own = STATE / "uv/bin/uv"
    for uv in filter(Path.is_file, (Path(shutil.which("uv") or own), own)):
        if read_version(uv) >= MIN_UV_VERSION:
            return uv
    if not importlib.util.find_spec("pip"):
        raise UserFacingError("pip is missing. Install it (Debian: apt-get install python3-pip) and run this again.")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--no-deps")
    locked = ("--only-binary", ":all:", "--require-hashes", "--requirement", UV_LOCK)
    run("Installing uv with pip", [*pip, "--target", STATE / "uv", *locked])
    return own


def install_python_packages() -> None:
    """Install the locked packages, whose hashes uv checks, and the project. uv skips what is installed."""
    uv = find_uv()
    if not PYTHON.exists():
        run("Creating the virtual environment", [uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV])
    install = (uv, "pip", "install", "--quiet", "--python", PYTHON, "--no-deps", "--requirement", LOCK)
    run("Installing Python packages", [*install, "--require-hashes"], BACKEND)
    digest = digest_files((LOCK, BACKEND / "pyproject.toml"), sys.version)
    if not is_fresh(stamp := VENV / ".installed", digest):
        # The locked hatchling builds the project, so none is downloaded. `--exact` removes what is not locked any more.
        run("Installing the project", [*install, "--exact", "--no-build-isolation", "--editable", "."], BACKEND)
        stamp.write_text(digest)


def install_front_end_packages() -> None:
    """Run `npm ci` if package-lock.json, package.json or the version of Node changed. No package may run a script."""
    digest = digest_files(FRONTEND.glob("package*.json"), read_version("node"))
    if not is_fresh(stamp := FRONTEND / "node_modules/.installed", digest):
        run("Installing front-end packages", ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"), FRONTEND)
        stamp.write_text(digest)


def build_page() -> None:
    """Run `npm run build` if a source of the page changed since the last run. `website/test` runs this as a check."""
    digest = digest_files(path for pattern in PAGE_SOURCES for path in FRONTEND.glob(pattern) if path.is_file())
    if not is_fresh(stamp := FRONTEND / "dist/.built", digest):
        run("Building the page", ("npm", "run", "build"), FRONTEND, NODE_ENV="production")
        stamp.write_text(digest)


def find_chromium() -> dict[str, str]:
    """Return the variable CHROMIUM: as it is set, else a Chromium on the PATH, else Debian's, after installing it."""
    chosen = os.environ.get("CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    found = next(filter(None, map(shutil.which, names)), None)
    if not found and not chosen and shutil.which("apt-get") and os.geteuid() == 0:
        install = "apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends chromium"
        run("Installing Chromium", ("sh", "-c", install))
        found = shutil.which("chromium")
    if not found:
        problem = f"CHROMIUM is set to {chosen}, which is not a program." if chosen else "no Chromium was found."
        advice = "Install it (Debian: sudo apt-get install chromium), set CHROMIUM to its path, or use --fast."
        raise UserFacingError(f"The browser test cannot run: {problem} {advice}")
    return {"CHROMIUM": found}
