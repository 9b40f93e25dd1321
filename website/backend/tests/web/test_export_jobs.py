"""Exports that a Cloud Run job makes: from a real server, with emulators of the bucket and of the Cloud Run API."""

import asyncio
import io
import json
import os
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotFound, NotReady, TooManyExports
from skill_arcade.export.selection import ExportSelection
from skill_arcade.settings import read_settings
from skill_arcade.storage.database.engine import create_engine, transaction
from skill_arcade.storage.database.work import Worker, WorkKind, delete_exports, has_work
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.web import export_jobs
from skill_arcade.web.export_jobs import ExportJobs, JobId
from tests.support.arcade import running_arcade
from tests.support.cloud.run_api import RunApi, running_run_api
from tests.support.cloud.storage import StorageServer, storage_server
from tests.support.database import fresh_database
from tests.web.test_exports import upload_episodes

JOB = "projects/arcade/locations/europe-west1/jobs/arcade-export"
SELECTION = ExportSelection.model_validate({"format": "parquet", "ended_before": "2100-01-01T00:00:00Z"})


@pytest.fixture(scope="module")
def run_api() -> Iterator[RunApi]:
    with running_run_api() as api:
        yield api


@dataclass(frozen=True)
class JobServer:
    """A running server whose exports are made by a job."""

    http: httpx.Client
    bucket: StorageServer
    run_api: RunApi
    pid: int
    users: dict[str, str] = field(default_factory=dict)

    def headers(self, email: str) -> dict[str, str]:
        answer = self.http.post("/auth/login", json={"email": email})
        self.users[email] = answer.json()["user_id"]
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def request(self, email: str, format_: str = "parquet") -> httpx.Response:
        return self.http.post("/me/exports", json={"format": format_}, headers=self.headers(email))

    def wait(self, ticket: dict[str, Any]) -> dict[str, Any]:
        """Wait until the job has ended; return the progress."""
        self.run_api.executions[-1].wait(300)
        progress: dict[str, Any] = self.http.get(ticket["progress"]).json()
        return progress


@pytest.fixture(scope="module")
def server(postgres: URL, run_api: RunApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobServer]:
    home = tmp_path_factory.mktemp("export")
    with fresh_database(postgres) as url, storage_server() as bucket:
        environment = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "GCP_BUCKET_NAME": bucket.bucket.name,
            "STORAGE_EMULATOR_HOST": bucket.address,
            "EXPORT_JOB": JOB,
            "GCP_RUN_ENDPOINT": run_api.address,
            "CERTIFIER": "false",
            "RESEARCHER_EMAILS": "rosa@example.org",
        }
        run_api.environment = {**environment, "SKILL_ARCADE_HOME": str(home)}
        with (
            running_arcade(home, None, **environment) as arcade,
            httpx.Client(base_url=arcade.url, timeout=60) as http,
        ):
            server = JobServer(http, bucket, run_api, arcade.process.pid)
            for email in ("ada@example.org", "bob@example.org"):
                server.headers(email)
            asyncio.run(upload_episodes(url, home, *server.users.values()))
            for path in (home / "objects").rglob("*"):
                if path.is_file():
                    key = path.relative_to(home / "objects").as_posix()
                    bucket.bucket.insert(key, path.read_bytes(), {}, None)
            yield server


