"""`skill-arcade check`: reports whether each acknowledged step is stored exactly once."""

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
    """Reconcile all episodes."""
    objects = open_objects(settings)
    try:
        async with open_engine(settings) as engine:
            async with transaction(engine) as connection:
                await check_schema(connection)
            results = reconcile(settings.journal_folder, objects, engine, seen=seen, read=read)
            return [report async for report in results]
    finally:
        await objects.close()


def read_seen(path: Path | None) -> dict[UUID, int]:
    """Read a JSON object of episode ids and acknowledged steps. Raises InvalidRequest for other contents."""
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
    summary = "OK" if not wrong else f"{wrong} episodes with problems"
    grid.add_row(f"{len(reports)} episodes", *(f"{total[column]}" for column in columns), summary)
    print_table(grid)
    return not wrong


def print_json(reports: list[EpisodeReport]) -> bool:
    """Print all episodes as JSON, one object per line. Return whether there are no problems."""
    for report in reports:
        typer.echo(json.dumps({**asdict(report), "episode": str(report.episode)}))
    return not any(report.problems or report.lost or report.duplicated for report in reports)
