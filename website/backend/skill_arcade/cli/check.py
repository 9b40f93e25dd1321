"""`skill-arcade check`: says whether every acknowledged step is stored, once."""

import json
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import typer

from skill_arcade.cli.formatting import make_grid, print_table
from skill_arcade.errors import InvalidRequest
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction
from skill_arcade.storage.objects import open_objects
from skill_arcade.uploader.reconcile import EpisodeReport, reconcile


async def reconcile_all(settings: Settings, *, seen: dict[UUID, int], read: bool) -> list[EpisodeReport]:
    """Balance every episode of this arcade."""
    objects = open_objects(settings)
    try:
        async with open_engine(settings) as engine:
            async with transaction(engine) as connection:
                await check_schema(connection)
            found = reconcile(settings.journal_folder, objects, engine, seen=seen, read=read)
            return [report async for report in found]
    finally:
        await objects.close()


def read_seen(path: Path | None) -> dict[UUID, int]:
    """Read what players saw: JSON, episode id to number of steps. Raises InvalidRequest when it is not that."""
    if path is None:
        return {}
    try:
        return {UUID(episode): int(steps) for episode, steps in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidRequest(f"{path} is not a JSON object of episode ids and numbers of steps: {error}") from error


def print_reports(reports: list[EpisodeReport], *, everything: bool) -> bool:
    """Print the episodes with problems, or all, and the totals. Return whether there are no problems."""
    columns = ("acknowledged", "stored", "waiting", "quarantined", "lost", "duplicated")
    grid = make_grid("episode", *columns, "", right=columns)
    for report in reports:
        if everything or report.problems or report.lost or report.duplicated:
            name = str(report.episode) if report.episode.int else "-"
            grid.add_row(name, *(f"{getattr(report, column)}" for column in columns), "; ".join(report.problems))
    total = {column: sum(getattr(report, column) for report in reports) for column in columns}
    wrong = sum(bool(report.problems or report.lost or report.duplicated) for report in reports)
    grid.add_section()
    whole = "all in order" if not wrong else f"{wrong} not in order"
    grid.add_row(f"{len(reports)} episodes", *(f"{total[column]}" for column in columns), whole)
    print_table(grid)
    return not wrong


def print_json(reports: list[EpisodeReport]) -> bool:
    """The same as JSON, one object a line."""
    for report in reports:
        typer.echo(json.dumps({**asdict(report), "episode": str(report.episode)}))
    return not any(report.problems or report.lost or report.duplicated for report in reports)
