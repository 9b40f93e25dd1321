"""The job that certifies is started for a player who waits: a real server, with emulators of bucket and Cloud Run."""

import asyncio
from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL

from skill_arcade.errors import NotReady
from skill_arcade.web.cloud_run_jobs import MIN_START_INTERVAL_SECONDS, CertifyJob
from tests.support.arcade import running_arcade
from tests.support.cloud.run_api import running_run_api
from tests.support.cloud.storage import storage_server
from tests.support.database import fresh_database
from tests.web.test_exports import upload_episodes

JOB = "projects/arcade/locations/europe-west1/jobs/arcade-certify"
ADA, BOB = "ada@example.org", "bob@example.org"


class Starter:
    """Counts starts, and fails if told to."""

    n_starts, fails = 0, False

    async def start(self) -> None:
        self.n_starts += 1
        if self.fails:
            raise NotReady("no quota")


@pytest.mark.anyio
@pytest.mark.parametrize("fails", [False, True])
async def test_certify_job_is_started_once_a_minute(fails: bool) -> None:
    seconds, starter = [0.0], Starter()
    starter.fails = fails
    job = CertifyJob(starter, lambda: seconds[0])
    for _ in range(5):
        job.request()
    await job.stop()
    assert starter.n_starts == 1
    seconds[0] = MIN_START_INTERVAL_SECONDS
    job.request()
    await job.stop()
    assert starter.n_starts == 2


def test_certify_job_of_cloud_run_gives_a_waiting_player_a_place(postgres: URL, tmp_path: Path) -> None:
    with fresh_database(postgres) as url, storage_server() as bucket, running_run_api() as run_api:
        environment = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "GCP_BUCKET_NAME": bucket.bucket.name,
            "STORAGE_EMULATOR_HOST": bucket.address,
            "GCP_RUN_ENDPOINT": run_api.address,
            "CERTIFIER": "false",
            "CERTIFY_JOB": JOB,
        }
        run_api.environment = {**environment, "SKILL_ARCADE_HOME": str(tmp_path)}
        with (
            running_arcade(tmp_path, None, **environment) as arcade,
            httpx.Client(base_url=arcade.url, timeout=60) as http,
        ):
            answers = [http.post("/auth/login", json={"email": email}).json() for email in (ADA, BOB)]
            asyncio.run(upload_episodes(url, tmp_path, *(answer["user_id"] for answer in answers)))
            for path in (tmp_path / "objects").rglob("*"):
                if path.is_file():
                    key = path.relative_to(tmp_path / "objects").as_posix()
                    bucket.bucket.insert(key, path.read_bytes(), {}, None)
            headers = {"authorization": f"Bearer {answers[0]['token']}"}
            episode = http.get("/me/episodes", headers=headers).json()[0]["id"]

            def read_state() -> str:
                state: str = http.get(f"/episodes/{episode}/standing", headers=headers).json()["state"]
                return state

            assert read_state() == "not-listed"
            assert run_api.executions == []
            http.put("/me/board", json={"name": None}, headers=headers).raise_for_status()
            assert (read_state(), read_state()) == ("pending", "pending")
            while not run_api.executions:
                assert read_state() == "pending"
            (execution,) = run_api.executions
            assert execution.wait(120) == 0
            assert read_state() in ("ranked", "rejected")
