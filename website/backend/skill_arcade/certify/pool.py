"""Re-runs in processes of their own: a crash of an environment is a finding, not an end."""

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
    """Processes that run episodes again. They start with the first episode and stay, ready for more, until `close`."""

    def __init__(self, settings: Settings, n: int, *, idle: bool = False) -> None:
        """`n` at once; `idle`: only while no other process wants the processor."""
        self._settings, self._n, self._idle = settings, n, idle
        self._pool: ProcessPoolExecutor | None = None

    def verify(self, episodes: Iterable[UUID]) -> Iterator[tuple[UUID, Verdict]]:
        """Run episodes again, in the order in which they are done.

        An episode whose re-run kills its process is tried once more, alone, and then called irreproducible.
        """
        suspects: list[UUID] = []
        waiting: dict[Future[Verdict], UUID] = {}
        todo = iter(episodes)
        while True:
            for episode in todo:
                waiting[self._submit(episode)] = episode
                if len(waiting) >= 2 * self._n:
                    break
            if not waiting:
                break
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            broken = False
            for future in done:
                episode = waiting.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    suspects.append(episode)
                    broken = True
                else:
                    yield episode, future.result()
            if broken:
                suspects += [*waiting.values(), *todo]
                self.close()
                break
        for episode in suspects:
            yield episode, verify_alone(self._settings, episode, idle=self._idle)

    def close(self) -> None:
        """End the processes; the next episode starts new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _submit(self, episode: UUID) -> Future[Verdict]:
        if self._pool is None:
            self._pool = _open_pool(self._settings, self._n, idle=self._idle)
        try:
            return self._pool.submit(_verify, episode)
        except BrokenProcessPool:  # it died while it had nothing to do
            self._pool = _open_pool(self._settings, self._n, idle=self._idle)
            return self._pool.submit(_verify, episode)


def verify_episodes(settings: Settings, episodes: Iterable[UUID], *, workers: int) -> Iterator[tuple[UUID, Verdict]]:
    """Run episodes again, `workers` at once, as `Workers.verify` does."""
    with closing(Workers(settings, workers)) as opened:
        yield from opened.verify(episodes)


def verify_alone(settings: Settings, episode: UUID, *, idle: bool = False) -> Verdict:
    """Run one episode again in a process of its own."""
    with _open_pool(settings, 1, idle=idle) as pool:
        try:
            return pool.submit(_verify, episode).result()
        except BrokenProcessPool:
            reason = "the process that ran it again died"
            return Verdict(CertificateResult.irreproducible, None, reason, 0, 0.0, {})


def rerun_alone(settings: Settings, episode: UUID) -> tuple[UUID, Verdict]:
    """Run one episode again in this process, with nothing open before and nothing left open."""
    with open_dataset(settings=settings) as dataset:
        return episode, rerun_episode(dataset.episode(episode))


def _open_pool(settings: Settings, workers: int, *, idle: bool) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(settings, idle))


def _begin(settings: Settings, idle: bool) -> None:
    global _settings  # noqa: PLW0603 what a worker process is told once, for all its episodes
    threading.Thread(target=_exit_when_parent_dies, name="end-with-parent", daemon=True).start()
    if idle:
        lower_priority()
    _settings = settings


def _exit_when_parent_dies() -> None:
    """A pool's worker does not notice by itself that its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)


def _verify(episode: UUID) -> Verdict:
    assert _settings is not None
    try:
        # A connection for each episode: the worker may outlive the database's last restart.
        return rerun_alone(_settings, episode)[1]
    except NotFound as gone:
        # Its player erased it while it waited here.
        return Verdict(CertificateResult.damaged, None, str(gone), 0, 0.0, {})


def lower_priority() -> None:
    """Run only while no other process wants the processor."""
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
