"""Many short taps on a manual clock, and what is on record of them."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import URL

import skill_arcade.dataset as sa
from tests.conftest import opened_engine
from tests.support.self_describing_env import self_describing_game
from tests.support.session_harness import SessionHarness, upload_all

TAP_US = 5_000


@dataclass(frozen=True, slots=True)
class TapCounts:
    """Taps that were made; on record, down and up, at the right time; that the environment saw as a press."""

    made: int
    on_record: int
    acted: int
    steps: int


def play_taps(folder: Path, url: URL, count: int, seed: int = 1) -> TapCounts:
    """Tap so often, 5 ms each, one begun every 35 to 45 ms at whatever phase of the tick; deliver, and read back."""
    rng, journal, objects = random.Random(seed), folder / "journal", folder / "objects"
    journal.mkdir()
    table, told = SessionHarness(journal, self_describing_game(), segment_us=5_000_000), []
    table.send("start")
    for _ in range(count):
        for down, pause in ((True, rng.randint(30_000, 40_000)), (False, TAP_US)):
            play_until(table, table.now + pause)
            told.append((down, table.now))
            table.press("tap", down=down)
    play_until(table, table.now + 100_000)
    table.send("leave")

    async def deliver() -> None:
        async with opened_engine(url) as engine:
            await upload_all(journal, objects, engine, seconds=300)

    asyncio.run(deliver())
    with sa.open(url.render_as_string(hide_password=False), objects) as dataset:
        episode = dataset.episode(table.headers[0].episode_id)
        found = [(event.data["down"], event.client_us) for event in episode.inputs]
        pressed = np.diff(episode.actions, prepend=0) == 1
        sources = set(episode.times["input_us"][pressed].tolist())
        downs = {float(at) for down, at in told if down}
        same = sum(one == other for one, other in zip(told, found, strict=True))
        return TapCounts(count, same // 2, len(downs & sources), len(episode.actions))


def play_until(table: SessionHarness, moment: int) -> None:
    """Let the deadlines up to this moment pass; then it is this moment."""
    while (due := table.session.due_us) is not None and due <= moment:
        table.ticks(1)
    table.now = moment
