"""Compiles ALE's C++ to WebAssembly with zig's clang: one object a file, kept until what it is made from changes."""

import hashlib
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from devtools.build_stamps import digest_files
from devtools.console import print_line
from devtools.run import run, tool_environment

TARGET = ("-target", "wasm32-wasi")
# try and catch are compiled away; a throw traps (capi.cpp). ALE throws on misuse only.
COMPILE_FLAGS = ("-std=c++17", "-O3", "-DNDEBUG", "-fno-rtti", "-fexceptions", "-fignore-exceptions", "-w")
LINK_FLAGS = ("-mexec-model=reactor", "-O3", "-s", "-Wl,--strip-all")
SOURCE_PATTERNS = ("ale/*.cpp", "ale/common/*.c*", "ale/emucore/*.cxx", "ale/environment/*.cpp", "ale/games/**/*.cpp")
# They want SDL or a dynamic loader, or have a shim of the same name.
EXCLUDED_FILES = {"SDL2.cpp", "ScreenSDL.cpp", "SoundSDL.cxx", "DynamicLoad.cpp"}


@dataclass(frozen=True)
class BuildDirs:
    """Folders of a build: ALE's source, our own files, the compiler, and where to work."""

    source: Path
    ours: Path
    tools: Path
    work: Path


def compile_objects(place: BuildDirs, jobs: int) -> list[Path]:
    """Compile every file that has no object yet. Returns the objects in the order in which they are linked."""
    source, ours = place.source, place.ours
    shims = sorted((ours / "shims").iterdir())
    headers = [path for path in source.rglob("*") if path.suffix in {".hpp", ".hxx", ".h", ".ins"}]
    common = digest_files([*shims, *headers], *COMPILE_FLAGS, (place.tools / ".installed").read_text())
    replaced = {path.name for path in shims}
    theirs = {
        path
        for pattern in SOURCE_PATTERNS
        for path in source.glob(pattern)
        if path.name not in EXCLUDED_FILES | replaced
    }
    files = [*sorted(theirs), *(path for path in shims if path.suffix == ".cpp"), ours / "capi.cpp"]
    objects = [place.work / "objects" / f"{path.stem}-{digest_one(path, common)}.o" for path in files]
    todo = [(path, made) for path, made in zip(files, objects, strict=True) if not made.is_file()]
    (place.work / "objects").mkdir(exist_ok=True)
    print_line(f"Compiling {len(todo)} of {len(files)} files, {jobs} at a time ...")
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(compile_one, path, made, place) for path, made in todo]
        try:
            for number, done in enumerate(as_completed(running), start=1):
                done.result()
                if number % 20 == 0 or number == len(todo):
                    print_line(f"  {number} of {len(todo)}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return objects


def digest_one(file: Path, common: str) -> str:
    """What an object is named after: all that it is made from."""
    return hashlib.sha256(common.encode() + file.read_bytes()).hexdigest()[:16]


def compile_one(file: Path, made: Path, place: BuildDirs) -> None:
    """One file to one object, which gets its name only when it is whole."""
    part = made.with_suffix(".part")
    shims = place.ours / "shims"
    include = ("-include", shims / "files.h", "-I", shims, "-I", place.source, "-I", place.source / "ale")
    zig([*TARGET, *COMPILE_FLAGS, *include, "-c", file, "-o", part], place, failure=f"{file.name} does not compile")
    part.rename(made)


def link_module(objects: Iterable[Path], module: Path, place: BuildDirs) -> None:
    """All objects to one module without a main function."""
    zig([*TARGET, *LINK_FLAGS, *objects, "-o", module], place, failure="The module does not link")


def zig(arguments: list[str | Path], place: BuildDirs, *, failure: str) -> None:
    """Run zig's C++ compiler with its caches in our own folder."""
    cache = str(place.work / "cache")
    ours = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache, "PYTHONPATH": str(place.tools)}
    command = [sys.executable, "-m", "ziglang", "c++", *arguments]
    run(command, failure=failure, environment=tool_environment() | ours, folder=place.work)
