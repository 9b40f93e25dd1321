"""Runs other programs, if their inputs changed, and turns their failures into error messages."""

import hashlib
import os
import re
import ssl
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

MAX_TAIL_LINES = 15
NETWORK_ERROR = re.compile(
    r"(?i)dns error|failed to lookup|name resolution|name or service not known|could not resolve|tunnel|timed out"
    r"|temporary failure resolving|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET|ENOTFOUND"
    r"|connection refused|network is unreachable|error sending request|failed to establish a new connection"
)


class UserFacingError(SystemExit):
    """Something is missing or wrong. The message says what failed, why, and what to do; Python prints it and exits."""


def tool_environment() -> dict[str, str]:
    """Return this process's environment with the system's certificate authorities, and with Python's bytecode cache.

    uv and npm bring their own list of authorities, so behind a company's TLS proxy they fail where pip works. Without
    the cache, each of hundreds of Python processes would compile all modules that it imports.
    """
    authorities = ssl.get_default_verify_paths().cafile
    added = {"UV_SYSTEM_CERTS": "true", "NODE_EXTRA_CA_CERTS": authorities} if authorities else {}
    return {name: value for name, value in (added | dict(os.environ)).items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(step: str, command: Sequence[str | Path], folder: Path | None = None, /, **variables: str) -> None:
    """Run `command` with `variables` in its environment, and print this step and its time. Raises `UserFacingError`."""
    print(f"{step} ...", flush=True)
    begin = time.monotonic()
    run_quietly(step, command, folder, **variables)
    print(f"  done in {time.monotonic() - begin:.1f} s", flush=True)


def run_quietly(step: str, command: Sequence[str | Path], folder: Path | None = None, /, **variables: str) -> str:
    """Run `command` like `run`, but print nothing, and return the output. An error shows its last lines."""
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "text": True}
    try:
        return str(subprocess.check_output(command, cwd=folder, env=tool_environment() | variables, **pipes))
    except subprocess.CalledProcessError as error:
        reason = "see the lines above for the reason."
        if NETWORK_ERROR.search(error.output):
            reason = "the package registry does not answer. Check the network and the proxy, and run this again."
        tail = [f"  | {line}" for line in error.output.strip().splitlines()[-MAX_TAIL_LINES:]]
        raise UserFacingError("\n".join([*tail, f"{step} failed: {reason}"])) from error


def digest_files(files: Iterable[Path], *values: object) -> str:
    """Return a digest of the names and contents of `files`, in order of their names, and of `values`."""
    inputs = [(str(file), file.read_bytes()) for file in sorted(files)]
    return hashlib.sha256(repr((inputs, values)).encode()).hexdigest()


def is_fresh(stamp: Path, digest: str) -> bool:
    """Return whether `stamp` holds `digest`, so that the step that wrote it had the same inputs."""
    return stamp.is_file() and stamp.read_text() == digest