def test_export_job_prepares_download_of_own_episodes(server: JobServer, tmp_path: Path) -> None:
    ticket = server.request("ada@example.org").json()
    assert (ticket["is_prepared"], ticket["episodes"]) == (True, 2)
    progress = server.wait(ticket)
    assert (progress["state"], progress["episodes"], progress["of"], progress["message"]) == ("ready", 2, 2, "")
    answer = server.http.get(ticket["address"])
    assert answer.headers["content-disposition"].startswith('attachment; filename="my-skill-arcade-parquet-')
    assert (int(answer.headers["content-length"]), len(answer.content)) == (progress["bytes"], progress["bytes"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    (top,) = tmp_path.iterdir()
    games = pq.read_table(top / "episodes.parquet")["game_id"].to_pylist()
    assert sorted(games) == ["breakout", "tower-of-hanoi"]
    assert server.http.get(ticket["address"]).status_code == 401  # a ticket downloads once


def test_prepared_download_of_researcher_is_deleted_after_a_withdrawal(server: JobServer) -> None:
    rosa = server.headers("rosa@example.org")
    wanted = {"format": "parquet", "games": [], "certified": False, "min_steps": 0, "since": None, "until": None}

    def prepare() -> dict[str, Any]:
        ticket: dict[str, Any] = server.http.post("/research/exports", json=wanted, headers=rosa).json()
        assert server.wait(ticket)["state"] == "ready"
        return ticket

    first = prepare()
    withdrawal = {"scopes": ["research"]}
    answer = server.http.post("/me/consent/withdrawal", json=withdrawal, headers=server.headers("eve@example.org"))
    assert answer.status_code == 200, answer.text
    refused = server.http.get(first["address"])
    assert (refused.status_code, "has withdrawn" in refused.json()["message"]) == (404, True)
    assert [key for key in server.bucket.bucket.objects if server.users["rosa@example.org"] in key] == []
    assert server.http.get(prepare()["address"]).status_code == 200


def test_export_job_says_what_it_left_out(server: JobServer) -> None:
    objects = server.bucket.bucket.objects
    # The first of Ada's two episodes was played first, and ids are ordered by time. The id is the folder of the object.
    pictures = [key for key in objects if key.startswith("episodes/") and key.endswith(".png")]
    hidden = min(pictures, key=lambda key: key.split("/")[-2:])
    data = objects.pop(hidden)
    ticket = server.request("ada@example.org").json()
    progress = server.wait(ticket)
    objects[hidden] = data
    assert (progress["state"], progress["episodes"], progress["of"]) == ("ready", 1, 2)
    assert progress["message"].startswith("1 of 2 episodes is left out")


def test_export_job_beyond_memory_limit_fails_and_says_so(server: JobServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(server.run_api.environment, "PYTHONPATH", str(Path(__file__).parent / "greedy_export"))
    monkeypatch.setitem(server.run_api.environment, "EXPORT_MEMORY_MB", "512")
    ticket = server.request("ada@example.org").json()
    progress = server.wait(ticket)
    assert (progress["state"], "512 MB" in progress["message"]) == ("failed", True), progress
    assert server.http.get(ticket["address"]).status_code == 503
    assert not [key for key in server.bucket.bucket.objects if key.endswith(".zip") and ticket["address"] in key]


def test_export_job_that_cannot_be_started_is_not_requested(server: JobServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.run_api, "status", 403)
    assert server.request("bob@example.org").status_code == 503
    monkeypatch.setattr(server.run_api, "status", 200)
    answer = server.request("bob@example.org")
    assert answer.status_code == 200
    assert server.request("bob@example.org").status_code == 429
    assert server.wait(answer.json())["state"] == "ready"


class Starter:
    """Starts nothing."""

    n_starts = 0

    async def start(self) -> None:
        self.n_starts += 1


@dataclass
class Clock:
    """A clock that a test sets."""

    seconds: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> ObjectStore:
    return DiskObjects(tmp_path / "objects")


@pytest.mark.anyio
async def test_export_job_that_does_not_start_fails_after_a_while(store: ObjectStore, engine: AsyncEngine) -> None:
    clock, starter = Clock(), Starter()
    jobs = ExportJobs(store, engine, starter, clock)
    job = await jobs.request("ada", SELECTION)
    assert ((await jobs.progress(job)).state, starter.n_starts) == ("waiting", 1)
    with pytest.raises(TooManyExports):
        await jobs.request("ada", SELECTION)
    await jobs.request("bob", SELECTION)
    with pytest.raises(NotReady):
        await jobs.open(job)
    clock.seconds += export_jobs.MAX_START_SECONDS + 1
    assert (await jobs.progress(job)).state == "failed"
    await jobs.request("ada", SELECTION)


@pytest.mark.anyio
async def test_export_job_that_is_silent_counts_as_failed(store: ObjectStore, engine: AsyncEngine) -> None:
    clock = Clock()
    jobs = ExportJobs(store, engine, Starter(), clock)
    job = await jobs.request("ada", SELECTION)
    progress = {"time": clock(), "progress": {"state": "making"}}
    await store.put(job.key(f"{export_jobs.PROGRESS}001-000000.json"), json.dumps(progress).encode())
    assert (await jobs.progress(job)).state == "making"
    clock.seconds += export_jobs.MAX_SILENT_SECONDS + 1
    assert (await jobs.progress(job)).state == "failed"


@pytest.mark.anyio
async def test_export_that_cannot_be_requested_leaves_nothing(store: ObjectStore, engine: AsyncEngine) -> None:
    class Refusing(Starter):
        async def start(self) -> None:
            raise NotReady("no permission")

    with pytest.raises(NotReady, match="Try again"):
        await ExportJobs(store, engine, Refusing()).request("ada", SELECTION)
    await engine.dispose()
    broken = create_engine(engine.url.set(database="missing"))
    with pytest.raises(NotReady):
        await ExportJobs(store, broken, Starter()).request("ada", SELECTION)
    await broken.dispose()
    assert [key async for key in store.list(export_jobs.EXPORTS)] == []
    async with transaction(engine) as connection:
        assert not await has_work(connection, WorkKind.EXPORT)


@pytest.mark.anyio
async def test_requested_exports_go_with_their_user(store: ObjectStore, engine: AsyncEngine) -> None:
    jobs = ExportJobs(store, engine, Starter())
    for user in ("ad_", "ada", "ad_2"):
        await jobs.request(user, SELECTION)
    async with transaction(engine) as connection:
        await delete_exports(connection, "ad_")
        subjects = (await connection.execute(text("SELECT subject FROM work ORDER BY subject"))).scalars()
        assert [subject.partition("/")[0] for subject in subjects] == ["ad_2", "ada"]


def test_export_of_a_killed_job_is_made_by_the_next(server: JobServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first job is killed while it works; the second one waits for the end of its lease."""
    slow = os.pathsep.join((str(Path(__file__).parent / "slow_export"), os.environ.get("PYTHONPATH", "")))
    monkeypatch.setitem(server.run_api.environment, "PYTHONPATH", slow)
    ticket = server.request("ada@example.org").json()
    execution = server.run_api.executions[-1]
    deadline = time.monotonic() + 60
    while server.http.get(ticket["progress"]).json()["state"] != "making":
        assert time.monotonic() < deadline, "the job has not begun"
        time.sleep(0.05)
    execution.kill()
    execution.wait(30)
    monkeypatch.delitem(server.run_api.environment, "PYTHONPATH")
    next_job = [sys.executable, "-m", "skill_arcade", "export-requested"]
    done = subprocess.run(
        next_job, env={**os.environ, **server.run_api.environment}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "1 downloads were made.\n"), done.stderr
    progress = server.http.get(ticket["progress"]).json()
    assert (progress["state"], progress["episodes"]) == ("ready", 2)
    assert server.http.get(ticket["address"]).status_code == 200


@pytest.mark.anyio
async def test_export_job_gives_up_after_attempts_and_ignores_deleted_requests(
    store: ObjectStore, engine: AsyncEngine
) -> None:
    jobs = ExportJobs(store, engine, Starter())
    job, deleted = await jobs.request("ada", SELECTION), await jobs.request("bob", SELECTION)
    await jobs.drop(deleted)
    worker = Worker(engine, [WorkKind.EXPORT])
    for attempt in range(1, export_jobs.MAX_ATTEMPTS + 2):
        async with transaction(engine) as connection:
            await connection.execute(text("UPDATE work SET time_due = now()"))
        claims = await worker.claim(2)
        assert [claim.attempts for claim in claims] == [attempt, attempt]
    made = [await export_jobs._make_claimed(read_settings(), store, engine, claim) for claim in claims]
    assert sorted(made) == [False, True]
    assert ((await jobs.progress(job)).state, (await jobs.progress(deleted)).state) == ("failed", "unknown")
    async with transaction(engine) as connection:
        assert not await has_work(connection, WorkKind.EXPORT)


@pytest.mark.anyio
async def test_export_job_of_deleted_objects_is_unknown(store: ObjectStore, engine: AsyncEngine) -> None:
    jobs = ExportJobs(store, engine, Starter())
    assert (await jobs.progress(JobId("ada", "0"))).state == "unknown"
    with pytest.raises(NotFound):
        await jobs.open(JobId("ada", "0"))


@pytest.mark.anyio
async def test_prepared_downloads_of_one_server_are_limited(
    store: ObjectStore, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ExportJobs(store, engine, Starter())
    job = await jobs.request("ada", SELECTION)
    with store.open_writer(job.key(export_jobs.ARCHIVE)) as stream:
        stream.write(bytes(3 << 20))
    result = {"time": time.time(), "progress": {"state": "ready"}}
    await store.put(job.key(export_jobs.RESULT), json.dumps(result).encode())
    monkeypatch.setattr(export_jobs, "MAX_CONCURRENT_DOWNLOADS", 1)
    size, chunks = await jobs.open(job)
    first = await anext(chunks)
    with pytest.raises(TooManyExports):
        await jobs.open(job)
    assert len(first) + sum([len(chunk) async for chunk in chunks]) == size == 3 << 20
    await jobs.open(job)


def test_export_process_has_the_memory_limit_of_the_setting() -> None:
    program = (
        "from skill_arcade.child_processes import limit_memory; import resource; limit_memory(300);"
        "print(resource.getrlimit(resource.RLIMIT_DATA)[0]); bytearray(1 << 30)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, f"{300 << 20}\n")
    assert "MemoryError" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] == resource.RLIM_INFINITY
