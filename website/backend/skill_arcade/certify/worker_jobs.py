"""The jobs of a worker process of the certifier: it re-runs episodes, one after the other, and sends the results."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy.exc import DBAPIError

from skill_arcade.certify.jobs import Job, Reply
from skill_arcade.certify.rerun import Verdict, digest_runs, rerun_episode
from skill_arcade.child_processes import become_subreaper, kill_descendants
from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.environments.environment_calls import describe_exception
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.errors import EnvironmentFailed, NotFound, NotReady, UnsupportedEnvironment
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.telemetry import name_process

PROGRESS_SECONDS = 1.0
"""Interval of the signs of life during a re-run."""


def serve_jobs(connection: "Connection[Any, Any]") -> None:
    """Run jobs until the parent closes the connection."""
    name_process("certify-worker")
    become_subreaper()
    settings, is_idle = connection.recv()
    if is_idle:
        lower_priority()
    connection.send(Reply("idle"))
    database = KeptDataset(settings)
    while True:
        try:
            job = connection.recv()
        except (EOFError, ConnectionError):
            os._exit(0)
        opened: list[PlayableEnv] = []
        connection.send(run_job(database, job, opened, _Progress(connection)))
        for env in opened:
            with suppress(EnvironmentFailed):
                env.close()
        kill_descendants(os.getpid())
        connection.send(Reply("idle"))


class KeptDataset:
    """A dataset that stays open between jobs: opening Cloud SQL asks its Admin API twice, which has a quota."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._dataset: Dataset | None = None

    @property
    def is_open(self) -> bool:
        """Whether an earlier job has left the dataset open."""
        return self._dataset is not None

    def open(self) -> Dataset:
        """Return the dataset. Raises SettingsError, NotReady."""
        if self._dataset is None:
            self._dataset = open_dataset(settings=self._settings)
        return self._dataset

    def close(self) -> None:
        """Close the dataset. The next job opens it again."""
        dataset, self._dataset = self._dataset, None
        if dataset is not None:
            with suppress(NotReady, DBAPIError, OSError):
                dataset.close()


def run_job(database: KeptDataset, job: Job, opened: list[PlayableEnv], on_step: Callable[[int], None]) -> Reply:
    """Run one job; whatever fails becomes a reply. `opened` gets the environments that are to be closed.

    A failure may be due to the connections that were kept: the database may have restarted, or an environment may have
    closed them. The job is then run again with new ones.
    """
    is_reused = database.is_open
    reply, is_failed = _try_job(database, job, opened, on_step)
    if is_failed:
        database.close()
        if is_reused:
            reply, is_failed = _try_job(database, job, opened, on_step)
    return reply


def _try_job(
    database: KeptDataset, job: Job, opened: list[PlayableEnv], on_step: Callable[[int], None]
) -> tuple[Reply, bool]:
    """Run one job. Return the reply, and whether it failed for a reason that may lie in the connections."""
    try:
        episode = database.open().episode(job.episode)
        if job.kind == "digest":
            return Reply("result", digest_runs(episode, job.n_actions, opened, on_step)), False
        return Reply("result", rerun_episode(episode, opened, on_step)), False
    except (NotReady, DBAPIError) as error:
        return Reply("unavailable", str(error)), True
    except NotFound as error:  # the player erased the episode while it was queued
        return Reply("result", Verdict(CertificateResult.damaged, None, str(error), 0, 0.0, {})), False
    except (EnvironmentFailed, UnsupportedEnvironment) as error:
        return Reply("result", str(error)), False
    except BaseException as error:  # noqa: BLE001  (one bad episode must not stop the others)
        reason = f"the episode cannot be re-run: {describe_exception(error)}"
        return Reply("result", Verdict(CertificateResult.damaged, None, reason, 0, 0.0, {})), True


def lower_priority() -> None:
    """Use the lowest CPU priority: run only while no other process needs the CPU."""
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class _Progress:
    """Sends a sign of life at most once per `PROGRESS_SECONDS`."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        self._connection, self._sent_at = connection, 0.0

    def __call__(self, step: int) -> None:
        now = time.monotonic()
        if now - self._sent_at >= PROGRESS_SECONDS:
            self._sent_at = now
            self._connection.send(Reply("progress", step))
