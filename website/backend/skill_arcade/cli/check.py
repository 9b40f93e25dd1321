"""`skill-arcade check`: reports whether each acknowledged step is stored exactly once, and objects without rows."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC
from pathlib import Path
from uuid import UUID

import typer

from skill_arcade.cli.formatting import make_grid, print_table
from skill_arcade.errors import InvalidRequest
from skill_arcade.recording.journal_id import find_journal_id
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction
from skill_arcade.storage.database.servers import SilentServer, list_silent
from skill_arcade.storage.database.work import FailingWork, list_failing
from skill_arcade.storage.objects import open_objects
from skill_arcade.uploader.orphans import find_orphans, remove_orphans
from skill_arcade.uploader.reconcile import EpisodeReport, reconcile


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The reports of all episodes, the servers that were lost within the last day, and the work that fails."""

    reports: list[EpisodeReport]
    silent_servers: list[SilentServer]
    failing: list[FailingWork]

    @property
    def is_consistent(self) -> bool:
        """Whether no episode has a problem and no work fails. A lost server is none: its episodes have ended."""
        return not self.failing and not any(
            report.problems or report.lost or report.duplicated for report in self.reports
        )


async def reconcile_all(settings: Settings, *, seen: dict[UUID, int], read: bool) -> CheckResult:
    """Reconcile all episodes."""
    objects = open_objects(settings)
    try:
        async with open_engine(settings) as engine:
            async with transaction(engine) as connection:
                await check_schema(connection)
                silent_servers, failing = await list_silent(connection), await list_failing(connection)
            journal_id = find_journal_id(settings.journal_id_path)
            results = reconcile(settings.journal_folder, objects, engine, seen=seen, read=read, journal_id=journal_id)
            return CheckResult([report async for report in results], silent_servers, failing)
    finally:
        await objects.close()


async def read_orphans(settings: Settings, *, remove: bool) -> dict[UUID, set[str]]:
    """Return the keys of objects without an episode, by its id, and delete the objects if `remove` is set."""
    objects = open_objects(settings)
    try:
        async with open_engine(settings) as engine:
            found = await find_orphans(settings.journal_folder, objects, engine)
        if remove:
            await remove_orphans(objects, found)
        return found
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


def print_result(result: CheckResult, *, everything: bool) -> None:
    """Print the episodes with problems, or all, the totals, and what lost servers have left."""
    reports = result.reports
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
    for server in result.silent_servers:
        lost_at = server.time_beat.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        typer.echo(
            f"Server {server.id} ({server.address}, {server.revision}) was lost with {server.games} games. Its last "
            f"sign of life was at {lost_at} UTC."
        )
    for work in result.failing:
        since = work.time_created.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        typer.echo(
            f"Work of kind {work.kind} on {work.subject} was not done in {work.attempts} attempts since {since} UTC. "
            "The log says why."
        )
    for report in reports:
        if report.is_lost:
            typer.echo(f"Episode {report.episode} ended because its server was lost; {report.stored} steps are stored.")


def print_json(result: CheckResult) -> None:
    """Print all episodes as JSON, one object per line."""
    for report in result.reports:
        typer.echo(json.dumps({**asdict(report), "episode": str(report.episode)}))
