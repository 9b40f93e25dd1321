"""Work on a Ray cluster: the same functions, on as many machines as it has. Needs the extra `ray`."""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from skill_arcade.errors import NotReady, SettingsError

Item = TypeVar("Item")
Result = TypeVar("Result")

LOCAL = "local"
# A task whose machine or process died is begun again so often; the work of this package may be done twice.
MAX_TASK_RETRIES = 4


def run_on_ray(
    address: str, work: Callable[[Item], Result], items: Sequence[Item], *, workers: int
) -> Iterator[Result]:
    """Do `work` on each of the items, `workers` at once, and yield what comes of it, in the order of being done.

    `work` is sent there, by pickle; what it needs is imported there. `address`: of the cluster's head, or `local` for
    one on this machine that ends with this.

    Raises:
        SettingsError: Ray is not installed.
        NotReady: the cluster can't be reached, or `work` died more often than it is tried.
    """
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError:
        raise SettingsError("This needs the package ray: run `uv pip install ray`.") from None
    local = {"num_cpus": workers, "include_dashboard": False}
    try:
        ray.init(
            **(local if address == LOCAL else {"address": address}),
            log_to_driver=False,
            logging_level="error",
            configure_logging=False,
            # Workers read the code that is here, not what they find in their own folder.
            runtime_env={"env_vars": {"PYTHONPATH": ":".join(path for path in sys.path if path)}},
        )
    except ConnectionError as error:
        raise NotReady(f"There is no Ray cluster at {address}: {error}") from error
    try:
        yield from _run(ray, work, items, workers)
    finally:
        ray.shutdown()


def _run(ray: Any, work: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[Result]:
    task = ray.remote(run_task).options(num_cpus=1, max_retries=MAX_TASK_RETRIES)
    todo = iter(items)
    # A few more than run, so that none waits for this process; not all, which may be millions.
    running = [task.remote(work, item) for item, _ in zip(todo, range(2 * workers), strict=False)]
    while running:
        done, running = ray.wait(running, num_returns=1)
        try:
            result = ray.get(done[0])
        except ray.exceptions.WorkerCrashedError as error:
            raise NotReady(f"A piece of the work died {MAX_TASK_RETRIES + 1} times over: {error}") from error
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        yield result
        verifier = next(todo, None)
        if verifier is not None:
            running.append(task.remote(work, verifier))


def run_task(work: Callable[[Item], Result], item: Item) -> Result:
    """A piece of the work, there."""
    return work(item)
