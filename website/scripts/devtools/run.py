"""Runs other programs and turns their failures into sentences."""

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


def tool_environment() -> dict[str, str]:
    """Environment for uv and npm: ours, with the system's certificates where nothing else was chosen.

    They carry lists of authorities of their own, so behind a company's proxy they fail where pip works.
    """
    environment = dict(os.environ)
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
    """Run `command` quietly and return what it printed.

    `failure` opens the sentence of the `UserFacingError` raised otherwise ("Python packages could not be installed").
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
        raise UserFacingError(f"{failure}: {command[0]} does not start ({error.strerror}).") from error
    if done.returncode != 0:
        raise UserFacingError(describe_failure(failure, done.stdout))
    return done.stdout


def describe_failure(failure: str, output: str) -> str:
    """A sentence for a failed command, below the last lines that it printed."""
    tail = "\n".join(f"  | {line}" for line in output.strip().splitlines()[-MAX_TAIL_LINES:])
    if NETWORK_ERROR.search(output):
        reason = "the package registry does not answer; check network and proxy, then run this again."
    else:
        reason = "the lines above print_line why."
    return f"{tail}\n{failure}: {reason}"
