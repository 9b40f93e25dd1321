"""Runs other programs and turns their failures into error messages."""

import os
import re
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from devtools.errors import UserFacingError

MAX_TAIL_LINES = 15
NETWORK_ERROR = re.compile(
    r"dns error|failed to lookup|name resolution|name or service not known|could not resolve"
    r"|temporary failure resolving|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET"
    r"|connection refused|network is unreachable|tunnel|timed out|error sending request"
    r"|failed to establish a new connection",
    re.IGNORECASE,
)


def inherited_environment() -> dict[str, str]:
    """Return this process's environment, in which Python caches bytecode.

    Without the cache, each of the hundreds of Python processes of the checks compiles all modules that it imports,
    which takes longer than running them. Git ignores the cache.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def tool_environment() -> dict[str, str]:
    """Return the environment for uv, npm and checks: `inherited_environment` and the system's certificate authorities.

    Both tools bring their own list of authorities, so behind a company's TLS proxy they fail where pip works.
    Variables that are set already keep their value.
    """
    environment = inherited_environment()
    authorities = ssl.get_default_verify_paths().cafile
    if authorities:
        environment.setdefault("UV_SYSTEM_CERTS", "true")
        environment.setdefault("NODE_EXTRA_CA_CERTS", authorities)
    return environment


def run(
    command: Sequence[str | Path],
    *,
    failure: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run `command` without showing its output, and return the output.

    If the command fails, raises `UserFacingError` with a message that starts with `failure`, such as "Cannot install
    the Python packages".
    """
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=dict(environment) if environment is not None else tool_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise UserFacingError(f"{failure}: cannot start {command[0]} ({error.strerror}).") from error
    if done.returncode != 0:
        raise UserFacingError(describe_failure(failure, done.stdout))
    return done.stdout


def describe_failure(failure: str, output: str) -> str:
    """Return an error message for a failed command, with the last lines of its output above it."""
    tail = "\n".join(f"  | {line}" for line in output.strip().splitlines()[-MAX_TAIL_LINES:])
    if NETWORK_ERROR.search(output):
        reason = "the package registry does not answer. Check the network and the proxy, and run this command again."
    else:
        reason = "see the lines above for the reason."
    return f"{tail}\n{failure}: {reason}"
