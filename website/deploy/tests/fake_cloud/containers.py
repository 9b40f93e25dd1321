"""Real servers behind the fake Cloud Run: what the containers of revisions and jobs run, beside a real Postgres."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Row, text

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import create_engine

LEADING_TO_GOOGLE = re.compile(r"GCP_|(EXPORT|CERTIFY)_JOB$")
"""Settings for which there is nothing on this machine. The database is replaced by Postgres, the bucket by a folder."""
STOP_SECONDS = 20.0
UNSAFE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Options of a Postgres whose data need not survive."""


class Containers:
    """Runs the containers of one project inside of a `with` block. They get their own settings and secrets."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self._stack = ExitStack()
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        # Not pytest's `tmp_path`, which the account that runs Postgres cannot reach.
        self.home = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="skill-arcade-containers-")))
        postgres = EmbeddedPostgres(self.home / "postgres", UNSAFE)
        self._stack.callback(postgres.close)
        self._url = postgres.server.url()
        self._cloud.containers = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cloud.containers = None
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(STOP_SECONDS)
        self._stack.close()

    def query(self, statement: str, database: str = "postgres") -> list[Row[Any]]:
        """Run a statement in a database of the instance and return its rows."""

        async def run() -> list[Row[Any]]:
            engine = create_engine(self._url.set(database=database), pool=False)
            async with engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                result = await connection.execute(text(statement))
                return list(result) if result.returns_rows else []

        return asyncio.run(run())

    def run_job(self, spec: dict[str, Any]) -> bool:
        """Run a job to its end. Return whether it succeeded."""
        return self._start(spec, spec["containers"][0]["args"], "job").wait(120) == 0

    def start_server(self, spec: dict[str, Any]) -> int:
        """Start the server of a revision, wait for its startup probe, and return its port. Raises `ApiError`."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = int(unused.getsockname()[1])
        process = self._start(spec, ["serve", "--host", "127.0.0.1", "--port", str(port)], f"server-{port}")
        self._running.append(process)
        probe = spec["containers"][0]["startupProbe"]
        address = f"http://127.0.0.1:{port}{probe['httpGet']['path']}"
        end = time.monotonic() + int(probe["failureThreshold"]) * int(probe["periodSeconds"])
        while not answers(address):
            if process.poll() is not None or time.monotonic() > end:
                raise ApiError(400, f"The container failed to start: {self.read_log(f'server-{port}')[-2000:]}")
            time.sleep(0.1)
        return port

    def read_log(self, name: str) -> str:
        """Return what a container has printed."""
        return (self.home / f"{name}.log").read_text()

    def _start(self, spec: dict[str, Any], arguments: list[str], name: str) -> subprocess.Popen[bytes]:
        environment = self._read_environment(spec)
        self._ensure_database()
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "skill_arcade", *arguments],
                env=environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _read_environment(self, spec: dict[str, Any]) -> dict[str, str]:
        """Return the variables of a container, with this machine's services in place of Google's."""
        values = {}
        for item in spec["containers"][0]["env"]:
            if "valueFrom" in item:
                reference = item["valueFrom"]["secretKeyRef"]
                values[item["name"]] = self._cloud.get("secrets", reference["name"])["values"][
                    int(reference["key"]) - 1
                ]
            else:
                values[item["name"]] = str(item["value"])
        kept = {name: value for name, value in values.items() if not LEADING_TO_GOOGLE.match(name)}
        url = self._url.set(username=values["GCP_SQL_USER"], database=values["GCP_SQL_NAME"])
        kept |= {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "SKILL_ARCADE_HOME": str(self.home / "journal"),
            # Outside of `local`, a server refuses emulators and a folder in place of the bucket.
            "SKILL_ARCADE_ENVIRONMENT": "local",
        }
        if "FIREBASE_PROJECT_ID" in kept:
            kept["FIREBASE_AUTH_EMULATOR_HOST"] = self._cloud.url.removeprefix("http://")
        passed = {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "PYTHONPATH") if name in os.environ}
        return passed | kept

    def _ensure_database(self) -> None:
        """Create the users and databases of the fake instance, with the rights that Cloud SQL gives them."""
        roles = {row[0] for row in self.query("SELECT rolname FROM pg_roles")}
        databases = {row[0] for row in self.query("SELECT datname FROM pg_database")}
        if "cloudsqlsuperuser" not in roles:
            self.query("CREATE ROLE cloudsqlsuperuser CREATEDB CREATEROLE")
        for name in self._cloud.resources["users"].keys() - roles:
            is_owner = self._cloud.resources["users"][name].get("type") in (None, "", "BUILT_IN")
            rights = "CREATEDB CREATEROLE IN ROLE cloudsqlsuperuser" if is_owner else ""
            self.query(f'CREATE ROLE "{name}" LOGIN {rights}')
        for name in self._cloud.resources["databases"].keys() - databases:
            self.query(f'CREATE DATABASE "{name}" OWNER cloudsqlsuperuser')


def answers(address: str) -> bool:
    """Return whether a probe succeeds."""
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status in range(200, 400)
    except (OSError, urllib.error.HTTPError):
        return False
