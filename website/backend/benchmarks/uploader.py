"""Throughput of the uploader, bytes per transition, and memory while the object store is slow or unavailable.

One game of Breakout is recorded with random actions, as a game process records it. Copies of its sealed segments are
uploaded by the product's uploader to a folder with fsync and to an embedded Postgres with durable writes.
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
    """A folder with the delays or the failures of a remote object store."""

    delay = 0.0
    down = False

    async def put(self, key: str, data: bytes) -> None:
        """Store the object after the delay, or raise NotReady while the store is unavailable."""
        await asyncio.sleep(self.delay)
        if self.down:
            raise NotReady("the object store is unavailable")
        await super().put(key, data)


def record_play(folder: Path, n_steps: int) -> tuple[Path, int]:
    """Record an episode of at most `n_steps` steps at 60 Hz, in segments of 5 s. Return its folder and steps."""
    game = load_catalogue(None).games["breakout"]
    env, rng = make_environment(game.environment), random.Random(1)
    now_us, n_taken, action, source = 1_000_000, 0, game.noop or 0, None
    folders: list[Path] = []

    def describe(**fields: object) -> SegmentHeader:
        header = make_header(
            game, "bench", 7, environment=env.spec, provenance={"mode": "streamed"}, started_wall_us=now_us, **fields
        )
        folders.append(folder / str(header.episode_id))
        return header

    episode = EpisodeRecorder(
        game, env, env.reset(7), describe, lambda header: Journal(folder, header), now=now_us, segment_us=SEGMENT_US
    )
    while n_taken < n_steps and not episode.is_over:
        now_us += TICK_US
        if rng.random() < 0.06:
            action = rng.randrange(env.n_actions)
            source = ActiveInput(now_us - 20_000, now_us - 10_000 - episode.started_us, n_taken)
            episode.record_event(
                "input", now_us, now_us, control="left", down=True, device="keyboard", code="ArrowLeft", frame=n_taken
            )
        episode.step(action, source, now=now_us, late_us=rng.randrange(300))
        n_taken += 1
        if n_taken % 6 == 0:
            episode.shown([(frame, now_us - TICK_US * (n_taken - frame)) for frame in range(n_taken - 6, n_taken)])
    episode.end("left", now_us)
    env.close()
    return folders[0], n_taken


def copy_episode(source: Path, journal: Path) -> UUID:
    """Copy an episode to the journal under a new id, and return the id."""
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
    """Upload `n_episodes` episodes, then the same number while the store is unavailable and then slow."""
    report, before = Report("uploader", COLUMNS), gc.get_threshold()
    with tempfile.TemporaryDirectory(prefix="uploader-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = EmbeddedPostgres(folder / "postgres")
        try:
            url = server.server.url()
            migrate_sync(url)
            source, n_steps = record_play(folder / "played", n_steps)
            sealed = sum(path.stat().st_size for path in source.iterdir())
            report.facts["journal B a transition"] = sealed / n_steps
            tune_gc()  # as the uploader process does
            fault_seconds = down_seconds, slow_seconds
            asyncio.run(_measure(report, folder, url, source, n_steps, n_episodes, fault_seconds))
        finally:
            gc.unfreeze()
            gc.set_threshold(*before)
            server.close()
    return report


async def _measure(
    report: Report,
    folder: Path,
    url: URL,
    source: Path,
    n_steps: int,
    n_episodes: int,
    fault_seconds: tuple[float, float],
) -> None:
    journal, objects = folder / "journal", SlowObjects(folder / "objects")
    before = await _count_commits(url)
    for _ in range(n_episodes):
        copy_episode(source, journal)
    async with _open_uploader(journal, objects, url) as uploader:
        await _phase(report, "upload all", "available", uploader, url, uploader.drain)
    total = n_steps * n_episodes
    commits = await _count_commits(url) - before
    async with _engine(url) as engine, engine.connect() as connection:
        rows, size = (
            await connection.execute(text("SELECT count(*), pg_total_relation_size('transition') FROM transition"))
        ).one()
    files = list((folder / "objects" / "episodes").glob("*/*/*"))
    report.facts |= {
        "transitions written": total,
        "transitions in Postgres": rows,
        "Postgres B a transition, indexes included": size / rows,
        "objects for 1,000 transitions": 1000 * len(files) / total,
        "commits for 1,000 transitions": 1000 * commits / total,
        "object B a transition": sum(path.stat().st_size for path in files) / total,
    }
    async with _open_uploader(journal, objects, url) as uploader:
        for _ in range(n_episodes):
            copy_episode(source, journal)
        stopping = asyncio.Event()
        running = asyncio.create_task(uploader.run(stopping))
        objects.down = True
        await _phase(report, "wait", "unavailable", uploader, url, lambda: asyncio.sleep(fault_seconds[0]))
        objects.down, objects.delay = False, 0.2
        await _phase(report, "upload", "200 ms a call", uploader, url, lambda: asyncio.sleep(fault_seconds[1]))
        objects.delay = 0.0
        stopping.set()
        await _phase(report, "upload the rest", "available again", uploader, url, lambda: running)
        report.facts["transitions not uploaded at the end"] = 2 * total - rows - uploader.stats.transitions


async def _phase(
    report: Report, phase: str, store: str, uploader: Uploader, url: URL, work: Callable[[], Awaitable[object]]
) -> None:
    process, memory = psutil.Process(), list[float]()
    done, postgres = uploader.stats.transitions, _postgres_cpu(url)
    started, cpu = time.monotonic(), time.process_time()
    task = asyncio.ensure_future(work())
    while True:
        finished, _ = await asyncio.wait({task}, timeout=0.5)
        memory.append(process.memory_full_info().uss / 2**20)
        if finished:
            break
    await task
    seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu + _postgres_cpu(url) - postgres
    uploaded = uploader.stats.transitions - done
    report.add(
        phase, store, seconds, uploaded, uploaded / seconds, uploaded / cpu_seconds, quantile(memory, 0.5), max(memory)
    )


def _postgres_cpu(url: URL) -> float:
    """Return the CPU seconds of all live processes of Postgres."""
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
    """Return the commits in this database. Postgres counts those of a connection when it is closed."""
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
async def _open_uploader(journal: Path, objects: SlowObjects, url: URL) -> AsyncIterator[Uploader]:
    async with _engine(url) as engine:
        yield Uploader(journal, objects, engine, workers=WORKERS)
