"""How soon after its end a ten-minute game is certified: Breakout, played by a script that follows the ball.

The session plays on a manual clock, so that it need not take ten minutes. Then the real server runs; it is given every
sealed segment but the last, as it would have got them while the game went on, and delivers them. When it gets the last
one, the game is over: from then on it counts until the certificate is in the database.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.certify import SEGMENT_US, kept
from benchmarks.processes import Meter
from benchmarks.report import Report, load_average
from skill_arcade.certify.pool import verify_alone
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine
from tests.support.arcade import running_arcade
from tests.support.session_harness import SessionHarness

HZ = 60
BALL, BALL_ROW, PADDLE, HALF_PADDLE = 99, 101, 72, 8
"""Where Breakout keeps the ball's column and row (0: there is none) and the paddle's column in its RAM."""
COLUMNS = (
    "game", "steps", "score", "seconds to the certificate", "of these: re-run", "re-run, times real time",
    "certifier CPU s", "result", "load", "once more, at ordinary priority: seconds", "times real time",
)  # fmt: skip


def run(minutes: float = 10.0) -> Report:
    """Play so many minutes, and wait for the certificate."""
    report = Report("minutes", COLUMNS)
    with tempfile.TemporaryDirectory(prefix="minutes-", ignore_cleanup_errors=True) as name, kept(Path(name)) as at:
        aside = at.skill_arcade_home / "aside"
        aside.mkdir()
        table = SessionHarness(aside, "breakout", segment_us=SEGMENT_US)
        follow_ball(table, round(minutes * 60 * HZ))
        ended = table.messages_of("ended")
        assert at.database_url is not None
        with running_arcade(at.skill_arcade_home, log=None, DATABASE_URL=at.database_url) as arcade:
            load, (found, seconds, cpu) = load_average(), asyncio.run(hand_over(at, aside, arcade.process.pid))
        again, played = verify_alone(at, UUID(ended["episode"])), ended["n_steps"] / HZ
        report.add(
            "Breakout", ended["n_steps"], ended["score"], seconds, found.seconds, played / found.seconds, cpu,
            str(found.result), load, again.seconds, played / again.seconds,
        )  # fmt: skip
    return report


def follow_ball(table: SessionHarness, n_steps: int) -> None:
    """Play, and leave after so many steps; the paddle goes where the ball is."""
    ale: Any = table.session._environment._game.ale  # type: ignore[attr-defined]
    table.send("start")
    held: str | None = None
    while not table.has_ended() and table.n_steps < n_steps:
        ram = ale.getRAM()
        ahead = int(ram[BALL]) - int(ram[PADDLE]) - HALF_PADDLE
        wanted = "fire" if ram[BALL_ROW] == 0 else None if abs(ahead) <= 3 else "right" if ahead > 0 else "left"
        if wanted != held:
            for control, down in ((held, False), (wanted, True)):
                if control is not None:
                    table.press(control, down=down)
        held = wanted
        table.ticks(1)
    table.send("leave")


async def hand_over(at: Settings, aside: Path, server: int) -> tuple[Any, float, float]:
    """Give the server the segments; the certificate's row, seconds from the last one to it, the certifier's CPU."""
    [folder] = aside.iterdir()
    *_, last = sorted(path for path in folder.iterdir() if path.is_file())
    waiting = aside / last.name
    last.rename(waiting)
    folder = folder.rename(at.journal_folder / folder.name)
    async with open_engine(at) as engine, asyncio.timeout(600):
        while any(folder.glob("*.sealed")):
            await asyncio.sleep(0.05)
        meter = Meter(server, at.skill_arcade_home)
        began = time.monotonic()
        waiting.rename(folder / last.name)
        while (found := await find_certificate(engine)) is None:
            await asyncio.sleep(0.1)
            meter.read()
        return found, time.monotonic() - began, meter.seconds["certifier"]


async def find_certificate(engine: AsyncEngine) -> Any:
    """The one certificate, once it is there."""
    async with engine.connect() as connection:
        return (await connection.execute(text("SELECT result, seconds, n_steps FROM certificate"))).one_or_none()
