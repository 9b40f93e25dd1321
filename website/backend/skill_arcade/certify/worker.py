"""A worker process of the certifier: it re-runs episodes, one after the other, and sends the results.

`python -m skill_arcade.certify.worker {file descriptor}`. It is a new interpreter with a hash seed of its own, so that
it shares nothing with the process that recorded the episode.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy.exc import DBAPIError

from skill_arcade.certify.jobs import Job, Reply
from skill_arcade.certify.rerun import Verdict, digest_runs, rerun_episode
from skill_arcade.child_processes import become_subreaper, kill_descendants
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.environments.environment_calls import describe_exception
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.errors import EnvironmentFailed, NotFound, NotReady, UnsupportedEnvironment
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.telemetry import name_process

PROGRESS_SECONDS = 1.0
"""Interval of the signs of life during a re-run."""


def main() -> None:
    """Run jobs until the parent closes the connection."""
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches the parent, which ends this process
    threading.Thread(target=_exit_with_parent, name="exit-with-parent", daemon=True).start()
    name_process("certify-worker")
    become_subreaper()
    settings, is_idle = connection.recv()
    if is_idle:
        lower_priority()
    connection.send(Reply("idle"))
    while True:
        try:
            job = connection.recv()
        except (EOFError, ConnectionError):
            os._exit(0)
        opened: list[PlayableEnv] = []
        connection.send(run_job(settings, job, opened, _Progress(connection)))
        for env in opened:
            with suppress(EnvironmentFailed):
                env.close()
        kill_descendants(os.getpid())
        connection.send(Reply("idle"))


def run_job(settings: Settings, job: Job, opened: list[PlayableEnv], on_step: "_Progress") -> Reply:
    """Run one job; whatever fails becomes a reply. `opened` gets the environments that are to be closed."""
    try:
        # A new connection for each episode, because the database may have restarted since the previous one.
        with open_dataset(settings=settings) as dataset:
            episode = dataset.episode(job.episode)
            if job.kind == "digest":
                return Reply("result", digest_runs(episode, job.n_actions, opened, on_step))
            return Reply("result", rerun_episode(episode, opened, on_step))
    except (NotReady, DBAPIError) as error:
        return Reply("unavailable", str(error))
    except NotFound as error:  # the player erased the episode while it was queued
        return Reply("result", Verdict(CertificateResult.damaged, None, str(error), 0, 0.0, {}))
    except (EnvironmentFailed, UnsupportedEnvironment) as error:
        return Reply("result", str(error))
    except BaseException as error:  # noqa: BLE001  (one bad episode must not stop the others)
        reason = f"the episode cannot be re-run: {describe_exception(error)}"
        return Reply("result", Verdict(CertificateResult.damaged, None, reason, 0, 0.0, {}))


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


def _exit_with_parent() -> None:
    """Exit, and end what environments have started, when the parent's end of standard input is closed."""
    while os.read(0, 4096):
        pass
    kill_descendants(os.getpid())
    os._exit(0)


if __name__ == "__main__":
    main()
