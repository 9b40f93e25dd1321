"""Cause faults in a running arcade at random times, and count lost steps: `python -m benchmarks.faults --help`.

In each run, players play over real sockets, a fault happens, and the arcade recovers. `skill-arcade check` then
compares the frames that the players saw with the recordings. website/docs/faults.md contains the table.
"""

import argparse
import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable

from tests.support.cloud.storage import Answer
from tests.support.faults import acts
from tests.support.faults.outside import delay_then_disconnect, failing_storage, fill_disk, jump_clock, stop_postgres
from tests.support.faults.runs import TABLE_HEADER, Fault, Result, play_and_break, running_server

Runs = Callable[[Result, random.Random, int, float], Awaitable[None]]


def repeat(fault: Fault) -> Runs:
    """Return runs of a fault in an arcade with its embedded Postgres and a folder of objects."""

    async def run(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
        async with running_server() as server:
            await play_and_break(server, fault, result, rng, runs)

    return run


FAULTS: dict[str, tuple[str, Runs]] = {
    "server": ("kill -9 of the server", repeat(acts.kill_server)),
    "game": ("kill -9 of a game", repeat(acts.kill_game)),
    "uploader": ("kill -9 of the uploader", repeat(acts.kill_uploader)),
    "postgres": ("kill -9 of the embedded Postgres", repeat(acts.kill_postgres)),
    "tail": ("a torn tail: a game dies in the middle of a write", repeat(acts.tear_tail)),
    "bit": ("a flipped bit in a sealed segment", repeat(acts.flip_bit)),
    "twice": ("uploaded twice, and by two uploaders at once", repeat(acts.upload_twice)),
    "away": ("Postgres stops for a while", stop_postgres),
    "store-500": ("object store answers 500", failing_storage(lambda: Answer(500))),
    "store-slow": ("object store takes 3 s, then hangs up", failing_storage(lambda: delay_then_disconnect(3))),
    "store-down": ("object store answers 503 to all", failing_storage(lambda: Answer(503))),
    "disk": ("the journal's disk is full", fill_disk),
    "clock": ("the wall clock jumps by up to a day", jump_clock),
}


async def run_fault(name: str, seed: int, runs: int, seconds: float) -> Result:
    """Run one fault. The seed determines its random times, but not how the processes interleave."""
    title, run = FAULTS[name]
    result = Result(title)
    await run(result, random.Random(f"{seed} {name}"), runs, seconds)
    return result


def main() -> None:
    """Run faults and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []], help="faults to run (default: all)")
    parser.add_argument("--runs", type=int, default=25, help="runs of each fault")
    parser.add_argument(
        "--seconds", type=float, default=5, help="seconds for which the database or the object store fails"
    )
    parser.add_argument("--seed", type=int, default=None)
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    print(f"seed {seed}", flush=True)  # noqa: T201
    results = []
    for name in arguments.faults or FAULTS:
        results.append(asyncio.run(run_fault(name, seed, arguments.runs, arguments.seconds)))
    print("\n".join([TABLE_HEADER, *(result.table_row() for result in results)]))  # noqa: T201
    for result in results:
        for problem in result.problems:
            print(f"{result.fault}: {problem}")  # noqa: T201
    if any(result.lost or result.duplicated or result.problems for result in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
