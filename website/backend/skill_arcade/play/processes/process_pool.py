"""Which game process a game gets: one that hosts others already, or a new one."""

import asyncio
import os
import signal
import socket
from collections import Counter
from contextlib import suppress

from skill_arcade.games.manifest import EnvironmentSpec
from skill_arcade.play.processes.fork_server_client import get_fork_server
from skill_arcade.telemetry import Format

ATARI_ID_PREFIX = "ALE/"
"""Games of which stages can be had from stock, so that nobody waits while one is made; all others are alone."""


class GameProcessHandle:
    """A game process, as the server knows it."""

    def __init__(self, pid: int, control: socket.socket, pool: dict[str, int], *, alone: bool) -> None:
        self.pid = pid
        self.available = Counter(pool)
        self.is_exclusive = alone
        self.n_games = 0
        self._control = control
        self._handle: int | None = None
        if hasattr(os, "pidfd_open"):
            with suppress(ProcessLookupError):
                self._handle = os.pidfd_open(pid)

    def add_game(self, pipe: socket.socket) -> None:
        """Have it host one more game, at the other end of `pipe`. Raises OSError when it is gone."""
        socket.send_fds(self._control, [b"+"], [pipe.fileno()])

    def kill(self) -> None:
        """End it at once, with all that it hosts: their records are finished by delivery."""
        with suppress(ProcessLookupError):
            if self._handle is not None:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            elif not hasattr(os, "pidfd_open"):
                os.kill(self.pid, signal.SIGKILL)

    def close_when_idle(self) -> None:
        """Let it end when its last game does."""
        self._control.close()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


class GameSlot:
    """Room for one game in a process: its stage is set aside until it is left."""

    def __init__(self, process: GameProcessHandle, key: str) -> None:
        self.process, self._key = process, key
        process.n_games += 1
        process.available[key] -= 1

    def release(self) -> None:
        """The game is over; its stage is back in stock."""
        self.process.n_games -= 1
        self.process.available[self._key] += 1


class GameProcessPool:
    """All game processes of this server."""

    def __init__(self, most: int, log_as: tuple[Format, str]) -> None:
        """`most`: games in a process."""
        self._max_games_per_process, self._log_as = most, log_as
        self._processes: list[GameProcessHandle] = []

    async def acquire_slot(self, environment: EnvironmentSpec) -> tuple[GameSlot, socket.socket]:
        """A place for a game, and the server's end of its pipe. Raises OSError when no process can be had."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            while (place := self._find_slot(key := environment.model_dump_json())) is not None:
                try:
                    place.process.add_game(theirs)
                except OSError:
                    self._close_when_idle(place.process)  # it has died, and those whom it hosted are being told
                else:
                    return place, ours
            process = await asyncio.to_thread(self._fork, environment)
            self._processes.append(process)
            process.add_game(theirs)
            return GameSlot(process, key), ours

    def release_slot(self, place: GameSlot) -> None:
        """A game is over, or its process has died."""
        place.release()
        if place.process.n_games == 0:
            self._close_when_idle(place.process)

    def _find_slot(self, key: str) -> GameSlot | None:
        """In a process that has a stage for it, and the most games: what they share is in the caches of fewer."""
        having = [
            one
            for one in self._processes
            if not one.is_exclusive and one.n_games < self._max_games_per_process and one.available[key] > 0
        ]
        return GameSlot(max(having, key=lambda one: one.n_games), key) if having else None

    def _fork(self, environment: EnvironmentSpec) -> GameProcessHandle:
        fork_server = get_fork_server()
        ours, theirs = socket.socketpair()
        shared = self._max_games_per_process > 1 and environment.id.startswith(ATARI_ID_PREFIX)
        want = environment.model_dump(mode="json") if shared else None
        with theirs:
            forked = fork_server.fork(theirs, self._log_as, want, self._max_games_per_process)
        return GameProcessHandle(forked.pid, ours, forked.available, alone=not shared)

    def _close_when_idle(self, process: GameProcessHandle) -> None:
        if process in self._processes:
            self._processes.remove(process)
            process.close_when_idle()
