"""Attack a running arcade: `python -m benchmarks.attacks --help`. Its table is what website/docs/attacks.md has.

Three people play Breakout all the while, and every frame of theirs is timed before and during each attack.
"""

import argparse
import asyncio
import multiprocessing
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from benchmarks.attacks import sockets, web
from benchmarks.attacks.people import Bystanders, bystanders, spread
from tests.arcade import sign_in
from tests.conftest import temporary_home
from tests.faulty import House

Attack = Callable[[], Awaitable[Counter[int]]]
HEAD = (
    "| attack | cases | close codes, statuses | crashes | server memory, MB: before, after "
    "| others' frame interval, ms, p50 / p99: before | during |\n|---|---|---|---|---|---|---|"
)


async def measure(name: str, house: House, crowd: Bystanders, attack: Attack, quiet: float) -> str:
    """One row: the others' frames before and during."""
    before, server = time.monotonic(), house.server
    await asyncio.sleep(quiet)
    memory, begun = server.memory_info().rss, time.monotonic()
    codes = await attack()
    ended = time.monotonic()
    log = (house.home / "server.log").read_text(errors="replace")
    crashes = log.count("Traceback") + (not server.is_running())
    told = ", ".join(f"{code}: {number}" for code, number in sorted(codes.items()))
    sizes = f"{memory >> 20}, {server.memory_info().rss >> 20}"
    quietly, loudly = crowd.intervals(before, begun), crowd.intervals(begun, ended)
    return f"| {name} | {sum(codes.values())} | {told} | {crashes} | {sizes} | {spread(quietly)} | {spread(loudly)} |"


async def run(chosen: list[str], cases: int, seconds: float, number: int, quiet: float) -> None:
    """The attacks whose names hold one of these words, in turn, in one arcade; no words: all."""
    with temporary_home() as home:
        house = House(home, {"MAX_GAMES": "60", "RESUME_SECONDS": "2"})
        await asyncio.to_thread(house.start)
        port = house.port
        token = await sign_in(f"http://127.0.0.1:{port}", "schemathesis@example.org")
        attacks: dict[str, tuple[Any, ...]] = {
            "nothing, for comparison": (sockets.nothing, 3 * quiet),
            "fuzzed messages": (sockets.fuzz, port, cases, number),
            "flood of messages": (sockets.flood, port, seconds),
            "flood of the smallest frames": (sockets.tiny_frames, port, seconds),
            "HTTP by Schemathesis": (web.ask_all, f"http://127.0.0.1:{port}", token, max(2, cases // 50), number),
            "huge messages": (sockets.huge, port, max(4, cases // 50)),
            "sockets that read nothing": (sockets.deaf, port, 3, 90.0),
        }
        try:
            async with bystanders(port, 3) as crowd:
                print(HEAD)  # noqa: T201
                for name, (attack, *given) in attacks.items():
                    if chosen and not any(word in name for word in chosen):
                        continue
                    # In a process of its own: it shares the machine with the bystanders, but not their loop.
                    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                        loop = asyncio.get_running_loop()
                        done = partial(loop.run_in_executor, pool, partial(attack, *given))
                        print(await measure(name, house, crowd, done, quiet), flush=True)  # noqa: T201
            print(f"bystanders thrown out: {crowd.breaks}")  # noqa: T201
        finally:
            await asyncio.to_thread(house.stop)


def main() -> None:
    """Run all attacks and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="of the attacks' names; none: all attacks")
    parser.add_argument("--cases", type=int, default=2000, help="sockets of the fuzzer")
    parser.add_argument("--seconds", type=float, default=15, help="of each flood")
    parser.add_argument("--quiet", type=float, default=10, help="seconds before each attack")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    number = secrets.randbelow(10**6) if given.seed is None else given.seed
    print(f"seed {number}", flush=True)  # noqa: T201
    asyncio.run(run(given.words, given.cases, given.seconds, number, given.quiet))


if __name__ == "__main__":
    main()
