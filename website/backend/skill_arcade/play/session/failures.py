"""Ends a session cleanly when its environment fails, or when its recording cannot be written (rules R7, R16)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Protocol, cast

from skill_arcade.errors import ArcadeError, EnvironmentFailed

Params = ParamSpec("Params")
DISK_FULL_MESSAGE = "The game ended because the recording disk is full. Everything you played is saved."
CRASH_MESSAGE = "The game crashed: {}. Everything you played is saved."
MAX_CAUSE_CHARACTERS = 60
"""Part of an error's text that fits a close reason, which has at most 123 bytes."""


class Abortable(Protocol):
    """A session that can be ended because its recording or its environment cannot continue."""

    def abort(self, error: OSError, now: int) -> None:
        """End the session after a write error; everything that was written before is kept."""

    def crash(self, error: EnvironmentFailed, now: int) -> None:
        """End the session after a failure of its environment; everything that was played before is kept."""


def end_session_on_failure(method: Callable[Params, None]) -> Callable[Params, None]:
    """Make a method end its session if the disk or the environment fails. The method's last argument must be `now`."""

    @wraps(method)
    def wrapper(*args: Params.args, **kwargs: Params.kwargs) -> None:
        positional: tuple[Any, ...] = args
        try:
            method(*args, **kwargs)
        except OSError as error:
            cast(Abortable, positional[0]).abort(error, positional[-1])
        except EnvironmentFailed as error:
            cast(Abortable, positional[0]).crash(error, positional[-1])

    return wrapper


def describe_crash(error: ArcadeError) -> str:
    """Return the sentence for the player. The environment's id, which begins the error's text, is left out."""
    cause = str(error).split(": ", 1)[-1]
    shortened = cause if len(cause) <= MAX_CAUSE_CHARACTERS else f"{cause[: MAX_CAUSE_CHARACTERS - 3]}..."
    return CRASH_MESSAGE.format(shortened)
