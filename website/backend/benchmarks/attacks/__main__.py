"""Attack a running arcade: `python -m benchmarks.attacks --help`. website/docs/attacks.md contains its tables.

Three bystanders play Breakout, and their frames are timed before and during each attack. The second table shows
whether frames were late because of a late step or because of a delay in the server.
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

from tests.support.arcade import sign_in
from tests.support.attacks import http_requests, sockets
from tests.support.attacks.bystanders import run_bystanders
from tests.support.attacks.core_usage import pin_to_core
from tests.support.attacks.scene import CPU_TABLE_HEADER, TABLE_HEADER, Scene
from tests.support.database import temporary_home
from tests.support.server import ServerUnderTest


async def run(
    words: list[str], cases: int, seconds: float, seed: int, quiet_seconds: float, *, separate_cores: bool
) -> None:
    """Run the attacks whose names contain one of these words, or all if there are none, in one arcade."""
    if separate_cores:  # processes started from now on inherit it; attackers move to the second core
        pin_to_core(0)
    with temporary_home() as home:
        server = ServerUnderTest(home, {"MAX_GAMES": "60", "RESUME_SECONDS": "2", "MAX_ADDRESS_PERCENT": "50"})
        await asyncio.to_thread(server.start)
        port = server.port
        token = await sign_in(f"http://127.0.0.1:{port}", "schemathesis@example.org")
        attacks: dict[str, tuple[Any, ...]] = {
            "nothing, for comparison": (sockets.idle, 3 * quiet_seconds),
            "fuzzed messages": (sockets.fuzz, port, cases, seed),
            "flood of messages": (sockets.flood, port, seconds),
            "flood of the smallest frames": (sockets.tiny_frames, port, seconds),
            "the same from one address": (partial(sockets.tiny_frames, many_addresses=False), port, seconds),
            "flood of requests from one address": (sockets.flood_requests, port, seconds),
            "HTTP by Schemathesis": (
                http_requests.count_statuses,
                f"http://127.0.0.1:{port}",
                token,
                max(2, cases // 50),
                seed,
            ),
            "huge messages": (sockets.huge_messages, port, max(4, cases // 50)),
            "sockets that read nothing": (sockets.never_read, port, 3, 90.0),
            "any JSON as any message": (sockets.fuzz_any, port, cases, seed),
            "300 MB of header": (sockets.huge_heads, port, 3),
            "half-sent requests": (sockets.half_requests, port, 200),
            "64 idle sockets of one address": (sockets.idle_players, port, 64),
        }
        try:
            gc.disable()  # a collection takes about 100 ms here, which would count as the server's
            async with run_bystanders(port, 3) as group:
                scene = Scene(server, group, quiet_seconds)
                print(TABLE_HEADER)  # noqa: T201
                for name, (attack, *arguments) in attacks.items():
                    if words and not any(word in name for word in words):
                        continue
                    # In its own process, so that it does not delay the event loop of the bystanders.
                    with open_pool(separate_cores=separate_cores) as pool:
                        loop = asyncio.get_running_loop()
                        attacker_pid = await loop.run_in_executor(pool, os.getpid)
                        start_attack = partial(loop.run_in_executor, pool, partial(attack, *arguments))
                        print(await scene.measure(name, start_attack, attacker_pid), flush=True)  # noqa: T201
            print("\n".join(["", CPU_TABLE_HEADER, *scene.cpu_rows]))  # noqa: T201
            print(f"disconnected bystanders: {group.disconnects}")  # noqa: T201
        finally:
            await asyncio.to_thread(server.stop)


def open_pool(*, separate_cores: bool) -> ProcessPoolExecutor:
    """Return a pool of one process for the attacker, with `separate_cores` on the second core."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, context, pin_to_core, (1,)) if separate_cores else ProcessPoolExecutor(1, context)


def main() -> None:
    """Run attacks, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="words in the names of the attacks to run (default: all)")
    parser.add_argument("--cases", type=int, default=2000, help="number of sockets of the fuzzer")
    parser.add_argument("--seconds", type=float, default=15, help="duration of each flood")
    parser.add_argument("--quiet", type=float, default=10, help="seconds of measurement before each attack")
    parser.add_argument(
        "--apart", action="store_true", help="run the arcade on the first core and the attackers on the second"
    )
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)  # noqa: T201
    asyncio.run(run(options.words, options.cases, options.seconds, seed, options.quiet, separate_cores=options.apart))


if __name__ == "__main__":
    main()
