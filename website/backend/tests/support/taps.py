"""Many short taps on a manual clock, and how many of them were recorded and acted."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import URL

import skill_arcade.dataset as sa
from tests.support.database import opened_engine
from tests.support.self_describing_env import self_describing_game
from tests.support.session_harness import SessionHarness, upload_all

TAP_US = 5_000


@dataclass(frozen=True, slots=True)
class TapCounts:
    """Number of taps that were made, that were recorded at the right time, and that the environment received."""

    made: int
    on_record: int
    acted: int
    steps: int


def play_taps(folder: Path, url: URL, count: int, seed: int = 1) -> TapCounts:
    """Tap `count` times for 5 ms, one tap every 35 to 45 ms at any phase of the tick; upload, and read back."""
    rng, journal, objects = random.Random(seed), folder / "journal", folder / "objects"
    journal.mkdir()
    harness, changes = SessionHarness(journal, self_describing_game(), segment_us=5_000_000), []
    harness.send("start")
    for _ in range(count):
        for down, pause in ((True, rng.randint(30_000, 40_000)), (False, TAP_US)):
            play_until(harness, harness.now + pause)
            changes.append((down, harness.now))
            harness.press("tap", down=down)
    play_until(harness, harness.now + 100_000)
    harness.send("leave")

    async def deliver() -> None:
        async with opened_engine(url) as engine:
            await upload_all(journal, objects, engine, seconds=300)

    asyncio.run(deliver())
    with sa.open(url.render_as_string(hide_password=False), objects) as dataset:
        episode = dataset.episode(harness.headers[0].episode_id)
        events = [(event.data["down"], event.client_us) for event in episode.inputs]
        pressed = np.diff(episode.actions, prepend=0) == 1
        sources = set(episode.times["input_us"][pressed].tolist())
        downs = {float(at) for down, at in changes if down}
        n_equal = sum(change == event for change, event in zip(changes, events, strict=True))
        return TapCounts(count, n_equal // 2, len(downs & sources), len(episode.actions))


def play_until(harness: SessionHarness, moment: int) -> None:
    """Tick until `moment`, and set the clock to it."""
    while (due := harness.session.due_us) is not None and due <= moment:
        harness.ticks(1)
    harness.now = moment
