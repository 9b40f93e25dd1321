"""Re-runs episodes in worker processes, so that whatever an environment does becomes a verdict."""

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import UUID

from skill_arcade.certify.jobs import Job, Reply
from skill_arcade.certify.rerun import Verdict
from skill_arcade.child_processes import describe_exit_code, kill_descendants, limit_memory
from skill_arcade.errors import NotReady
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult

MAX_STALL_SECONDS = 60.0
"""Time without a step after which a re-run is ended, if it had the CPU for it or waits for something else."""
MAX_RERUN_CPU_SECONDS = 3600.0
"""CPU time after which a re-run is ended. Ten minutes of Atari take about 3 s."""
MAX_START_SECONDS = 300.0
"""Time that a worker may take to import everything, at idle priority."""
MAX_CLOSE_SECONDS = 10.0
"""Time that closing an environment may take. Its verdict is known by then, and its process is killed."""
POLL_SECONDS = 0.5
HASH_SEEDS = ("1", "2")
"""Hash seeds of the two processes that find out whether an environment is deterministic."""


class WorkerFailed(Exception):
    """A worker process died, or was killed because its job did not end."""


class Worker:
    """One worker process. It starts with the first job, and again after it was killed."""

    def __init__(
        self,
        settings: Settings,
        *,
        idle: bool,
        hash_seed: str = "random",
        max_stall_seconds: float = MAX_STALL_SECONDS,
    ) -> None:
        self._settings, self._idle, self._hash_seed = settings, idle, hash_seed
        self._max_stall_seconds = max_stall_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None

    def run(self, job: Job) -> Any:
        """Run a job and return its result.

        Raises:
            WorkerFailed: the process died or was killed.
            NotReady: the database or the object store does not answer.
        """
        try:
            connection = self._start()
            connection.send(job)
            reply = self._receive(connection)
            self._wait_until_closed(connection)
        except (EOFError, OSError) as error:
            cause = self._describe_end()
            self.close()
            raise WorkerFailed(f"the re-run ended its process ({cause})") from error
        if reply.kind == "unavailable":
            raise NotReady(reply.value)
        return reply.value

    def close(self) -> None:
        """Kill the process. The next job starts a new one."""
        if self._process is not None:
            kill_descendants(self._process.pid)
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _start(self) -> "Connection[Any, Any]":
        if self._connection is not None and self._process is not None and self._process.poll() is None:
            return self._connection
        self.close()
        parent_socket, child_socket = socket.socketpair()
        with child_socket:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "skill_arcade.certify.worker", str(child_socket.fileno())],
                pass_fds=(child_socket.fileno(),),
                stdin=subprocess.PIPE,
                env={**os.environ, "PYTHONHASHSEED": self._hash_seed},
                process_group=0,
            )
        limit_memory(self._settings.certifier_memory_mb, self._process.pid)
        self._connection = Connection(parent_socket.detach())
        self._connection.send((self._settings, self._idle))
        if not self._connection.poll(MAX_START_SECONDS):
            self.close()
            raise WorkerFailed(f"the re-run's process did not start in {MAX_START_SECONDS:.0f} s")
        self._connection.recv()
        return self._connection

    def _receive(self, connection: "Connection[Any, Any]") -> Reply:
        """Return the job's result.

        Raises:
            WorkerFailed: the job does not end; its process was killed.
        """
        assert self._process is not None
        pid = self._process.pid
        stalled_at, cpu_at_stall = time.monotonic(), read_cpu_seconds(pid)[0]
        while True:
            if connection.poll(POLL_SECONDS):
                reply: Reply = connection.recv()
                if reply.kind != "progress":
                    return reply
                stalled_at, cpu_at_stall = time.monotonic(), read_cpu_seconds(pid)[0]
            cpu_seconds, is_runnable = read_cpu_seconds(pid)
            stalled_s, used_s = time.monotonic() - stalled_at, cpu_seconds - cpu_at_stall
            # A re-run at idle priority on a busy machine makes no progress and is not stuck.
            is_stuck = stalled_s >= self._max_stall_seconds and (
                used_s >= self._max_stall_seconds / 2 or not is_runnable
            )
            if is_stuck or cpu_seconds >= MAX_RERUN_CPU_SECONDS:
                self.close()
                limit = f"took no step for {stalled_s:.0f} s" if is_stuck else f"used {cpu_seconds:.0f} s of CPU time"
                raise WorkerFailed(f"the re-run was ended because it {limit}")

    def _wait_until_closed(self, connection: "Connection[Any, Any]") -> None:
        deadline = time.monotonic() + MAX_CLOSE_SECONDS
        with suppress(EOFError, OSError):
            while connection.poll(max(0.0, deadline - time.monotonic())):
                if connection.recv().kind == "idle":
                    return
        self.close()

    def _describe_end(self) -> str:
        assert self._process is not None
        try:
            return describe_exit_code(self._process.wait(5))
        except subprocess.TimeoutExpired:
            return "it closed its connection"


