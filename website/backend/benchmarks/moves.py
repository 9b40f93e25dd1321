"""Games that move between two servers at random, and what it costs: `python -m benchmarks.moves --help`.

Players reconnect to a random one of two servers (separate journals, one database, clocks 5 s apart), some of them while
the connection before is still open. Afterwards all episodes are compared with what the players saw, and certified.
website/docs/faults.md has the figures.
"""

import argparse
import asyncio
import random
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from tests.support.arcade import Player, issue_ticket, sign_in, ticket_subprotocols
from tests.support.database import execute, opened_engine, temporary_home
from tests.support.server_pair import ServerPair, running_pair
from tests.support.uploads import read_rows

GAME = "breakout"
MAX_PLAYERS = 4
"""Players at once, which leave the cores time for the measurement."""


@dataclass
class Moves:
    """What was measured. Times are seconds from `hello` to the first frame on the other server."""

    hand_overs: list[float] = field(default_factory=list)
    n_reconnects: int = 0
    seen: dict[UUID, int] = field(default_factory=dict)
    rewinds: list[int] = field(default_factory=list)
    """Steps that a player saw and that were missing after a move."""


async def play_game(
    pair: ServerPair, rng: random.Random, seconds: float, stay: tuple[float, float], out: Moves
) -> None:
    """Play one episode for `seconds`, and reconnect after each random time of `stay`."""
    email, ends_at = f"{uuid4().hex}@example.org", time.monotonic() + seconds
    token = await sign_in(pair[0].url, email)
    episode, server, lingering, newest = None, rng.choice(pair), [], 0
    while True:
        is_last = time.monotonic() >= ends_at
        before, server = server, rng.choice(pair)
        ticket = await issue_ticket(server.url, token, GAME)
        address = f"ws://127.0.0.1:{server.port}/ws/{GAME}"
        socket = await connect(
            address, subprotocols=ticket_subprotocols(ticket), compression=None, open_timeout=60, close_timeout=1
        )
        player, started_at = Player(socket, keep_pictures=False), time.monotonic()
        await player.hello()
        if episode is None:
            await player.send("start", mode="streamed")
        started = UUID((await player.read_until("started"))["episode"])
        frame = (await player.read_until_frame(0)).frame
        if episode is None:
            episode = started
        elif started != episode:
            raise AssertionError(f"episode {started} instead of {episode}")
        else:
            out.n_reconnects += 1
            if server is not before:
                out.hand_overs.append(time.monotonic() - started_at)
            out.rewinds.append(max(0, newest - frame))
            await player.send("resume")
        until = time.monotonic() + rng.uniform(*stay)
        if is_last:
            await player.send("leave")
            out.seen[episode] = (await player.read_until("ended"))["n_steps"]
            await socket.close()
            break
        while time.monotonic() < until:
            newest = (await player.read_until_frame(0)).frame
        if rng.random() < 0.5:
            await socket.close()
        else:
            lingering.append(socket)
    for socket in lingering:
        with suppress(ConnectionClosed):
            await socket.close()


async def wait_until_certified(engine: AsyncEngine, n_games: int, seconds: float) -> list[tuple[str, int]]:
    """Wait until all episodes have a certificate. Return the number of episodes by result."""
    query = "SELECT result::text, count(DISTINCT episode_id) FROM certificate GROUP BY 1"
    end = time.monotonic() + seconds
    while True:
        rows = [(str(result), int(count)) for result, count in await read_rows(engine, query)]
        if sum(count for _, count in rows) >= n_games or time.monotonic() > end:
            return rows
        await asyncio.sleep(1.0)


async def measure(pair: ServerPair, engine: AsyncEngine, arguments: argparse.Namespace) -> None:
    """Play the games, and print the figures."""
    out, slots = Moves(), asyncio.Semaphore(MAX_PLAYERS)
    rng = random.Random(arguments.seed)

    async def play(seed: int) -> None:
        async with slots:
            await play_game(pair, random.Random(seed), arguments.seconds, tuple(arguments.stay), out)

    async with asyncio.TaskGroup() as group:
        for _ in range(arguments.games):
            group.create_task(play(rng.getrandbits(32)))
    certified = await wait_until_certified(engine, arguments.games, 60 + arguments.games * arguments.seconds / 20)
    reports = {report.episode: report for report in await pair[0].check(out.seen)}
    times = np.array(out.hand_overs)
    lines = (
        f"games {arguments.games}, steps {sum(out.seen.values()):,}, reconnects {out.n_reconnects}",
        f"moves {len(times)}: median {np.median(times):.2f} s, 95 % {np.quantile(times, 0.95):.2f} s, "
        f"most {times.max():.2f} s",
        f"steps seen and missing after a move: {sum(out.rewinds)}",
        f"lost {sum(report.lost for report in reports.values())}, "
        f"duplicated {sum(report.duplicated for report in reports.values())}, "
        f"problems {[text for report in reports.values() for text in report.problems]}",
        f"certificates {certified}",
    )
    print("\n".join(lines))  # noqa: T201


async def run(pair: ServerPair, url: URL, arguments: argparse.Namespace) -> None:
    """Measure with an engine of this process."""
    async with opened_engine(url) as engine:
        await measure(pair, engine, arguments)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="seconds of each game")
    parser.add_argument("--stay", type=float, nargs=2, default=(1.0, 6.0), help="seconds between reconnects, from to")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    arguments = parser.parse_args()
    print(f"--games {arguments.games} --seconds {arguments.seconds:g} --seed {arguments.seed}", flush=True)  # noqa: T201
    with temporary_home() as folder:
        postgres = EmbeddedPostgres(folder)
        url = postgres.server.url().set(database="moves")
        asyncio.run(execute(postgres.server.url(), "CREATE DATABASE moves"))
        migrate_sync(url)
        with running_pair(url, RESUME_SECONDS="30", SEGMENT_SECONDS="5", LOG_LEVEL="WARNING") as pair:
            asyncio.run(run(pair, url, arguments))
        postgres.close()


if __name__ == "__main__":
    main()
