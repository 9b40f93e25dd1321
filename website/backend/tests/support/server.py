"""A server whose processes can be killed, stopped and damaged, and whose recordings can be checked afterwards."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psutil

from skill_arcade.recording.journal import OPEN, SEALED
from skill_arcade.recording.journal_files import list_episodes
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import create_engine, database_url
from skill_arcade.storage.database.postgres_server import PostgresServer
from skill_arcade.storage.objects import open_objects
from skill_arcade.uploader.reconcile import EpisodeReport, reconcile
from tests.support.arcade import UPLOADER_PROCESS, find_games, find_port, name_process, wait_ready
from tests.support.database import prepare_home


@dataclass
class ServerUnderTest:
    """`skill-arcade serve` as its own process with its own home folder; `settings` are environment variables."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    @property
    def url(self) -> str:
        """Base URL of the HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *, wait: bool = True) -> None:
        """Start the server, on the same port as before."""
        if not self.port:
            self.port = find_port()
        prepare_home(self.home, self.settings)
        environment = {"LOG_LEVEL": "WARNING", "SEGMENT_SECONDS": "0.5", **self.settings}
        command = [sys.executable, "-m", "skill_arcade", "serve", "--port", str(self.port)]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, "SKILL_ARCADE_HOME": str(self.home), **environment},
                stdout=log,
                stderr=log,
                cwd=self.home,
            )
        if wait:
            wait_ready(self.url, self.process, 60)
            self.uploader()

    def stop(self) -> float:
        """Stop the server by SIGTERM; return the seconds that it took."""
        assert self.process is not None
        started_at = time.monotonic()
        self.process.terminate()
        self.process.wait(60)
        return time.monotonic() - started_at

    @property
    def running(self) -> subprocess.Popen[bytes]:
        """The server that was started last."""
        assert self.process is not None
        return self.process

    @property
    def server(self) -> psutil.Process:
        """The server's process."""
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def games(self) -> list[psutil.Process]:
        """Return the game processes, including those that wait for a player; wait until there is one.

        A process has its name only a moment after it was forked.
        """
        end = time.monotonic() + 60
        while not (games := find_games(self.server.pid)):
            assert time.monotonic() < end, "no game process has started"
            time.sleep(0.05)
        return games

    def uploader(self) -> psutil.Process:
        """Return the uploader's process; wait until it has started or restarted."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if (
                found := next((child for child in self._family() if name_process(child) == UPLOADER_PROCESS), None)
            ) is not None:
                return found
            time.sleep(0.05)
        raise AssertionError("the uploader process has not started")

    def postgres(self) -> psutil.Process:
        """Return the process of the embedded Postgres."""
        running = PostgresServer(self.home / "postgres").find_postmaster()
        assert running is not None
        return psutil.Process(running.pid)

    def kill(self, process: psutil.Process) -> None:
        """Kill a process with SIGKILL."""
        process.send_signal(signal.SIGKILL)
        if self.process is not None and process.pid == self.process.pid:
            self.process.wait(10)

    @property
    def journal(self) -> Path:
        """Folder of the journal."""
        return self.home / "journal"

    def files(self, *suffixes: str) -> list[Path]:
        """Return files of the journal with one of these suffixes. Files that are uploaded meanwhile may be missing."""
        found: list[Path] = []
        for folder in list_episodes(self.journal):
            with suppress(FileNotFoundError):
                found += [path for path in folder.iterdir() if path.suffix in suffixes]
        return sorted(found)

    async def wait_until_uploaded(self, seconds: float = 60.0) -> None:
        """Wait until no segment waits in the journal."""
        async with asyncio.timeout(seconds):
            while self.files(OPEN, SEALED):
                await asyncio.sleep(0.05)

    async def check(self, seen: Mapping[UUID, int]) -> list[EpisodeReport]:
        """Return the reports of `skill-arcade check --read`, given the frames that the players saw."""
        names = {key.lower(): value for key, value in self.settings.items()}
        known = {key: value for key, value in names.items() if key in Settings.model_fields}
        settings = Settings(_env_file=None, **{**known, "skill_arcade_home": self.home})  # type: ignore[arg-type]
        engine = create_engine(await asyncio.to_thread(database_url, settings))
        objects = open_objects(settings)
        try:
            found = reconcile(settings.journal_folder, objects, engine, seen=seen, read=True)
            return [report async for report in found]
        finally:
            await objects.close()
            await engine.dispose()

    def _family(self) -> Iterator[psutil.Process]:
        yield from self.server.children(recursive=True)