class Workers:
    """A pool of worker processes that certify episodes. The processes are reused until `close`."""

    def __init__(
        self, settings: Settings, n: int, *, idle: bool = False, max_stall_seconds: float = MAX_STALL_SECONDS
    ) -> None:
        """Create a pool of `n` processes. With `idle` they run only while no other process needs the CPU."""
        self._settings, self._n, self._idle, self._max_stall_seconds = settings, n, idle, max_stall_seconds
        self._workers: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._all = [self._make_worker() for _ in range(n)]
        for worker in self._all:
            self._workers.put(worker)
        self._comparers = [self._make_worker(hash_seed) for hash_seed in HASH_SEEDS]
        self._comparing = threading.Lock()

    def verify(self, episodes: Iterable[UUID]) -> Iterator[tuple[UUID, Verdict]]:
        """Certify episodes and yield their verdicts in the order of completion.

        Raises:
            NotReady: the database or the object store does not answer.
        """
        try:
            yield from self._verify_all(iter(episodes))
        finally:
            for worker in self._comparers:  # few batches need them, and each is a whole process
                worker.close()

    def _verify_all(self, remaining: Iterator[UUID]) -> Iterator[tuple[UUID, Verdict]]:
        running: dict[Future[Verdict], UUID] = {}
        with ThreadPoolExecutor(self._n, "certify") as threads:
            try:
                while True:
                    for episode in remaining:
                        running[threads.submit(self.verify_one, episode)] = episode
                        if len(running) >= 2 * self._n:
                            break
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), future.result()
            finally:
                for future in running:
                    future.cancel()

    def verify_one(self, episode: UUID) -> Verdict:
        """Certify one episode. A re-run that ends its process is repeated once, in a new process.

        If the re-run differs from the recording, two other processes find out whether the environment is deterministic.
        """
        worker = self._workers.get()
        try:
            try:
                result = worker.run(Job("rerun", episode))
            except WorkerFailed:
                result = worker.run(Job("rerun", episode))
        except WorkerFailed as failure:
            return Verdict(CertificateResult.irreproducible, None, str(failure), 0, 0.0, {})
        finally:
            self._workers.put(worker)
        verdict: Verdict = result
        if verdict.result is CertificateResult.mismatch and (reason := self._find_irreproducibility(episode, verdict)):
            return replace(verdict, result=CertificateResult.irreproducible, reason=f"{reason} ({verdict.reason})")
        return verdict

    def close(self) -> None:
        """Kill the processes. The next episode starts new ones."""
        for worker in (*self._all, *self._comparers):
            worker.close()

    def _find_irreproducibility(self, episode: UUID, verdict: Verdict) -> str | None:
        """Return why the environment, not the recording, is to blame for a difference; None if it is not."""
        digests = []
        with self._comparing:
            for worker in self._comparers:
                try:
                    digest = worker.run(Job("digest", episode, verdict.n_steps))
                except WorkerFailed as failure:
                    return str(failure)
                if isinstance(digest, str):
                    return f"a re-run failed: {digest}"
                if isinstance(digest, Verdict):  # the recording cannot be read any more
                    return None
                digests.append(digest)
        if digests[0][0] != digests[1][0]:
            return "the environment is not deterministic: two re-runs with the same actions differ"
        if any(first != second for first, second in digests):
            return "the environment keeps state over a reset: the same episode differs when it is played second"
        return None

    def _make_worker(self, hash_seed: str = "random") -> Worker:
        return Worker(self._settings, idle=self._idle, hash_seed=hash_seed, max_stall_seconds=self._max_stall_seconds)


def verify_episodes(settings: Settings, episodes: Iterable[UUID], *, workers: int) -> Iterator[tuple[UUID, Verdict]]:
    """Certify episodes in `workers` processes and yield their verdicts, as `Workers.verify` does."""
    with closing(Workers(settings, workers)) as workers_pool:
        yield from workers_pool.verify(episodes)


def verify_alone(settings: Settings, episode: UUID, *, idle: bool = False) -> Verdict:
    """Certify one episode in processes of its own."""
    with closing(Workers(settings, 1, idle=idle)) as workers:
        return workers.verify_one(episode)


def rerun_alone(settings: Settings, episode: UUID) -> tuple[UUID, Verdict]:
    """Certify one episode as `verify_alone` does, and return it with its verdict."""
    return episode, verify_alone(settings, episode)


def read_cpu_seconds(pid: int) -> tuple[float, bool]:
    """Return the CPU time that a process has used, and whether it is running or waits for the CPU."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, False
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0] == "R"
