"""How a session ends when its disk refuses."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, Protocol, cast

Given = ParamSpec("Given")
DISK_FULL_MESSAGE = "Recording has no room, so the game ends here. What you played is kept."


class Abortable(Protocol):
    """What can be ended because its record can't go on."""

    def abort(self, refusal: OSError, now: int) -> None:
        """End, with all that the disk took."""


def end_session_on_disk_error(act: Callable[Given, None]) -> Callable[Given, None]:
    """Whatever the disk refuses while this method runs ends the game, cleanly (rule R7). Its last argument is `now`."""

    @wraps(act)
    def careful(*given: Given.args, **named: Given.kwargs) -> None:
        try:
            act(*given, **named)
        except OSError as refusal:
            every: tuple[Any, ...] = given
            cast(Abortable, every[0]).abort(refusal, every[-1])

    return careful
