"""Runs a pilot for `skill-arcade studies pilot`, and reports what became of its participants."""

import asyncio
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

import typer
from sqlalchemy import Row

from skill_arcade.cli.formatting import make_grid, print_table
from skill_arcade.errors import NotFound
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.studies import COMPLETE, read_newest, read_places
from skill_arcade.studies.pilot import DROPPED_OUT, FAILED, PilotPlan, PilotResult, run_pilot
from skill_arcade.studies.schema import Study, read_stored_study

MAX_SHOWN_ERRORS = 5


def report_pilot(name: str, url: str, **options: Any) -> None:
    """Run a pilot and print its report. `options` are those of `PilotPlan`.

    Raises:
        NotFound: the study was never opened.
        Exit: a participant could not go on; the errors are printed.
    """
    settings = read_settings()
    plan = PilotPlan(name, asyncio.run(_read_study(name, settings)), url, **options)
    with typer.progressbar(length=plan.participants, label="participants") as progress:
        results = asyncio.run(run_pilot(plan, on_end=lambda _: progress.update(1)))
    places = asyncio.run(_read_places([result.user_id for result in results], settings))
    _print_outcomes(results)
    _print_stages(plan.study, results)
    _print_arms(plan.study, places)
    errors = [f"{result.last_stage or 'joining'}: {result.error}" for result in results if result.error]
    for error in errors[:MAX_SHOWN_ERRORS]:
        typer.echo(error, err=True)
    if errors:
        raise typer.Exit(1)


async def _read_study(name: str, settings: Settings) -> Study:
    async with open_engine(settings) as engine, transaction(engine) as connection:
        row = await read_newest(connection, name)
    if row is None:
        raise NotFound(f"The study {name!r} was never opened.")
    return read_stored_study(row.content)


async def _read_places(user_ids: Sequence[str], settings: Settings) -> list[Row[Any]]:
    async with open_engine(settings) as engine, transaction(engine) as connection:
        return await read_places(connection, user_ids)


def _print_outcomes(results: Sequence[PilotResult]) -> None:
    grid = make_grid("outcome", "participants", "median s", "longest s")
    for outcome, count in Counter(result.outcome for result in results).most_common():
        seconds = [result.seconds for result in results if result.outcome == outcome]
        grid.add_row(outcome, str(count), f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}")
    print_table(grid)


def _print_stages(study: Study, results: Sequence[PilotResult]) -> None:
    grid = make_grid("stage", "passed", "median s", "dropped out", "failed")
    for stage in study.stages:
        seconds = [result.stage_seconds[stage.name] for result in results if stage.name in result.stage_seconds]
        ended = Counter(result.outcome for result in results if result.last_stage == stage.name)
        median = f"{statistics.median(seconds):.1f}" if seconds else ""
        grid.add_row(stage.name, str(len(seconds)), median, str(ended[DROPPED_OUT]), str(ended[FAILED]))
    print_table(grid)


def _print_arms(study: Study, places: Sequence[Row[Any]]) -> None:
    """Print participants by arm. Those that dropped out hold their place until they are inactive for too long."""
    grid = make_grid("arm", "weight", "places held", "complete")
    for name, arm in study.arms.items():
        held = sum(place.arm == name and place.holds_slot for place in places)
        complete = sum(place.arm == name and place.status == COMPLETE for place in places)
        grid.add_row(name, str(arm.weight), str(held), str(complete))
    print_table(grid)
