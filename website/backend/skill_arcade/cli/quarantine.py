"""`skill-arcade quarantine`: lists segments that storage rejected, and uploads them again."""

import asyncio
from typing import Annotated

import typer

from skill_arcade.cli.formatting import make_grid, print_table, short_id
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database.engine import open_engine
from skill_arcade.storage.objects import open_objects
from skill_arcade.uploader.retry import QuarantineEntry, list_entries, retry_entries

app = typer.Typer(no_args_is_help=True, help="List and retry segments that storage rejected for their content.")


@app.command("list")
def list_quarantine() -> None:
    """List quarantined segments, with the reason."""
    entries = asyncio.run(_read_entries(read_settings()))
    if not entries:
        typer.echo("No segment is quarantined.")
        return
    grid = make_grid("episode", "segment", "in this journal", "reason")
    for entry in entries:
        grid.add_row(
            short_id(entry.episode_id), str(entry.number), "yes" if entry.path is not None else "no", entry.reason
        )
    print_table(grid)


@app.command("retry")
def retry_quarantine(
    episode: Annotated[
        list[str] | None, typer.Argument(help="Episode ids, or their first characters; all, if none is given.")
    ] = None,
) -> None:
    """Upload quarantined segments again. Exit code 1 if one is rejected again."""
    prefixes = episode or [""]

    async def work() -> bool:
        settings = read_settings()
        objects = open_objects(settings)
        succeeded = True
        try:
            async with open_engine(settings) as engine:
                entries = await list_entries(settings.journal_folder, engine)
                chosen = [entry for entry in entries if str(entry.episode_id).startswith(tuple(prefixes))]
                async for result in retry_entries(chosen, objects, engine):
                    outcome = f"rejected again: {result.error}" if result.error else "uploaded"
                    typer.echo(f"{result.entry.episode_id} segment {result.entry.number}: {outcome}")
                    succeeded &= not result.error
        finally:
            await objects.close()
        return succeeded

    if not asyncio.run(work()):
        raise typer.Exit(1)


async def _read_entries(settings: Settings) -> list[QuarantineEntry]:
    async with open_engine(settings) as engine:
        return await list_entries(settings.journal_folder, engine)
