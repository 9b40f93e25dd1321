"""`skill-arcade archive`: moves the transitions of old episodes to the object store."""

from datetime import timedelta
from typing import TYPE_CHECKING

import typer

from skill_arcade.errors import InvalidRequest
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import check_schema, open_engine, transaction
from skill_arcade.storage.objects import open_objects
from skill_arcade.telemetry import set_up_logging

if TYPE_CHECKING:
    from skill_arcade.storage.archive.archiver import ArchiveProgress


async def archive(settings: Settings, after_days: int | None) -> None:
    """Archive all episodes that ended more than `after_days` days ago, by default the setting, and print the progress.

    Raises:
        InvalidRequest: neither is set.
    """
    from skill_arcade.storage.archive.archiver import Archiver  # noqa: PLC0415  (pyarrow takes half a second)

    days = after_days or settings.archive_after_days
    if days is None:
        raise InvalidRequest("Nothing is archived: set ARCHIVE_AFTER_DAYS, or give --after-days.")
    set_up_logging(settings.log_format, settings.log_level)
    objects = open_objects(settings)
    try:
        async with open_engine(settings) as engine:
            async with transaction(engine) as connection:
                await check_schema(connection)
            done = await Archiver(engine, objects, _print_progress).run(timedelta(days=days))
    finally:
        await objects.close()
    typer.echo(f"{done.n_episodes} episodes with {done.n_steps} transitions were archived, {done.n_bytes} bytes.")
    if done.n_waiting:
        typer.echo(f"{done.n_waiting} episodes wait, or another process archives them. The log names failures.")


def _print_progress(progress: "ArchiveProgress") -> None:
    typer.echo(f"{progress.n_episodes} episodes, {progress.n_steps} transitions; {progress.n_waiting} episodes wait")
