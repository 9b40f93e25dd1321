"""Runs the programs that a release needs, and prints every command that changes something."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from release.errors import UserFacingError

MAX_TRIES = 5
Result = TypeVar("Result")


def log_info(line: str) -> None:
    """Print a line to standard error."""
    print(line, file=sys.stderr, flush=True)


def run(command: Sequence[str | Path], *, dry_run: bool, input_text: str | None = None) -> None:
    """Print a command and run it, unless this is a dry run. A secret is passed as `input_text`, not as an argument."""
    line = shlex.join(str(word) for word in command)
    log_info(f"+ {line}")
    if dry_run:
        return
    try:
        subprocess.run(command, input=input_text, text=True, check=True, stdout=sys.stderr)
    except FileNotFoundError:
        raise UserFacingError(f"{command[0]} is not installed. Install it and run this command again") from None
    except subprocess.CalledProcessError as error:
        raise UserFacingError(f"exit code {error.returncode}: {line}") from None


def read(command: Sequence[str | Path]) -> str:
    """Run a command that only reads, and return its output. Raises `UserFacingError` if it fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    except FileNotFoundError:
        raise UserFacingError(f"{command[0]} is not installed. Install it and run this command again") from None
    except subprocess.CalledProcessError as error:
        line = shlex.join(str(word) for word in command)
        raise UserFacingError(f"cannot read, exit code {error.returncode}: {line}") from None
    return done.stdout.strip()


def retry(attempt: Callable[[], Result]) -> Result:
    """Call `attempt` up to 5 times with exponential backoff: changes take seconds to reach all of Google's services."""
    pause = float(os.environ.get("DEPLOY_PAUSE_SECONDS", "2"))
    for number in range(1, MAX_TRIES):
        try:
            return attempt()
        except UserFacingError as error:
            log_info(f"  failed, retrying in {pause:.0f} s (try {number} of {MAX_TRIES}): {error}")
        time.sleep(pause)
        pause *= 2
    return attempt()
