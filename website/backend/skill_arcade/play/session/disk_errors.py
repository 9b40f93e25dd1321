"""Ends a session cleanly when its recording cannot be written (rule R7)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Protocol, cast

Params = ParamSpec("Params")
DISK_FULL_MESSAGE = "The game ended because the recording disk is full. Everything you played is saved."


class Abortable(Protocol):
    """A session that can be ended because its recording cannot continue."""

    def abort(self, error: OSError, now: int) -> None:
        """End the session; everything that was written before `error` is kept."""


def end_session_on_disk_error(method: Callable[Params, None]) -> Callable[Params, None]:
    """Make a method end its session if it raises OSError. The method's last argument must be `now`."""

    @wraps(method)
    def wrapper(*args: Params.args, **kwargs: Params.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except OSError as error:
            positional: tuple[Any, ...] = args
            cast(Abortable, positional[0]).abort(error, positional[-1])

    return wrapper
