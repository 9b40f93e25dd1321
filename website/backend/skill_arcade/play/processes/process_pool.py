"""The pool of game processes: it assigns each game to a process that already runs others, or to a new one."""

import asyncio
import os
import signal
import socket
from collections import Counter
from contextlib import suppress

from skill_arcade.games.manifest import ATARI_ID_PREFIX, EnvironmentSpec
from skill_arcade.play.processes.fork_server_client import get_fork_server
from skill_arcade.telemetry import Format

N_CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class GameProcessHandle:
    """The server's handle of a game process."""

    def __init__(self, pid: int, control: socket.socket, available: dict[str, int], *, is_exclusive: bool) -> None:
        self.pid = pid
        self.available = Counter(available)
        self.is_exclusive = is_exclusive
        self.n_games = self.n_repeating = 0
        """Games, and those of them that repeat the steps of an episode."""
        self._control = control
        self._pidfd: int | None = None
        if hasattr(os, "pidfd_open"):
            with suppress(ProcessLookupError):
                self._pidfd = os.pidfd_open(pid)

    def add_game(self, pipe: socket.socket) -> None:
        """Make the process host one more game at the other end of `pipe`.

        Raises:
            OSError: the process has exited.
        """
        socket.send_fds(self._control, [b"+"], [pipe.fileno()])

    def kill(self) -> None:
        """Kill the process and all games in it. The uploader finishes their recordings."""
        with suppress(ProcessLookupError):
            if self._pidfd is not None:
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            elif not hasattr(os, "pidfd_open"):
                os.kill(self.pid, signal.SIGKILL)

    def abort(self) -> None:
        """Ask the process to write a traceback to the log and to exit (SIGABRT). `kill` ends one that does not."""
        with suppress(ProcessLookupError):
            if self._pidfd is not None:
                signal.pidfd_send_signal(self._pidfd, signal.SIGABRT)

    def close_when_idle(self) -> None:
        """Accept no more games; the process exits when its last game ends."""
        self._control.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


class GameSlot:
    """A place for one game in a process, with an instance of its environment reserved until `release`."""

    def __init__(self, process: GameProcessHandle, key: str, *, is_repeating: bool = False) -> None:
        self.process, self._key, self._is_repeating = process, key, is_repeating
        process.n_games += 1
        process.n_repeating += is_repeating
        process.available[key] -= 1

    def end_repetition(self) -> None:
        """Note that the game has repeated the steps that it had to."""
        self.process.n_repeating -= self._is_repeating
        self._is_repeating = False

    def release(self) -> None:
        """Free the place after the game has ended; its environment is back in the process's pool."""
        self.end_repetition()
        self.process.n_games -= 1
        self.process.available[self._key] += 1


class GameProcessPool:
    """All game processes of this server."""

    def __init__(
        self, max_games_per_process: int, log_options: tuple[Format, str], memory_mb: int | None = None
    ) -> None:
        """Create an empty pool.

        * `log_options`: format and level of the processes' logs.
        * `memory_mb`: memory limit of a process that runs one game of its own.
        """
        self._max_games_per_process, self._log_options = max_games_per_process, log_options
        self._memory_mb = memory_mb
        self._processes: list[GameProcessHandle] = []

    async def acquire_slot(
        self, environment: EnvironmentSpec, *, is_repeating: bool = False
    ) -> tuple[GameSlot, socket.socket]:
        """Reserve a place for a game; return it and the server's end of the game's pipe.

        `is_repeating`: it begins with the repetition of many steps, until `GameSlot.end_repetition`.

        Raises:
            OSError: no process could be started.
        """
        parent_socket, child_socket = socket.socketpair()
        parent_socket.setblocking(False)
        with child_socket:
            key = environment.model_dump_json()
            while (slot := self._find_slot(key, is_repeating=is_repeating)) is not None:
                try:
                    slot.process.add_game(child_socket)
                except OSError:
                    self._close_when_idle(slot.process)  # it has died; `connection_lost` informs its players
                else:
                    return slot, parent_socket
            process = await asyncio.to_thread(self._fork, environment)
            self._processes.append(process)
            process.add_game(child_socket)
            return GameSlot(process, key, is_repeating=is_repeating), parent_socket

    def release_slot(self, slot: GameSlot) -> None:
        """Release the place of a game that has ended or whose process has died."""
        slot.release()
        if slot.process.n_games == 0:
            self._close_when_idle(slot.process)

    def _find_slot(self, key: str, *, is_repeating: bool) -> GameSlot | None:
        """Reserve a place in the fullest process that has an instance of the environment, or return None.

        Fewer and fuller processes make better use of CPU caches. Games that repeat steps are spread over as many
        processes as there are CPUs, because each of them would use one for seconds.
        """
        candidates = [
            process
            for process in self._processes
            if not process.is_exclusive and process.n_games < self._max_games_per_process and process.available[key] > 0
        ]
        if is_repeating and candidates:
            n_repeating = min(process.n_repeating for process in candidates)
            if n_repeating and sum(process.n_repeating > 0 for process in self._processes) < N_CPUS:
                return None
            candidates = [process for process in candidates if process.n_repeating == n_repeating]
        if not candidates:
            return None
        return GameSlot(max(candidates, key=lambda process: process.n_games), key, is_repeating=is_repeating)

    def _fork(self, environment: EnvironmentSpec) -> GameProcessHandle:
        fork_server = get_fork_server()
        parent_socket, child_socket = socket.socketpair()
        # Atari environments are preloaded in the fork server, so they can share a process without delaying each other.
        is_shared = self._max_games_per_process > 1 and environment.id.startswith(ATARI_ID_PREFIX)
        preload = environment.model_dump(mode="json") if is_shared else None
        with child_socket:
            spawned = fork_server.fork(
                child_socket,
                self._log_options,
                preload,
                self._max_games_per_process,
                None if is_shared else self._memory_mb,
            )
        return GameProcessHandle(spawned.pid, parent_socket, spawned.available, is_exclusive=not is_shared)

    def _close_when_idle(self, process: GameProcessHandle) -> None:
        if process in self._processes:
            self._processes.remove(process)
            process.close_when_idle()
