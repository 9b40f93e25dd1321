"""How many players one server serves at 60 Hz, and what each player costs.

It measures the real server process with real sockets, recording, embedded Postgres and objects on disk. Scripted
players play, and meanwhile visitors join, play for some seconds and leave. The load generator runs on the same machine
and is counted separately.
"""

import asyncio
import random
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import UUID

import uvloop
from sqlalchemy import text

from benchmarks.processes import CpuMeter
from benchmarks.report import Report, load_average, quantile
from skill_arcade.recording.journal import SEALED
from skill_arcade.recording.journal_files import list_episodes, list_files, list_journal_files
from skill_arcade.settings import read_settings
from skill_arcade.storage.database.engine import open_engine
from skill_arcade.storage.objects import open_objects
from skill_arcade.uploader.reconcile import reconcile
from tests.support.arcade import Arcade, Player, open_player, running_arcade, wait_until_uploaded

GAMES = ("breakout", "pong", "seaquest", "ms-pacman", "space-invaders", "qbert")
HZ = 60
VISIT_SECONDS = 3.0
MAX_SEALED_SECONDS = 2.0
"""A sealed segment that is older counts as late."""
COLUMNS = (
    "players", "frames/s each (median)", "frames/s (least)", "interval p50 ms", "interval p99 ms", "interval max ms",
    "tick late p50 ms", "tick late p99 ms", "CPU a player %", "server %", "games %", "uploader %", "certifier %",
    "postgres %", "generator %", "largest game's own MB (USS)", "it grew by MB", "all MB a player (PSS)",
    "oldest sealed s", "rows late",
    "steps seen", "steps lost", "load",
)  # fmt: skip


@dataclass(slots=True)
class PlayerStats:
    """What the players saw, and the number of steps of each episode that they know."""

    rates: list[float] = field(default_factory=list)
    intervals: list[float] = field(default_factory=list)
    seconds: float = 0.0
    steps: dict[UUID, int] = field(default_factory=dict)


@dataclass(slots=True)
class MachineStats:
    """Measurements of the machine."""

    meter: CpuMeter
    ages: list[float] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    generator: float = 0.0


async def play(
    player: Player,
    rng: random.Random,
    until: float,
    stats: PlayerStats,
    measuring: asyncio.Event,
    *,
    is_aligned: bool = False,
) -> None:
    """Play until this time, restart after each end, then leave.

    `is_aligned`: each episode asks for a random phase, as a page does for its display (rule F6).
    """
    player.keep_pictures = False
    started = last = None
    n_frames = 0
    while time.monotonic() < until:
        await player.send("start")
        episode = UUID((await player.read_until("started"))["episode"])
        if is_aligned:
            await player.send("align", later_ms=rng.uniform(-500 / HZ, 500 / HZ))
        held: str | None = None
        over = False
        last = None
        while not over and time.monotonic() < until:
            message = await player.read()
            if isinstance(message, dict):
                over = message["type"] == "ended"
                continue
            now = player.arrival_times.pop()
            player.packets = [message]
            stats.steps[episode] = message.frame
            if measuring.is_set():
                started = started or now
                n_frames += 1
                if last is not None:
                    stats.intervals.append(1000 * (now - last))
                last = now
            if rng.random() < 0.06:  # as a person, who changes the pressed keys about four times per second
                if held is not None:
                    await player.press(held, down=False)
                held = rng.choice(("left", "right"))
                await player.press(held)
    await player.send("leave")
    if started is not None and last is not None:
        stats.seconds += last - started
        if last > started + 1:
            stats.rates.append((n_frames - 1) / (last - started))


async def visit(
    arcade: Arcade,
    name: str,
    game: str,
    seconds: float,
    stats: PlayerStats,
    measuring: asyncio.Event,
    *,
    is_aligned: bool,
) -> None:
    """Sign in, join, play, and leave."""
    async with open_player(arcade, f"{name}@example.org", game) as player:
        until = time.monotonic() + seconds
        await play(player, random.Random(name), until, stats, measuring, is_aligned=is_aligned)


async def watch(arcade: Arcade, machine: MachineStats, measuring: asyncio.Event) -> None:
    """Read the meter and the journal four times per second while `measuring` is set."""
    before = time.process_time()
    machine.meter.restart()
    while measuring.is_set():
        await asyncio.sleep(0.25)
        machine.meter.read()
        ages = age_sealed(arcade.home / "journal")
        machine.ages.append(max(ages.values(), default=0.0))
    machine.generator = time.process_time() - before
    waiting = [file for files in list_journal_files(arcade.home / "journal").values() for file in files]
    late = {path for path, age in ages.items() if age > MAX_SEALED_SECONDS}
    machine.late.append(sum(file.n_steps for file in waiting if file.path in late))


