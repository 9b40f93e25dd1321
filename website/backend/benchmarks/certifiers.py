"""One queue of episodes, certified by one, two and four processes of `skill-arcade certify` at once.

The product's session plays Breakout on a manual clock and its uploader uploads. Each certifier is a process as in the
job `arcade-certify`; all claim their work from the same table.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.certify import play, show_progress, temporary_arcade
from benchmarks.report import Report
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.work import request_missing
from tests.support.session_harness import upload_all

GAME = "breakout"
N_PLAYED = 24
STEPS = 3600
POLL_SECONDS = 0.05
COLUMNS = ("certifiers", "episodes", "s", "episodes/s", "ratio", "certificates", "fewest to most of one certifier")


def run(certifiers: tuple[int, ...] = (1, 2, 4)) -> Report:
    """Certify the same episodes with each number of certifiers. The time starts with the first certificate."""
    report = Report("certifiers", COLUMNS)
    with (
        tempfile.TemporaryDirectory(prefix="certifiers-", ignore_cleanup_errors=True) as name,
        temporary_arcade(Path(name)) as settings,
    ):
        game = load_catalogue().games[GAME]
        for number in range(N_PLAYED):
            play(game, settings.journal_folder, STEPS)
            show_progress(f"{number + 1} of {N_PLAYED} games played")
        asyncio.run(upload(settings))
        speeds: list[float] = []
        for n in certifiers:
            n_episodes, seconds, n_certificates, shares = asyncio.run(measure(settings, n))
            # The first certificate of the measured time is that which starts it.
            speeds.append((n_episodes - 1) / seconds)
            spread = f"{min(shares.values())} to {max(shares.values())}"
            report.add(
                n, n_episodes, round(seconds, 1), round(speeds[-1], 2), round(speeds[-1] / speeds[0], 2),
                n_certificates, spread,
            )  # fmt: skip
    report.facts["steps of each game"] = STEPS
    return report


async def upload(settings: Settings) -> None:
    """Upload what was played."""
    async with open_engine(settings) as engine:
        await upload_all(settings.journal_folder, settings.objects_folder, engine, seconds=600)


async def measure(settings: Settings, n: int) -> tuple[int, float, int, Counter[int]]:
    """Certify all episodes anew with `n` certifiers.

    Returns the number of episodes, the seconds from the first certificate to the last, the number of certificates, and
    the episodes of each certifier.
    """
    async with open_engine(settings) as engine:
        async with transaction(engine) as connection:
            await connection.execute(text("DELETE FROM certificate"))
            await request_missing(connection)
            n_episodes = await connection.scalar(text("SELECT count(*) FROM work")) or 0
        processes = [start_certifier(settings) for _ in range(n)]
        began = ended = 0.0
        n_done = 0
        while n_done < n_episodes:
            await asyncio.sleep(POLL_SECONDS)
            async with transaction(engine) as connection:
                n_done = await connection.scalar(text("SELECT count(DISTINCT episode_id) FROM certificate")) or 0
            ended = time.monotonic()
            began = began or (ended if n_done else 0.0)
            show_progress(f"{n} certifiers: {n_done} of {n_episodes} episodes")
        shares: Counter[int] = Counter()
        for number, process in enumerate(processes):
            output, _ = await asyncio.to_thread(process.communicate, timeout=120)
            shares[number] = int(output.split()[0])
        async with transaction(engine) as connection:
            n_certificates = await connection.scalar(text("SELECT count(*) FROM certificate")) or 0
    return n_episodes, ended - began, n_certificates, shares


def start_certifier(settings: Settings) -> "subprocess.Popen[Any]":
    """Start `skill-arcade certify`, which ends when no work is left."""
    environment = {
        **os.environ,
        "SKILL_ARCADE_HOME": str(settings.skill_arcade_home),
        "DATABASE_URL": str(settings.database_url),
    }
    command = [sys.executable, "-m", "skill_arcade", "certify"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
