"""`website/lockstep/build`: ALE from its PyPI source to a WebAssembly module, all under `website/.state/lockstep`.

Nothing of ALE, its ROMs or the compiler gets into git; what was built is compared with the digest that does.
"""

import argparse
import fcntl
import gzip
import hashlib
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from devtools.build_stamps import digest_files, is_fresh, write_stamp
from devtools.console import print_line, report_step
from devtools.errors import UserFacingError
from devtools.parent_watch import exit_with_parent
from devtools.paths import STATE, WEBSITE, check_writable
from devtools.run import run, tool_environment
from devtools.zig import BuildDirs, compile_objects, link_module

SOURCES = WEBSITE / "lockstep"
BUILD_FOLDER = STATE / "lockstep"
MODULE = BUILD_FOLDER / "lockstep.wasm"
EXPECTED = SOURCES / "module.sha256"
TOOLS, SOURCE = BUILD_FOLDER / "tools", BUILD_FOLDER / "source"
VERSION = "0.12.1"
SOURCE_SUFFIXES = {".cpp", ".cxx", ".hpp", ".hxx", ".h", ".in", ".ins"}
EXCLUDED_FOLDERS = {"python", "vector", "wasm"}


def main(arguments: list[str]) -> int:
    """Build the module, unless it is there; a build that was broken off goes on where it stood."""
    parser = argparse.ArgumentParser(
        prog="website/lockstep/build",
        description="Fetches ALE's source and a compiler by pip, by hash, and builds the emulator that runs in the "
        "page, in website/.state/lockstep: two to three minutes and 500 MB the first time.",
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="files compiled at once (default: 2)")
    parser.add_argument("--pin", action="store_true", help="take what comes out as what is expected from now on")
    parser.add_argument("--beside", type=int, metavar="PID", help="end when this process does, however far it is")
    options = parser.parse_args(arguments)
    if options.beside is not None:
        exit_with_parent(options.beside)
    if options.jobs < 1:
        raise UserFacingError(f"--jobs takes a number from 1 up, not {options.jobs}.")
    check_writable(BUILD_FOLDER)
    with build_lock():
        if is_built():
            print_line("The lockstep module is up to date.")
        else:
            build_module(options.jobs, pin=options.pin)
    return 0


def is_built() -> bool:
    """Whether the module is there, made from what lies here today."""
    return MODULE.is_file() and is_fresh(MODULE.with_suffix(".stamp"), digest_inputs())


def build_module(jobs: int, *, pin: bool) -> None:
    """Fetch, compile, link, compare, and only then put the module where it is looked for."""
    fetch_tools()
    fetch_source()
    place = BuildDirs(SOURCE, SOURCES, TOOLS, BUILD_FOLDER)
    objects = compile_objects(place, jobs)
    fresh = MODULE.with_suffix(".new")
    with report_step("Linking"):
        link_module(objects, fresh, place)
    digest = hashlib.sha256(fresh.read_bytes()).hexdigest()
    if pin:
        EXPECTED.write_text(digest + "\n")
    expected = EXPECTED.read_text().strip()
    if digest != expected:
        raise UserFacingError(
            f"The module came out as {digest}, and {expected} is expected; it is not used. After a change of "
            "website/lockstep, test it and note the new digest by website/lockstep/build --pin."
        )
    # The time is left out, so that the same module packs to the same bytes.
    fresh.with_suffix(".gz").write_bytes(gzip.compress(fresh.read_bytes(), 9, mtime=0))
    fresh.with_suffix(".gz").replace(MODULE.with_name(MODULE.name + ".gz"))
    fresh.replace(MODULE)
    write_stamp(MODULE.with_suffix(".stamp"), digest_inputs())
    print_line(f"Built {MODULE.relative_to(WEBSITE)}: {MODULE.stat().st_size:,} bytes, sha256 {digest}.")


def digest_inputs() -> str:
    """A digest of all that decides what comes out."""
    ours = [path for path in SOURCES.rglob("*") if path.is_file() and path.suffix not in {".md", ".in"}]
    return digest_files([*ours, Path(__file__), Path(__file__).with_name("zig.py")])


def fetch_tools() -> None:
    """The compiler, and what pip needs to look into ALE's source package, by hash."""
    lock = SOURCES / "tools.lock"
    if is_fresh(TOOLS / ".installed", digest_files([lock], sys.version)):
        return
    with report_step("Fetching the compiler (100 MB)"):
        pip(
            ["install", "--upgrade", "--target", TOOLS, "--only-binary", ":all:", "--requirement", lock],
            failure="The compiler could not be installed by pip",
        )
        write_stamp(TOOLS / ".installed", digest_files([lock], sys.version))


def fetch_source() -> None:
    """ALE's source package, by hash; of what is in it, only the code that is compiled."""
    lock = SOURCES / "source.lock"
    if is_fresh(SOURCE / ".unpacked", digest_files([lock])):
        return
    with report_step("Fetching ALE's source"):
        download = BUILD_FOLDER / "download"
        pip(
            ["download", "--no-binary", ":all:", "--no-build-isolation", "--dest", download, "--requirement", lock],
            failure="ALE's source could not be fetched by pip",
            more={"PYTHONPATH": str(TOOLS)},
        )
        unpack_source(download / f"ale_py-{VERSION}.tar.gz")
        write_stamp(SOURCE / ".unpacked", digest_files([lock]))


def unpack_source(archive: Path) -> None:
    """Write the C++ files of `archive` to the source folder: no ROM, no bindings."""
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts[1:]
            if not member.isfile() or parts[:2] != ("src", "ale") or ".." in parts or parts[2] in EXCLUDED_FOLDERS:
                continue
            content = tar.extractfile(member)
            if content is None or PurePosixPath(member.name).suffix not in SOURCE_SUFFIXES:
                continue
            target = SOURCE.joinpath(*parts[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
    template = (SOURCE / "ale" / "version.hpp.in").read_text()
    for part, value in zip(("", "_MAJOR", "_MINOR", "_PATCH"), (VERSION, *VERSION.split(".")), strict=True):
        template = template.replace(f"@ALE_VERSION{part}@", value)
    (SOURCE / "version.hpp").write_text(template.replace("@ALE_VERSION_GIT_SHA@", ""))


def pip(arguments: list[str | Path], *, failure: str, more: dict[str, str] | None = None) -> None:
    """Run pip with hashes required and nothing but what was on_demand for."""
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    command = [sys.executable, "-m", "pip", arguments[0], *quiet, *arguments[1:]]
    run(command, failure=failure, environment=tool_environment() | (more or {}))


@contextmanager
def build_lock() -> Iterator[None]:
    """Hold the lock of this build, so that two do not write over each other."""
    with (BUILD_FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print_line("Waiting for another build of the lockstep module to end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
