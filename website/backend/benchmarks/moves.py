"""Games that move between servers at random, while servers are lost: `python -m benchmarks.moves --help`.

Players reconnect through a proxy that sends each connection to a random one of several servers (separate journals, one
database, one emulated bucket, clocks 5 s apart). Meanwhile servers are killed with their disk, stopped, and frozen for
longer than their leases, and Postgres is restarted. Afterwards all episodes are compared with what the players saw, and
certified. website/docs/faults.md has the figures, and operations.md those of shipments.
"""

import argparse
import asyncio
import os
import random
import secrets
import threading
import time
from collections.abc import Sequence

import numpy as np
from sqlalchemy import URL

from benchmarks.cost_model import read_prices
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from tests.support.cloud.storage import StorageServer
from tests.support.database import execute, opened_engine, temporary_home
from tests.support.moving_games import (
    CountingBucket,
    Faults,
    Moves,
    find_owners,
    play_games,
    wait_until_certified,
)
from tests.support.random_proxy import random_proxy
from tests.support.server import ServerUnderTest
from tests.support.server_pair import running_servers

BUCKET = "arcade"
KINDS = ("kill", "postgres", "stop", "freeze")
SOFT_DELETE_MONTHS = 1.0
"""Time for which the bucket keeps a deleted object (deploy/infrastructure/storage.tf)."""


def describe_times(name: str, times: Sequence[float]) -> str:
    """Return median, 95th percentile and maximum as a line."""
    if not times:
        return f"{name}: none"
    array = np.array(times)
    return (
        f"{name}: {len(array)}, median {np.median(array):.2f} s, 95 % {np.quantile(array, 0.95):.2f} s, "
        f"most {array.max():.2f} s"
    )


def describe_shipments(bucket: CountingBucket, player_hours: float) -> str:
    """Return the number and the price of shipments by player-hour."""
    prices = read_prices()
    requests, gib = bucket.n_shipments / player_hours, bucket.n_shipped_bytes / 2**30 / player_hours
    dollars = requests * prices.write + gib * SOFT_DELETE_MONTHS * prices.object_gib_month
    return (
        f"shipments {bucket.n_shipments}, {bucket.n_shipped_bytes / max(1, bucket.n_shipments) / 1000:.1f} kB each; a "
        f"player-hour: {requests:.0f} requests, {gib * 1024:.1f} MiB, {dollars:.4f} USD"
    )


def explain(servers: Sequence[ServerUnderTest], not_continued: Sequence[str]) -> list[str]:
    """Return what the servers' logs say of these episodes."""
    episodes = [text.partition(":")[0] for text in not_continued]
    return [
        f"  {server.home.name}: {line}"
        for server in servers
        for line in (server.home / "server.log").read_text(errors="replace").splitlines()
        if any(episode in line for episode in episodes)
    ]


async def measure(
    servers: list[ServerUnderTest],
    postgres: EmbeddedPostgres,
    bucket: CountingBucket,
    url: URL,
    arguments: argparse.Namespace,
) -> None:
    """Play the games, and print the figures."""
    out, rng = Moves(), random.Random(arguments.seed)
    kinds = [arguments.kinds[number % len(arguments.kinds)] for number in range(arguments.faults)]
    faults = Faults(servers, postgres, arguments.lost_seconds, random.Random(rng.getrandbits(32)), out)
    started_at = time.monotonic()
    async with random_proxy(servers, random.Random(rng.getrandbits(32))) as proxy:
        breaking = asyncio.create_task(faults.run(kinds, arguments.interval))
        await play_games(
            proxy,
            rng,
            out,
            n_games=arguments.games,
            n_at_once=arguments.players,
            seconds=arguments.seconds,
            stay=tuple(arguments.stay),
        )
        await breaking
    elapsed_s, load = time.monotonic() - started_at, os.getloadavg()
    shipments = describe_shipments(bucket, arguments.games * arguments.seconds / 3600)
    async with opened_engine(url) as engine:
        certified = await wait_until_certified(engine, 120 + arguments.games * arguments.seconds / 20)
    reports = {report.episode: report for report in await servers[0].check(out.seen)}
    owners = find_owners(servers)
    lines = (
        f"{len(servers)} servers, games {arguments.games}, steps {sum(out.seen.values()):,}, {elapsed_s:.0f} s, load "
        f"{load[0]:.1f} {load[1]:.1f} {load[2]:.1f}",
        f"faults {dict(out.faults)}, reconnects {out.n_reconnects}",
        describe_times("moves without a fault", out.planned),
        describe_times("reconnects after a fault, from the last frame on", out.forced),
        f"steps seen and missing: without a fault {out.n_rewound_without_fault}; after {len(out.rewound)} faults sum "
        f"{sum(out.rewound)}, greatest {sorted(out.rewound, reverse=True)[:12]}",
        f"not continued {out.not_continued}",
        *explain(servers, out.not_continued),
        f"lost {sum(report.lost for report in reports.values())}, "
        f"duplicated {sum(report.duplicated for report in reports.values())}, "
        f"problems {[text for report in reports.values() for text in report.problems]}",
        f"moves {len(owners)}, fences with more than one owner {sum(len(set(one)) > 1 for one in owners.values())}",
        f"episodes by certificate {certified}",
        shipments,
    )
    print("\n".join(lines), flush=True)  # noqa: T201


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=2, choices=(2, 3, 4))
    parser.add_argument("--games", type=int, default=200)
    parser.add_argument("--players", type=int, default=4, help="games at once")
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds of each game")
    parser.add_argument("--stay", type=float, nargs=2, default=(1.0, 6.0), help="seconds between reconnects, from to")
    parser.add_argument("--faults", type=int, default=0, help="number of faults")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="their kinds, one after the other")
    parser.add_argument("--interval", type=float, default=15.0, help="seconds between faults")
    parser.add_argument("--lost-seconds", type=float, default=12.0, help="SERVER_LOST_SECONDS")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    arguments = parser.parse_args()
    print(  # noqa: T201
        " ".join(f"--{name.replace('_', '-')} {value}" for name, value in vars(arguments).items()), flush=True
    )
    bucket = CountingBucket(BUCKET)
    storage = StorageServer(bucket)
    threading.Thread(target=storage.serve_forever, daemon=True).start()
    os.environ["STORAGE_EMULATOR_HOST"] = storage.address
    with temporary_home() as folder:
        postgres = EmbeddedPostgres(folder)
        url = postgres.server.url().set(database="moves")
        asyncio.run(execute(postgres.server.url(), "CREATE DATABASE moves"))
        migrate_sync(url)
        settings = {
            "GCP_BUCKET_NAME": BUCKET,
            "RESUME_SECONDS": "60",
            "SEGMENT_SECONDS": "5",
            "SERVER_LOST_SECONDS": str(arguments.lost_seconds),
        }
        with running_servers(url, arguments.servers, **settings) as servers:
            asyncio.run(measure(servers, postgres, bucket, url, arguments))
        postgres.close()
    storage.shutdown()
    storage.server_close()


if __name__ == "__main__":
    main()
