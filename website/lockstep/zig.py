"""Compiles ALE's C++ code to WebAssembly with zig's clang. An object file is rebuilt only if its inputs changed."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from devtools.run import digest_files, run_quietly

TARGET = ("-target", "wasm32-wasi")
# try and catch are removed; a throw becomes a trap (capi.cpp). ALE throws only if it is misused. No debug information
# (-g0) is written, because linking would remove it.
COMPILE_FLAGS = ("-std=c++17", "-O3", "-DNDEBUG", "-fno-rtti", "-fexceptions", "-fignore-exceptions", "-w", "-g0")
LINK_FLAGS = ("-mexec-model=reactor", "-O3", "-s", "-Wl,--strip-all")
SOURCE_PATTERNS = ("ale/*.cpp", "ale/common/*.c*", "ale/emucore/*.cxx", "ale/environment/*.cpp", "ale/games/**/*.cpp")
# These need SDL or a dynamic loader. A file that has a shim of the same name is excluded too.
EXCLUDED_FILES = {"SDL2.cpp", "ScreenSDL.cpp", "SoundSDL.cxx", "DynamicLoad.cpp"}


@dataclass(frozen=True)
class BuildDirs:
    """Folders of a build: ALE's source, the files of website/lockstep, the compiler, and the working folder."""

    source: Path
    lockstep: Path
    tools: Path
    work: Path


def compile_objects(dirs: BuildDirs, jobs: int) -> list[Path]:
    """Compile every file that has no current object file. Returns all object files in the order of linking."""
    source, lockstep = dirs.source, dirs.lockstep
    shims = sorted((lockstep / "shims").iterdir())
    headers = [path for path in source.rglob("*") if path.suffix in {".hpp", ".hxx", ".h", ".ins"}]
    common = digest_files([*shims, *headers], *COMPILE_FLAGS, (dirs.tools / ".installed").read_text())
    replaced = {path.name for path in shims}
    upstream = {
        path
        for pattern in SOURCE_PATTERNS
        for path in source.glob(pattern)
        if path.name not in EXCLUDED_FILES | replaced
    }
    files = [*sorted(upstream), *(path for path in shims if path.suffix == ".cpp"), lockstep / "capi.cpp"]
    objects = [dirs.work / "objects" / f"{path.stem}-{digest_one(path, common)}.o" for path in files]
    todo = [(path, target) for path, target in zip(files, objects, strict=True) if not target.is_file()]
    (dirs.work / "objects").mkdir(exist_ok=True)
    print(f"Compiling {len(todo)} of {len(files)} files, {jobs} in parallel ...")
    if todo:
        header = precompile_header(common, dirs)
    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(compile_one, path, target, header, dirs) for path, target in todo]
        try:
            for number, done in enumerate(as_completed(running), start=1):
                done.result()
                if number % 20 == 0 or number == len(todo):
                    print(f"  {number} of {len(todo)}")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return objects


def digest_one(file: Path, common: str) -> str:
    """Return the digest of an object file's inputs, which is part of its name."""
    return hashlib.sha256(common.encode() + file.read_bytes()).hexdigest()[:16]


def precompile_header(common: str, dirs: BuildDirs) -> Path:
    """Compile the header that every file includes first, unless that was done from the same inputs. Returns its path.

    Parsing the header and the standard library takes two thirds of the CPU time of an average file.
    """
    header = dirs.work / "objects" / f"files-{common[:16]}.pch"
    if not header.is_file():
        compile_to(header, ("-x", "c++-header", dirs.lockstep / "shims" / "files.h"), dirs)
    return header


def compile_one(file: Path, target: Path, header: Path, dirs: BuildDirs) -> None:
    """Compile one file that includes this precompiled header first."""
    compile_to(target, ("-include-pch", header, "-c", file), dirs)


def compile_to(target: Path, arguments: Sequence[str | Path], dirs: BuildDirs) -> None:
    """Run the compiler. The file `target` gets its final name only when it is complete."""
    part = target.with_suffix(".part")
    include = ("-I", dirs.lockstep / "shims", "-I", dirs.source, "-I", dirs.source / "ale")
    command = [*TARGET, *COMPILE_FLAGS, *include, *arguments, "-o", part]
    zig(f"Compiling {target.stem.rpartition('-')[0]}", command, dirs)
    part.rename(target)


def link_module(objects: Iterable[Path], module: Path, dirs: BuildDirs) -> None:
    """Link all object files to one module without a main function."""
    print("Linking ...")
    zig("Linking the module", [*TARGET, *LINK_FLAGS, *objects, "-o", module], dirs)


def zig(step: str, arguments: list[str | Path], dirs: BuildDirs) -> None:
    """Run zig's C++ compiler with its caches in the working folder."""
    cache = str(dirs.work / "cache")
    command = [dirs.tools / "ziglang" / "zig", "c++", *arguments]
    run_quietly(step, command, dirs.work, ZIG_GLOBAL_CACHE_DIR=cache, ZIG_LOCAL_CACHE_DIR=cache)
