"""Pauses and speed of episodes, from recorded times (view `episode_pace`)."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.cli.show import print_pace
from skill_arcade.storage.database.tables import Table
from tests.support.study_data import CONFIG, Press, StudyEpisode, episode_id, insert_plays

pytestmark = pytest.mark.anyio
HZ = 10
N_STEPS = 21
"""At 10 Hz the last step starts 2 s after the first."""
LEFT = 100.0


async def read_pace(
    engine: AsyncEngine,
    events: Sequence[tuple[str, float]] = (),
    *,
    stretch: float = 1.0,
    pace: dict[str, Any] | None = None,
    provenance: dict[str, Any] | None = None,
    seconds: float = LEFT,
) -> dict[str, Any]:
    """Insert an episode and return its row of `episode_summary`. `events` are kinds and times in seconds."""
    play = StudyEpisode("ann", "breakout", 0, [0] * N_STEPS, [0] * N_STEPS, seconds, [Press(0, 30_000, 1)])
    rows = [
        {
            "episode_id": episode_id(0),
            "number": 500 + number,
            "kind": kind,
            "server_us": round(at * 1e6),
            "client_us": 0,
            "step": 0,
            "data": {},
        }
        for number, (kind, at) in enumerate(events)
    ]
    async with engine.begin() as connection:
        await insert_plays(connection, [play])
        if rows:
            await connection.execute(insert(Table.metadata.tables["event"]), rows)
        game = Table.metadata.tables["game"]
        config = {**CONFIG["breakout"], "pace": pace or {"kind": "real-time", "hz": HZ}}
        await connection.execute(game.update().values(config=config))
        if provenance is not None:
            await connection.execute(Table.metadata.tables["episode"].update().values(provenance=provenance))
        await connection.execute(
            text("UPDATE transition SET server_us = step * :us"),
            {"us": round(stretch * 1e6 / HZ)},
        )
        query = text(
            "SELECT s.*, p.nominal_hz, p.elapsed_seconds, p.active_seconds FROM episode_summary s "
            "JOIN episode_pace p USING (episode_id)"
        )
        return dict((await connection.execute(query)).one()._mapping)


async def test_episode_at_the_games_pace_has_speed_one(engine: AsyncEngine) -> None:
    row = await read_pace(engine)
    assert (row["pauses"], row["paused_seconds"], row["nominal_hz"]) == (0, 0, HZ)
    assert (row["elapsed_seconds"], row["active_seconds"]) == (2, 2)
    assert (row["active_speed"], row["overall_speed"]) == (1, 1)


async def test_slow_motion_without_pauses_has_its_speed(engine: AsyncEngine) -> None:
    row = await read_pace(engine, stretch=1 / 0.91)
    assert row["active_speed"] == pytest.approx(0.91, abs=1e-3)
    assert row["overall_speed"] == pytest.approx(0.91, abs=1e-3)


async def test_pauses_lower_overall_speed_only(engine: AsyncEngine) -> None:
    # 4 s in all, of which 10 pauses of 0.2 s.
    events = [event for n in range(10) for event in (("pause", 0.3 * n), ("resume", 0.3 * n + 0.2))]
    row = await read_pace(engine, events, stretch=2)
    assert (row["pauses"], row["paused_seconds"]) == (10, pytest.approx(2))
    assert row["active_speed"] == pytest.approx(1)
    assert row["overall_speed"] == pytest.approx(0.5)


async def test_pause_within_a_pause_counts_once_and_lasts_until_resume(engine: AsyncEngine) -> None:
    events = [("pause", 0.5), ("detach", 0.7), ("pause", 0.8), ("resume", 1.5)]
    row = await read_pace(engine, events)
    assert (row["pauses"], row["paused_seconds"]) == (1, 1)


async def test_absence_at_the_end_counts_as_pause_but_not_against_the_pace(engine: AsyncEngine) -> None:
    row = await read_pace(engine, [("detach", 2.0)], seconds=62)
    assert (row["pauses"], row["paused_seconds"]) == (1, 60)
    assert (row["active_speed"], row["overall_speed"]) == (1, 1)


async def test_absence_in_lockstep_is_no_pause_until_it_is_streamed(engine: AsyncEngine) -> None:
    events = [("detach", 0.5), ("stream", 1.0), ("resume", 1.5), ("detach", 1.6), ("resume", 1.7)]
    row = await read_pace(engine, events, provenance={"mode": "lockstep"})
    assert (row["pauses"], row["paused_seconds"]) == (2, pytest.approx(0.6))


async def test_chosen_speed_is_the_nominal_pace(engine: AsyncEngine) -> None:
    row = await read_pace(engine, stretch=2, provenance={"options": {"speed": "0.5"}})
    assert (row["nominal_hz"], row["active_speed"]) == (HZ / 2, 1)


async def test_turn_based_episode_has_no_speed(engine: AsyncEngine) -> None:
    row = await read_pace(engine, [("pause", 1), ("resume", 2)], pace={"kind": "turn-based"})
    assert (row["nominal_hz"], row["active_speed"], row["overall_speed"]) == (None, None, None)
    assert (row["pauses"], row["paused_seconds"]) == (1, 1)


@pytest.mark.parametrize(
    ("pace", "line"),
    [
        ((0, 0.0, 1.0, 1.0), "pace: 1.00 of the game's speed, 1.00 with pauses; 0 pauses"),
        ((1, 2.0, 0.91, 0.5), "pace: 0.91 of the game's speed, 0.50 with pauses; 1 pause of 2.0 s in all"),
        ((300, 60.0, None, None), "pace: 300 pauses of 60.0 s in all"),
    ],
)
def test_show_prints_pauses_and_speed(pace: tuple[Any, ...], line: str) -> None:
    names = ("pauses", "paused_seconds", "active_speed", "overall_speed")
    assert print_pace(dict(zip(names, pace, strict=True))) == line
