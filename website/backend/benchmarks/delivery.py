"""How fast the journal becomes objects and rows, what a transition weighs, and memory while the store is slow or down.

A real game is played once (Breakout, random play, exactly as a game process plays it), and its sealed segments are the
load. They are delivered by the courier of the product to a folder with fsync and to a durable embedded Postgres.
"""

import asyncio
import gc
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psutil
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.report import Report, quantile
from skill_arcade.environments.factory import make_environment
from skill_arcade.errors import NotReady
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.ids import new_episode_id
from skill_arcade.play.session.episode_recorder import EpisodeRecorder
from skill_arcade.play.session.provenance import make_header
from skill_arcade.recording.framing import MAGIC, RecordKind, frame_record, split_records
from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import ActiveInput, SegmentHeader
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import create_engine, migrate_sync
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.process import tune_gc
from skill_arcade.uploader.uploader import Uploader

TICK_US = 16_667
SEGMENT_US = 5_000_000
WORKERS = 4
COLUMNS = ("phase", "store", "seconds", "transitions", "transitions/s", "transitions/CPU s", "USS MB p50", "USS MB max")


class SlowObjects(DiskObjects):
    """The real folder behind a network that is slow, or gone."""

    delay = 0.0
    down = False

    async def put(self, key: str, data: bytes) -> None:
        """Keep it, late; or say that it can't be kept now."""
        await asyncio.sleep(self.delay)
        if self.down:
            raise NotReady("the store is down")
        await super().put(key, data)


def record_play(folder: Path, n_steps: int) -> tuple[Path, int]:
    """Record an episode of so many steps, fewer if it ends, with five seconds of 60 Hz a segment: folder, steps."""
    game = load_catalogue(None).games["breakout"]
    env, rng = make_environment(game.environment), random.Random(1)
    now, taken, action, source = 1_000_000, 0, game.noop or 0, None
    made: list[Path] = []

    def describe(**known: object) -> SegmentHeader:
        head = make_header(
            game, "bench", 7, environment=env.spec, provenance={"mode": "streamed"}, started_wall_us=now, **known
        )
        made.append(folder / str(head.episode_id))
        return head

    episode = EpisodeRecorder(
        game, env, env.reset(7), describe, lambda head: Journal(folder, head), now=now, segment_us=SEGMENT_US
    )
    while taken < n_steps and not episode.is_over:
        now += TICK_US
        if rng.random() < 0.06:
            action = rng.randrange(env.n_actions)
            source = ActiveInput(now - 20_000, now - 10_000 - episode.started_us, taken)
            episode.record_event(
                "input", now, now, control="left", down=True, device="keyboard", code="ArrowLeft", frame=taken
            )
        episode.step(action, source, now=now, late_us=rng.randrange(300))
        taken += 1
        if taken % 6 == 0:
            episode.shown([(frame, now - TICK_US * (taken - frame)) for frame in range(taken - 6, taken)])
    episode.end("left", now)
    env.close()
    return made[0], taken


def copy_episode(source: Path, journal: Path) -> UUID:
    """The same play as another episode; its id."""
    name = new_episode_id()
    target = journal / f".{name}"
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        data = path.read_bytes()
        _, body, end = next(split_records(data))
        renamed = replace(SegmentHeader.unpack(body), episode_id=name)
        (target / path.name).write_bytes(MAGIC + frame_record(RecordKind.HEADER, renamed.pack()) + data[end:])
    target.rename(journal / str(name))
    return name


