"""Runs tasks in parallel on a Ray cluster, with retries. Needs the extra `ray`."""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from skill_arcade.errors import NotReady, SettingsError

Item = TypeVar("Item")
Result = TypeVar("Result")

LOCAL = "local"
# Retries of a task whose machine or process died. Tasks of this package are idempotent.
MAX_TASK_RETRIES = 4


def run_on_ray(
    address: str, work: Callable[[Item], Result], items: Sequence[Item], *, workers: int
) -> Iterator[Result]:
    """Run `work` on each item, `workers` at a time, and yield the results in the order of completion.

    `work` is sent to the cluster by pickle, and imports what it needs there. `address` is that of the cluster's head,
    or `local` for a cluster on this machine that ends with this call.

    Raises:
        SettingsError: Ray is not installed.
        NotReady: the cluster is unreachable, or a task failed on every retry.
    """
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        raise SettingsError("The package ray is not installed. Run `uv pip install ray`.") from None
    local = {"num_cpus": workers, "include_dashboard": False}
    try:
        ray.init(
            **(local if address == LOCAL else {"address": address}),
            log_to_driver=False,
            logging_level="error",
            configure_logging=False,
            # Workers import the code from here, not from their own working directory.
            runtime_env={"env_vars": {"PYTHONPATH": ":".join(path for path in sys.path if path)}},
        )
    except ConnectionError as error:
        raise NotReady(f"Cannot connect to a Ray cluster at {address}: {error}") from error
    try:
        yield from _run(ray, work, items, workers)
    finally:
        ray.shutdown()


def _run(ray: Any, work: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    task = ray.remote(run_task).options(num_cpus=1, max_retries=MAX_TASK_RETRIES)
    remaining = iter(items)
    # Submit a few more tasks than run at once, so that no worker waits for this process, but not all of them: there may
    # be millions.
    running = [task.remote(work, item) for item, _ in zip(remaining, range(2 * workers), strict=False)]
    while running:
        done, running = ray.wait(running, num_returns=1)
        try:
            result = ray.get(done[0])
        except ray.exceptions.WorkerCrashedError as error:
            raise NotReady(f"A task failed {MAX_TASK_RETRIES} retries because its worker died: {error}") from error
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        yield result
        next_item = next(remaining, None)
        if next_item is not None:
            running.append(task.remote(work, next_item))


def run_task(work: Callable[[Item], Result], item: Item) -> Result:
    """Run a task on a worker."""
    return work(item)
