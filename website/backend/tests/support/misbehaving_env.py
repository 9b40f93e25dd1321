"""Environments with bad manners, one for each kind: `tests.support.misbehaving_env:Misbehaving/{Kind}-v0`.

Each plays normally for three steps, and misbehaves in the fourth, unless its kind says otherwise.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

BAD_STEP = 4
CHILD_MARK = "misbehaving-child"
HELD: list[Any] = []


def _start_detached_child() -> None:
    """Start a process that leaves its process group, and say in its command line who it is."""
    code = f"import os, time; os.setsid(); time.sleep(600)  # {CHILD_MARK}"
    subprocess.Popen([sys.executable, "-c", code])


def _terminate_child() -> None:
    """Start a process and terminate it, which needs the default handler of SIGTERM."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    time.sleep(0.3)
    child.terminate()
    child.wait(5)


def _allocate() -> None:
    while True:
        HELD.append(np.empty(1 << 26, np.uint8))  # the limit counts memory that is not touched, too


def _die_of_alarm() -> None:
    signal.alarm(1)
    time.sleep(3)


def _spin() -> None:
    while True:  # without memory, whose limit a fast machine would reach before the timeout
        pass


def _raise(error: BaseException) -> None:
    raise error


ENDING_ACTS = {
    "raise": lambda: _raise(ValueError("no such level")),
    "os-error": lambda: _raise(OSError(28, "No space left on device")),
    "interrupt": lambda: _raise(KeyboardInterrupt()),
    "sys-exit": lambda: sys.exit(3),
    "memory": _allocate,
}
"""Acts after which the session itself can end the episode."""
DEADLY_ACTS = {
    "exit": lambda: os._exit(7),
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(0),
    "alarm": _die_of_alarm,
    "hang": lambda: time.sleep(600),
    "spin": _spin,
}
"""Acts after which the process is dead or has to be killed."""
RUDE_ACTS = {
    "print": lambda: [sys.stdout.write("x" * 200) for _ in range(2000)],
    "warn": lambda: [warnings.warn(f"warning {number}", stacklevel=1) for number in range(2000)],
    "chdir": lambda: os.chdir("/"),
    "thread": lambda: threading.Thread(target=time.sleep, args=(600,)).start(),
    "child": _start_detached_child,
    "terminate": _terminate_child,
    "port": lambda: HELD.append(socket.create_server(("127.0.0.1", 0))),
    "handlers": lambda: [signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGABRT)],
    "environ": os.environ.clear,
    "umask": lambda: os.umask(0o777),
}
"""Acts after which the game goes on."""


class MisbehavingEnv(gymnasium.Env[Any, Any]):
    """An environment that plays to step 10 and misbehaves in step `BAD_STEP`, or in the method of its kind."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  (declared like this in Gymnasium)

    def __init__(self, kind: str, render_mode: str | None = None) -> None:
        if kind == "make":
            raise RuntimeError("gladLoadGL error")  # what MuJoCo 3 says without a display
        self.kind, self.render_mode, self.n = kind, render_mode, 0
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Box(0, 1000, (), np.int64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        if self.kind == "reset":
            raise RuntimeError("no level")
        self.n = 0
        return np.int64(0), {}

    def step(self, action: int) -> Any:
        self.n += 1
        if self.n == BAD_STEP:
            act: Callable[[], object] | None = {**ENDING_ACTS, **DEADLY_ACTS, **RUDE_ACTS}.get(self.kind)
            if act is not None:
                act()
        return np.int64(self.n), float(action), self.n >= 10, False, {"folder": str(Path.cwd())}

    def render(self) -> Any:
        if self.kind == "render":  # what MuJoCo 4 says without a display
            raise RuntimeError("an OpenGL platform library has not been loaded into this process")
        picture = np.zeros((40, 60, 3), np.uint8)
        picture[:, : 5 * self.n + 1] = (200, 60, 40)
        return picture

    def close(self) -> None:
        if self.kind == "close-raises":
            raise RuntimeError("already closed")
        if self.kind == "close-hangs":
            time.sleep(600)


KINDS = [*ENDING_ACTS, *DEADLY_ACTS, *RUDE_ACTS, "make", "reset", "render", "close-raises", "close-hangs", "none"]
MANIFEST = """
name: "Misbehaving {kind}"
summary: A test.
environment: {{id: "{id}"}}
pace: {{kind: turn-based}}
controls:
  - {{name: go, label: Go, keys: [ArrowRight]}}
actions:
  - {{press: [go], action: 1}}
show: {{lives: null}}
"""


def env_id(kind: str) -> str:
    """Return the Gymnasium id of a kind, with the module that registers it."""
    return f"{__name__}:Misbehaving/{''.join(word.capitalize() for word in kind.split('-'))}-v0"


def write_manifests(folder: Path) -> None:
    """Write a manifest of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (folder / f"bad-{kind}.yaml").write_text(MANIFEST.format(kind=kind, id=env_id(kind)))


for _kind in KINDS:
    if (_id := env_id(_kind).rpartition(":")[2]) not in gymnasium.registry:
        gymnasium.register(_id, entry_point=f"{__name__}:MisbehavingEnv", kwargs={"kind": _kind})
