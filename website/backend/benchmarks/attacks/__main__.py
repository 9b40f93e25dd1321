"""Attack a running arcade: `python -m benchmarks.attacks --help`. Its table is what website/docs/attacks.md has.

Three people play Breakout all the while, and every frame of theirs is timed before and during each attack. A second
table says what their frames waited for: a step that came late, or the way through the server.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import secrets
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from benchmarks.attacks import sockets, web
from benchmarks.attacks.people import bystanders
from benchmarks.attacks.scene import HEAD, WHY_HEAD, Scene
from benchmarks.attacks.shares import stand_aside
from tests.conftest import temporary_home
from tests.support.arcade import sign_in
from tests.support.server import ServerUnderTest


async def run(chosen: list[str], cases: int, seconds: float, number: int, quiet: float, *, apart: bool) -> None:
    """The attacks whose names hold one of these words, in turn, in one arcade; no words: all."""
    if apart:  # what is started from here on inherits it; the attackers leave again
        stand_aside(0)
    with temporary_home() as home:
        house = ServerUnderTest(home, {"MAX_GAMES": "60", "RESUME_SECONDS": "2"})
        await asyncio.to_thread(house.start)
        port = house.port
        token = await sign_in(f"http://127.0.0.1:{port}", "schemathesis@example.org")
        attacks: dict[str, tuple[Any, ...]] = {
            "nothing, for comparison": (sockets.nothing, 3 * quiet),
            "fuzzed messages": (sockets.fuzz, port, cases, number),
            "flood of messages": (sockets.flood, port, seconds),
            "flood of the smallest frames": (sockets.tiny_frames, port, seconds),
            "the same from one address": (partial(sockets.tiny_frames, spread=False), port, seconds),
            "flood of requests from one address": (sockets.requests, port, seconds),
            "HTTP by Schemathesis": (web.ask_all, f"http://127.0.0.1:{port}", token, max(2, cases // 50), number),
            "huge messages": (sockets.huge, port, max(4, cases // 50)),
            "sockets that read nothing": (sockets.deaf, port, 3, 90.0),
        }
        try:
            gc.disable()  # to look for garbage takes this process a tenth of a second, and would pass for the server's
            async with bystanders(port, 3) as crowd:
                scene = Scene(house, crowd, quiet)
                print(HEAD)  # noqa: T201
                for name, (attack, *given) in attacks.items():
                    if chosen and not any(word in name for word in chosen):
                        continue
                    # In a process of its own: it shares the machine with the bystanders, but not their loop.
                    with open_pool(apart=apart) as pool:
                        loop = asyncio.get_running_loop()
                        attacker = await loop.run_in_executor(pool, os.getpid)
                        done = partial(loop.run_in_executor, pool, partial(attack, *given))
                        print(await scene.measure(name, done, attacker), flush=True)  # noqa: T201
            print("\n".join(["", WHY_HEAD, *scene.why]))  # noqa: T201
            print(f"bystanders thrown out: {crowd.breaks}")  # noqa: T201
        finally:
            await asyncio.to_thread(house.stop)


def open_pool(*, apart: bool) -> ProcessPoolExecutor:
    """One process for the attacker; `apart`: on the second core, which the others don't use."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, context, stand_aside, (1,)) if apart else ProcessPoolExecutor(1, context)


def main() -> None:
    """Run all attacks and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="of the attacks' names; none: all attacks")
    parser.add_argument("--cases", type=int, default=2000, help="sockets of the fuzzer")
    parser.add_argument("--seconds", type=float, default=15, help="of each flood")
    parser.add_argument("--quiet", type=float, default=10, help="seconds before each attack")
    parser.add_argument("--apart", action="store_true", help="the arcade on the first core, attackers on the second")
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    number = secrets.randbelow(10**6) if given.seed is None else given.seed
    print(f"seed {number}", flush=True)  # noqa: T201
    asyncio.run(run(given.words, given.cases, given.seconds, number, given.quiet, apart=given.apart))


if __name__ == "__main__":
    main()
