"""`website/lockstep/build`: builds the Arcade Learning Environment (ALE) from its PyPI source as a WebAssembly module.

Everything is downloaded and built in `website/.state/lockstep`, which git ignores. Git holds only the digest of the
module, and the build fails if its result differs from that digest.
"""

import argparse
import fcntl
import gzip
import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from devtools.paths import LOCKSTEP, STATE, WEBSITE
from devtools.run import UserFacingError, digest_files, is_fresh, run
from parent_watch import exit_with_parent
from zig import BuildDirs, compile_objects, link_module

BUILD_FOLDER = STATE / "lockstep"
MODULE = BUILD_FOLDER / "lockstep.wasm"
EXPECTED = LOCKSTEP / "module.sha256"
TOOLS, ALE_SOURCE = BUILD_FOLDER / "tools", BUILD_FOLDER / "source"
VERSION = "0.12.1"
SOURCE_SUFFIXES = {".cpp", ".cxx", ".hpp", ".hxx", ".h", ".in", ".ins"}
NO_INPUTS = {".md", ".in", ".pyc"}
"""Suffixes of files beside this one that do not change the module."""
EXCLUDED_FOLDERS = {"python", "vector", "wasm"}


def main(arguments: list[str]) -> None:
    """Build the module if it is missing or outdated. An interrupted build is continued."""
    parser = argparse.ArgumentParser(
        prog="website/lockstep/build",
        description="Downloads ALE's source and a compiler with pip, checks their hashes, and builds the emulator that "
        "runs in the page. The first build takes two to three minutes and 500 MB in website/.state/lockstep.",
    )
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="number of files compiled in parallel (default: 2)"
    )
    parser.add_argument(
        "--pin", action="store_true", help="write the digest of the result to module.sha256 as the expected one"
    )
    parser.add_argument("--parent-pid", type=int, metavar="PID", help="exit as soon as this process exits")
    parser.add_argument(
        "--background-for", type=int, metavar="PID", help="build in the background until this process exits"
    )
    options = parser.parse_args(arguments)
    if options.background_for is not None:
        build_in_background(options.background_for)
        return
    if options.parent_pid is not None:
        exit_with_parent(options.parent_pid)
    if options.jobs < 1:
        raise UserFacingError(f"--jobs must be at least 1, not {options.jobs}.")
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    with build_lock():
        if is_built():
            print("The lockstep module is up to date.")
        else:
            build_module(options.jobs, pin=options.pin)


def is_built() -> bool:
    """Return whether the module exists and was built from the current inputs."""
    return MODULE.is_file() and is_fresh(MODULE.with_suffix(".stamp"), digest_inputs())


def build_in_background(pid: int) -> None:
    """Start a build at the lowest priority, unless the module is built. It exits if process `pid` exits.

    This process exits, so the build becomes no child of process `pid`, which is the server. The next start of the
    server continues the build.
    """
    if is_built():
        return
    STATE.mkdir(exist_ok=True)
    log = STATE / "lockstep.log"
    jobs = str(max(1, (os.cpu_count() or 2) - 1))
    with log.open("wb") as output:
        subprocess.Popen(
            ["nice", "-n", "19", sys.executable, "-u", __file__, "--jobs", jobs, "--parent-pid", str(pid)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    print(
        "Building the emulator that runs Atari games in the page, in the background. This takes some minutes, but only "
        f"once (log: {log.relative_to(WEBSITE.parent)}). Until it is built, Atari games are streamed."
    )


def build_module(jobs: int, *, pin: bool) -> None:
    """Download, compile, link and verify the module, and move it to its final path only after that."""
    fetch_tools()
    fetch_source()
    dirs = BuildDirs(ALE_SOURCE, LOCKSTEP, TOOLS, BUILD_FOLDER)
    objects = compile_objects(dirs, jobs)
    fresh = MODULE.with_suffix(".new")
    link_module(objects, fresh, dirs)
    digest = hashlib.sha256(fresh.read_bytes()).hexdigest()
    if pin:
        EXPECTED.write_text(digest + "\n")
    expected = EXPECTED.read_text().strip()
    if digest != expected:
        raise UserFacingError(
            f"The digest of the module is {digest}, but website/lockstep/module.sha256 expects {expected}. The "
            "module is not used. If you changed website/lockstep, test the module and run website/lockstep/build --pin."
        )
    # Without a time stamp, the same module compresses to the same bytes.
    fresh.with_suffix(".gz").write_bytes(gzip.compress(fresh.read_bytes(), 9, mtime=0))
    fresh.with_suffix(".gz").replace(MODULE.with_name(MODULE.name + ".gz"))
    fresh.replace(MODULE)
    MODULE.with_suffix(".stamp").write_text(digest_inputs())
    print(f"Built {MODULE.relative_to(WEBSITE)}: {MODULE.stat().st_size:,} bytes, sha256 {digest}.")


def digest_inputs() -> str:
    """Return a digest of everything that the module depends on."""
    return digest_files([path for path in LOCKSTEP.rglob("*") if path.is_file() and path.suffix not in NO_INPUTS])


def fetch_tools() -> None:
    """Download the compiler, and what pip needs to read ALE's source package. Pip checks the hashes."""
    lock = LOCKSTEP / "tools.lock"
    digest = digest_files([lock], sys.version)
    if is_fresh(stamp := TOOLS / ".installed", digest):
        return
    install = ("install", "--upgrade", "--target", TOOLS, "--only-binary", ":all:", "--requirement", lock)
    pip("Downloading the compiler (100 MB)", *install)
    stamp.write_text(digest)


def fetch_source() -> None:
    """Download ALE's source package, check its hash, and unpack the code that is compiled."""
    lock = LOCKSTEP / "source.lock"
    digest = digest_files([lock])
    if is_fresh(stamp := ALE_SOURCE / ".unpacked", digest):
        return
    target = BUILD_FOLDER / "download"
    download = ("download", "--no-binary", ":all:", "--no-build-isolation", "--dest", target, "--requirement", lock)
    pip("Downloading ALE's source", *download, PYTHONPATH=str(TOOLS))
    unpack_source(target / f"ale_py-{VERSION}.tar.gz")
    stamp.write_text(digest)


def unpack_source(archive: Path) -> None:
    """Unpack the C++ files of `archive` into the source folder, without the ROMs and the bindings."""
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts[1:]
            if not member.isfile() or parts[:2] != ("src", "ale") or ".." in parts or parts[2] in EXCLUDED_FOLDERS:
                continue
            content = tar.extractfile(member)
            if content is None or PurePosixPath(member.name).suffix not in SOURCE_SUFFIXES:
                continue
            target = ALE_SOURCE.joinpath(*parts[1:])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
    template = (ALE_SOURCE / "ale" / "version.hpp.in").read_text()
    for part, value in zip(("", "_MAJOR", "_MINOR", "_PATCH"), (VERSION, *VERSION.split(".")), strict=True):
        template = template.replace(f"@ALE_VERSION{part}@", value)
    (ALE_SOURCE / "version.hpp").write_text(template.replace("@ALE_VERSION_GIT_SHA@", ""))


def pip(step: str, command: str, *arguments: str | Path, **variables: str) -> None:
    """Run a command of pip with required hashes and without dependencies."""
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes")
    run(step, [sys.executable, "-m", "pip", command, *options, *arguments], **variables)


@contextmanager
def build_lock() -> Iterator[None]:
    """Hold the lock of the build folder, so that two builds do not overwrite each other's files."""
    with (BUILD_FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another build of the lockstep module to finish ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main(sys.argv[1:])
