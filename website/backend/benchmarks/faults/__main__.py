"""Break a running arcade at random moments, and count what is lost: `python -m benchmarks.faults --help`.

Real processes, real players' sockets, a real Postgres. Each run: people play, something breaks, it recovers, and
`skill-arcade check` holds what the players saw against what is stored. The table is what website/docs/faults.md has.
"""

import argparse
import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable

from benchmarks.faults import acts
from benchmarks.faults.outside import clock_jumps, full_disk, held, postgres_away, store_that
from benchmarks.faults.runs import HEAD, Break, Result, play_and_break, running
from tests.support.cloud.storage import Answer


def simple(act: Break) -> Callable[[Result, random.Random, int, float], Awaitable[None]]:
    """Runs of a fault in an arcade with its embedded Postgres and a folder of objects."""

    async def run(result: Result, rng: random.Random, runs: int, seconds: float) -> None:
        async with running() as house:
            await play_and_break(house, act, result, rng, runs)

    return run


FAULTS: dict[str, tuple[str, Callable[[Result, random.Random, int, float], Awaitable[None]]]] = {
    "server": ("kill -9 of the server", simple(acts.kill_server)),
    "game": ("kill -9 of a game", simple(acts.kill_game)),
    "delivery": ("kill -9 of delivery", simple(acts.kill_delivery)),
    "postgres": ("kill -9 of the embedded Postgres", simple(acts.kill_postgres)),
    "tail": ("a torn tail: a game dies in the middle of a write", simple(acts.tear_tail)),
    "bit": ("a flipped bit in a sealed segment", simple(acts.flip_bit)),
    "twice": ("delivered twice, and by two processes at once", simple(acts.deliver_twice)),
    "away": ("Postgres down, and back", postgres_away),
    "store-500": ("object store answers 500", store_that(lambda: Answer(500))),
    "store-slow": ("object store takes 3 s, then hangs up", store_that(lambda: held(3))),
    "store-down": ("object store answers 503 to all", store_that(lambda: Answer(503))),
    "disk": ("the journal's disk is full", full_disk),
    "clock": ("the wall clock jumps by up to a day", clock_jumps),
}


async def run_fault(name: str, seed: int, runs: int, seconds: float) -> Result:
    """Run one fault. Its random moments follow from the seed; what processes make of them does not."""
    title, run = FAULTS[name]
    result = Result(title)
    await run(result, random.Random(f"{seed} {name}"), runs, seconds)
    return result


def main() -> None:
    """Run faults and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, []], help="which; none: all")
    parser.add_argument("--runs", type=int, default=25, help="of each")
    parser.add_argument("--seconds", type=float, default=5, help="how long a database or store is away")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)  # noqa: T201
    results = []
    for name in given.faults or FAULTS:
        results.append(asyncio.run(run_fault(name, seed, given.runs, given.seconds)))
    print("\n".join([HEAD, *(result.line() for result in results)]))  # noqa: T201
    for result in results:
        for word in result.trouble:
            print(f"{result.fault}: {word}")  # noqa: T201
    if any(result.lost or result.doubled or result.trouble for result in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
