"""Time from the end of a ten-minute game to its certificate.

A script that follows the ball plays Breakout on a manual clock, which takes less than ten minutes. The real server then
receives every sealed segment but the last one, as it would during the game, and uploads them. The time is measured from
the arrival of the last segment, which ends the game, until the certificate is in the database.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.certify import SEGMENT_US, temporary_arcade
from benchmarks.processes import CpuMeter
from benchmarks.report import Report, load_average
from skill_arcade.certify.pool import verify_alone
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine
from tests.support.arcade import running_arcade
from tests.support.session_harness import SessionHarness

HZ = 60
BALL, BALL_ROW, PADDLE, HALF_PADDLE = 99, 101, 72, 8
"""Addresses in Breakout's RAM of the ball's column and row (0 without a ball) and of the paddle's column."""
COLUMNS = (
    "game", "steps", "score", "seconds to the certificate", "of these: re-run", "re-run, times real time",
    "certifier CPU s", "result", "load", "once more, at ordinary priority: seconds", "times real time",
)  # fmt: skip


def run(minutes: float = 10.0) -> Report:
    """Play for `minutes` of game time, and wait for the certificate."""
    report = Report("minutes", COLUMNS)
    with (
        tempfile.TemporaryDirectory(prefix="minutes-", ignore_cleanup_errors=True) as name,
        temporary_arcade(Path(name)) as settings,
    ):
        waiting_folder = settings.skill_arcade_home / "waiting"
        waiting_folder.mkdir()
        harness = SessionHarness(waiting_folder, "breakout", segment_us=SEGMENT_US)
        follow_ball(harness, round(minutes * 60 * HZ))
        ended = harness.messages_of("ended")
        assert settings.database_url is not None
        with running_arcade(settings.skill_arcade_home, log=None, DATABASE_URL=settings.database_url) as arcade:
            load, (certificate, seconds, cpu) = (
                load_average(),
                asyncio.run(upload_and_certify(settings, waiting_folder, arcade.process.pid)),
            )
        ordinary, played = verify_alone(settings, UUID(ended["episode"])), ended["n_steps"] / HZ
        report.add(
            "Breakout", ended["n_steps"], ended["score"], seconds, certificate.seconds,
            played / certificate.seconds, cpu, str(certificate.result), load,
            ordinary.seconds, played / ordinary.seconds,
        )  # fmt: skip
    return report


def follow_ball(harness: SessionHarness, n_steps: int) -> None:
    """Play with the paddle at the ball, and leave after `n_steps` steps."""
    ale: Any = harness.session._environment._game.ale  # type: ignore[attr-defined]
    harness.send("start")
    held: str | None = None
    while not harness.has_ended() and harness.n_steps < n_steps:
        ram = ale.getRAM()
        offset = int(ram[BALL]) - int(ram[PADDLE]) - HALF_PADDLE
        wanted = "fire" if ram[BALL_ROW] == 0 else None if abs(offset) <= 3 else "right" if offset > 0 else "left"
        if wanted != held:
            for control, down in ((held, False), (wanted, True)):
                if control is not None:
                    harness.press(control, down=down)
        held = wanted
        harness.ticks(1)
    harness.send("leave")


async def upload_and_certify(settings: Settings, waiting_folder: Path, server: int) -> tuple[Any, float, float]:
    """Give the server the segments. Return the certificate's row, seconds since the last one, and CPU seconds."""
    [folder] = waiting_folder.iterdir()
    *_, last = sorted(path for path in folder.iterdir() if path.is_file())
    last_segment = waiting_folder / last.name
    last.rename(last_segment)
    folder = folder.rename(settings.journal_folder / folder.name)
    async with open_engine(settings) as engine, asyncio.timeout(600):
        while any(folder.glob("*.sealed")):
            await asyncio.sleep(0.05)
        meter = CpuMeter(server, settings.skill_arcade_home)
        started = time.monotonic()
        last_segment.rename(folder / last.name)
        while (certificate := await find_certificate(engine)) is None:
            await asyncio.sleep(0.1)
            meter.read()
        return certificate, time.monotonic() - started, meter.seconds["certifier"]


async def find_certificate(engine: AsyncEngine) -> Any:
    """Return the row of the certificate, or None until it exists."""
    async with engine.connect() as connection:
        return (await connection.execute(text("SELECT result, seconds, n_steps FROM certificate"))).one_or_none()