def run(n_steps: int = 3_000, n_episodes: int = 24, down_seconds: float = 60.0, slow_seconds: float = 20.0) -> Report:
    """Deliver so many episodes of so many steps, then the same again behind a slow store, and one that is down."""
    report, before = Report("delivery", COLUMNS), gc.get_threshold()
    with tempfile.TemporaryDirectory(prefix="delivery-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = EmbeddedPostgres(folder / "postgres")
        try:
            url = server.server.url()
            migrate_sync(url)
            source, n_steps = record_play(folder / "played", n_steps)
            sealed = sum(path.stat().st_size for path in source.iterdir())
            report.facts["journal B a transition"] = sealed / n_steps
            tune_gc()  # as the process has it whose work this is
            faults = down_seconds, slow_seconds
            asyncio.run(_measure(report, folder, url, source, n_steps, n_episodes, faults))
        finally:
            gc.unfreeze()
            gc.set_threshold(*before)
            server.close()
    return report


async def _measure(
    report: Report, folder: Path, url: URL, source: Path, n_steps: int, n_episodes: int, faults: tuple[float, float]
) -> None:
    journal, objects = folder / "journal", SlowObjects(folder / "objects")
    before = await _count_commits(url)
    for _ in range(n_episodes):
        copy_episode(source, journal)
    async with _courier(journal, objects, url) as uploader:
        await _phase(report, "deliver all", "well", uploader, url, uploader.drain)
    total = n_steps * n_episodes
    commits = await _count_commits(url) - before
    async with _engine(url) as engine, engine.connect() as connection:
        rows, size = (
            await connection.execute(text("SELECT count(*), pg_total_relation_size('transition') FROM transition"))
        ).one()
    files = list((folder / "objects" / "episodes").glob("*/*"))
    report.facts |= {
        "transitions written": total,
        "transitions in Postgres": rows,
        "Postgres B a transition, indexes included": size / rows,
        "objects for 1,000 transitions": 1000 * len(files) / total,
        "commits for 1,000 transitions": 1000 * commits / total,
        "object B a transition": sum(path.stat().st_size for path in files) / total,
    }
    async with _courier(journal, objects, url) as uploader:
        for _ in range(n_episodes):
            copy_episode(source, journal)
        stopping = asyncio.Event()
        running = asyncio.create_task(uploader.run(stopping))
        objects.down = True
        await _phase(report, "wait", "down", uploader, url, lambda: asyncio.sleep(faults[0]))
        objects.down, objects.delay = False, 0.2
        await _phase(report, "deliver", "200 ms a call", uploader, url, lambda: asyncio.sleep(faults[1]))
        objects.delay = 0.0
        stopping.set()
        await _phase(report, "deliver the rest", "well again", uploader, url, lambda: running)
        report.facts["transitions undelivered at the end"] = 2 * total - rows - uploader.stats.transitions


async def _phase(
    report: Report, phase: str, store: str, uploader: Uploader, url: URL, work: Callable[[], Awaitable[object]]
) -> None:
    me, memory = psutil.Process(), list[float]()
    done, postgres = uploader.stats.transitions, _postgres_cpu(url)
    began, cpu = time.monotonic(), time.process_time()
    task = asyncio.ensure_future(work())
    while True:
        finished, _ = await asyncio.wait({task}, timeout=0.5)
        memory.append(me.memory_full_info().uss / 2**20)
        if finished:
            break
    await task
    seconds, used = time.monotonic() - began, time.process_time() - cpu + _postgres_cpu(url) - postgres
    moved = uploader.stats.transitions - done
    report.add(phase, store, seconds, moved, moved / seconds, moved / used, quantile(memory, 0.5), max(memory))


def _postgres_cpu(url: URL) -> float:
    """CPU seconds of all of Postgres that is alive now."""
    lock = Path(str(url.query["host"])).joinpath(f".s.PGSQL.{url.query['port']}.lock")
    postmaster = psutil.Process(int(lock.read_text().splitlines()[0]))
    total = 0.0
    for process in [postmaster, *postmaster.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


async def _count_commits(url: URL) -> int:
    """Commits in this database so far; the statistics of a connection are there once it is closed."""
    async with _engine(url) as engine, engine.connect() as connection:
        query = text("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int((await connection.execute(query)).scalar_one())


@asynccontextmanager
async def _engine(url: URL) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(url, WORKERS)
    try:
        yield engine
    finally:
        await engine.dispose()


@asynccontextmanager
async def _courier(journal: Path, objects: SlowObjects, url: URL) -> AsyncIterator[Uploader]:
    async with _engine(url) as engine:
        yield Uploader(journal, objects, engine, workers=WORKERS)
