"""Environments that play well and are hard to re-run: `tests.support.unrepeatable_env:Unrepeatable/{Kind}-v0`.

The process that records them sets `RECORDER_PID` to its process id; every other process is a re-run.
"""

import os
import socket
import sys
import time
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from skill_arcade.games.manifest import EnvironmentSpec, Manifest
from tests.support.catalogue import load_games

PORT = 29_871
"""Port that the kind `port` listens on, so that only one of its environments can be open."""


class UnrepeatableEnv(gymnasium.Env[Any, Any]):
    """An environment whose re-run differs, fails or does not end, by its kind."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  (declared like this in Gymnasium)

    def __init__(self, kind: str, render_mode: str | None = None) -> None:
        self.kind, self.render_mode, self.n, self.n_resets = kind, render_mode, 0, 0
        self.action_space = spaces.Discrete(3)
        self.observation_space = spaces.Box(0, 1000, (), np.int64)
        self._is_rerun = os.environ.get("RECORDER_PID") != str(os.getpid())
        self._listener = socket.create_server(("127.0.0.1", PORT)) if kind == "port" else None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.n, self.n_resets = 0, self.n_resets + 1
        return np.int64(0), {}

    def step(self, action: int) -> Any:
        self.n += 1
        if self._is_rerun and self.n == 3:
            match self.kind:
                case "raises":
                    raise RuntimeError("the level server is gone")
                case "greedy":
                    bytearray(1 << 30)
                case "exits":
                    os._exit(9)
                case "system-exit":
                    sys.exit("bye")
                case "hangs":
                    time.sleep(600)
                case "spins":
                    while True:
                        pass
        reward = {
            "state": float(self.n_resets),
            "hash": float(hash("skill") % 100_003),
            "pid": float(os.getpid()),
        }.get(self.kind, 1.0)
        return np.int64(self.n), reward, self.n >= 8, False, {}

    def render(self) -> Any:
        return np.full((20, 30, 3), 10 * self.n, np.uint8)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        if self.kind == "close-raises":
            raise RuntimeError("already closed")
        if self.kind == "close-hangs" and self._is_rerun:
            time.sleep(600)


KINDS = [
    "port",
    "state",
    "hash",
    "pid",
    "raises",
    "exits",
    "system-exit",
    "hangs",
    "spins",
    "greedy",
    "close-raises",
    "close-hangs",
]


def unrepeatable_game(kind: str) -> Manifest:
    """Return a turn-based game of an unrepeatable environment."""
    environment = EnvironmentSpec(id=f"{__name__}:Unrepeatable/{kind.title().replace('-', '')}-v0")
    return load_games()["tower-of-hanoi"].model_copy(
        update={"id": f"unrepeatable-{kind}", "environment": environment, "won": None, "options": {}}
    )


for _kind in KINDS:
    _id = f"Unrepeatable/{_kind.title().replace('-', '')}-v0"
    if _id not in gymnasium.registry:
        gymnasium.register(_id, entry_point=f"{__name__}:UnrepeatableEnv", kwargs={"kind": _kind})