def age_sealed(journal: Path) -> dict[Path, float]:
    """Return the seconds since each segment that waits for upload was sealed."""
    ages = {}
    for path in (file for place in list_episodes(journal) for file in list_files(place)):
        with suppress(FileNotFoundError):
            if path.suffix == SEALED:
                ages[path] = time.time() - path.stat().st_mtime
    return ages


async def measure(arcade: Arcade, report: Report, n: int, seconds: float, *, is_aligned: bool = False) -> PlayerStats:
    """Measure `n` players and visitors for `seconds`, and add a row."""
    stats, measuring, visitors = PlayerStats(), asyncio.Event(), PlayerStats()
    length = seconds + 3.5 + 0.1 * n
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(n):
            stay = length - (time.monotonic() - started)
            game = GAMES[number % len(GAMES)]
            group.create_task(visit(arcade, f"p{number}", game, stay, stats, measuring, is_aligned=is_aligned))
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        machine = MachineStats(CpuMeter(arcade.process.pid, arcade.home))
        _, private_before = machine.meter.memory()
        await asyncio.sleep(0.2)  # so that frames that waited during the memory reading have arrived
        end = time.monotonic() + seconds
        measuring.set()
        watching = group.create_task(watch(arcade, machine, measuring))
        for number in count():
            if (left := end - time.monotonic()) < 1:
                break
            stay = min(VISIT_SECONDS, left - 0.2)
            game = GAMES[number % len(GAMES)]
            await visit(arcade, f"v{number}", game, stay, visitors, measuring, is_aligned=is_aligned)
        measuring.clear()
        await watching
        memory, private = machine.meter.memory()
    await _report(arcade, report, n, stats, visitors, machine, memory, (max(private_before), max(private)))
    return stats


async def _report(
    arcade: Arcade,
    report: Report,
    n: int,
    stats: PlayerStats,
    visitors: PlayerStats,
    machine: MachineStats,
    memory: dict[str, int],
    largest: tuple[int, int],
) -> None:
    await wait_until_uploaded(arcade, 60)
    settings = read_settings(skill_arcade_home=arcade.home)
    steps = {**stats.steps, **visitors.steps}
    lost = 0
    async with open_engine(settings) as engine:
        async for balance in reconcile(arcade.home / "journal", open_objects(settings), engine, seen=steps):
            lost += balance.lost + balance.duplicated
        async with engine.connect() as connection:
            query = text(
                "SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY late_us) FROM transition"
                " WHERE episode_id = ANY(:episodes) AND late_us IS NOT NULL"
            )
            quantiles = await connection.execute(query, {"episodes": list(stats.steps)})
            late = quantiles.scalar_one() or (float("nan"), float("nan"))
    for kind, size in memory.items():
        report.facts[f"MB (PSS) of {kind} with {n} players"] = size / 2**20
    player_seconds = stats.seconds + visitors.seconds
    cpu = {kind: 100 * used / player_seconds for kind, used in machine.meter.seconds.items()}
    parts = [cpu.get(kind, 0.0) for kind in ("server", "games", "uploader", "certifier", "postgres")]
    report.add(
        n, quantile(stats.rates, 0.5), quantile(stats.rates, 0.0),
        *(quantile(stats.intervals, q) for q in (0.5, 0.99, 1.0)),
        late[0] / 1000, late[1] / 1000, sum(parts), *parts, 100 * machine.generator / player_seconds,
        largest[1] / 2**20, (largest[1] - largest[0]) / 2**20, sum(memory.values()) / 2**20 / n,
        max(machine.ages), sum(machine.late),
        sum(steps.values()), lost, load_average(),
    )  # fmt: skip


def run(sizes: tuple[int, ...] = (1, 8, 16, 32), seconds: float = 12.0, *, is_aligned: bool = False) -> Report:
    """Measure each number of players on one server. `is_aligned`: each asks for a phase of its own (rule F6)."""
    report = Report("players", COLUMNS)
    report.facts = {"games": ", ".join(GAMES), "measured s": seconds, "a visitor stays s": VISIT_SECONDS}
    report.facts["phases"] = "random, as displays ask for" if is_aligned else "as the server chooses"
    with tempfile.TemporaryDirectory(prefix="players-", ignore_cleanup_errors=True) as folder:
        started = time.monotonic()
        with running_arcade(
            Path(folder), MAX_GAMES=str(max(sizes) + 40), RATE_LIMIT_BURST="1000", LOG_LEVEL="WARNING"
        ) as arcade:
            report.facts["server start to ready s, new database"] = time.monotonic() - started
            for n in sizes:
                uvloop.run(measure(arcade, report, n, seconds, is_aligned=is_aligned))
                print(dict(zip(COLUMNS, report.rows[-1], strict=True)), file=sys.stderr, flush=True)  # noqa: T201
        started = time.monotonic()
        with running_arcade(Path(folder), LOG_LEVEL="WARNING"):
            report.facts["server start to ready s, database there"] = time.monotonic() - started
    return report
