"""Calls an environment's code, and turns whatever it raises into one kind of error.

Environments are other people's code. An exception of theirs must not look like one of this package: an `OSError` is no
full disk, and a `SystemExit` must not end the process of the game without a reason.
"""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from skill_arcade.errors import ArcadeError, EnvironmentFailed

MAX_ERROR_CHARACTERS = 500
"""Longest text of an environment's exception that is recorded and shown."""


@contextmanager
def environment_call(environment_id: str, call: str) -> Iterator[None]:
    """Turn every exception of an environment's code into `EnvironmentFailed`; `call` names what was called.

    A KeyboardInterrupt passes if Ctrl-C can have caused it, that is, in a command and not in a game process.
    """
    try:
        yield
    except ArcadeError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            raise
        described = describe_exception(error)
        raise EnvironmentFailed(f"{environment_id}: {call} raised {described}{_find_hint(described)}") from error


def _find_hint(described: str) -> str:
    """Return what to do about a renderer that cannot start, for the words of MuJoCo 3 and 4, PyOpenGL and GLFW."""
    if re.search(r"OpenGL|GLFW|gladLoadGL|OSMesa|EGL|glGetError", described) is None:
        return ""
    return (
        ". Without a display, MuJoCo needs MUJOCO_GL=egl and the system's library for it (libegl1), "
        "or MUJOCO_GL=osmesa (libosmesa6)"
    )


def describe_exception(error: BaseException) -> str:
    """Return the exception's class and text in one line of at most `MAX_ERROR_CHARACTERS`."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  (an object of an environment)
        text = ""
    line = " ".join(text.split()).encode(errors="backslashreplace").decode().replace("\0", "\\0")
    return f"{type(error).__name__}: {line}"[:MAX_ERROR_CHARACTERS] if line else type(error).__name__
