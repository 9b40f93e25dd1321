"""Re-runs episodes in worker processes, so that a crash of an environment becomes a verdict."""

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from uuid import UUID

from skill_arcade.certify.rerun import Verdict, rerun_episode
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.errors import NotFound
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult

_settings: Settings | None = None


class Workers:
    """A pool of worker processes that re-run episodes.

    The processes start with the first episode and are reused until `close`.
    """

    def __init__(self, settings: Settings, n: int, *, idle: bool = False) -> None:
        """Create a pool of `n` processes. With `idle` they run only while no other process needs the CPU."""
        self._settings, self._n, self._idle = settings, n, idle
        self._pool: ProcessPoolExecutor | None = None

    def verify(self, episodes: Iterable[UUID]) -> Iterator[tuple[UUID, Verdict]]:
        """Re-run episodes and yield their verdicts in the order of completion.

        If a re-run kills its process, the episode is retried once, alone. If that fails too, it is irreproducible.
        """
        suspects: list[UUID] = []
        running: dict[Future[Verdict], UUID] = {}
        remaining = iter(episodes)
        while True:
            for episode in remaining:
                running[self._submit(episode)] = episode
                if len(running) >= 2 * self._n:
                    break
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            broken = False
            for future in done:
                episode = running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    suspects.append(episode)
                    broken = True
                else:
                    yield episode, future.result()
            if broken:
                suspects += [*running.values(), *remaining]
                self.close()
                break
        for episode in suspects:
            yield episode, verify_alone(self._settings, episode, idle=self._idle)

    def close(self) -> None:
        """Stop the processes. The next episode starts new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _submit(self, episode: UUID) -> Future[Verdict]:
        if self._pool is None:
            self._pool = _open_pool(self._settings, self._n, idle=self._idle)
        try:
            return self._pool.submit(_verify, episode)
        except BrokenProcessPool:  # the pool died while it was idle
            self._pool = _open_pool(self._settings, self._n, idle=self._idle)
            return self._pool.submit(_verify, episode)


def verify_episodes(settings: Settings, episodes: Iterable[UUID], *, workers: int) -> Iterator[tuple[UUID, Verdict]]:
    """Re-run episodes in `workers` processes and yield their verdicts, as `Workers.verify` does."""
    with closing(Workers(settings, workers)) as workers_pool:
        yield from workers_pool.verify(episodes)


def verify_alone(settings: Settings, episode: UUID, *, idle: bool = False) -> Verdict:
    """Re-run one episode in a process of its own."""
    with _open_pool(settings, 1, idle=idle) as pool:
        try:
            return pool.submit(_verify, episode).result()
        except BrokenProcessPool:
            reason = "the re-run crashed its process"
            return Verdict(CertificateResult.irreproducible, None, reason, 0, 0.0, {})


def rerun_alone(settings: Settings, episode: UUID) -> tuple[UUID, Verdict]:
    """Re-run one episode in this process. The dataset is opened and closed by this call."""
    with open_dataset(settings=settings) as dataset:
        return episode, rerun_episode(dataset.episode(episode))


def _open_pool(settings: Settings, workers: int, *, idle: bool) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_initialise_worker, initargs=(settings, idle))


def _initialise_worker(settings: Settings, idle: bool) -> None:
    global _settings  # noqa: PLW0603  (set once per worker process)
    threading.Thread(target=_exit_when_parent_dies, name="end-with-parent", daemon=True).start()
    if idle:
        lower_priority()
    _settings = settings


def _exit_when_parent_dies() -> None:
    """Exit when the parent process dies, which a pool's worker does not detect by itself."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)


def _verify(episode: UUID) -> Verdict:
    assert _settings is not None
    try:
        # A new connection for each episode, because the database may have restarted since the previous one.
        return rerun_alone(_settings, episode)[1]
    except NotFound as error:
        # The player erased the episode while it was queued.
        return Verdict(CertificateResult.damaged, None, str(error), 0, 0.0, {})


def lower_priority() -> None:
    """Use the lowest CPU priority: run only while no other process needs the CPU."""
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
