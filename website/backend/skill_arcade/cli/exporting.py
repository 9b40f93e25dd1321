"""`skill-arcade export`: recordings, in the formats of others."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skill_arcade.dataset.reader import open_dataset
from skill_arcade.export.formats import FormatName, find_format
from skill_arcade.export.run import export_parts, finish_export, missing_parts, open_plan
from skill_arcade.settings import read_settings


def export(
    out: Annotated[Path, typer.Argument(help="A new folder, or one with an unfinished export of the same.")],
    format_: Annotated[FormatName, typer.Option("--format", help="Whose format.")],
    where: Annotated[
        str | None,
        typer.Option(
            help="SQL on the columns of episode_summary: \"game_id = 'pong' AND certified\". None: all ended."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="How many processes at once.")] = 1,
) -> None:
    """Export episodes, lossless, under pseudonyms made for this export. Stopped, the same command goes on."""
    find_format(format_)
    settings, console = read_settings(), Console()
    # Also keeps the embedded Postgres while other processes read.
    with open_dataset(settings=settings) as dataset:
        plan = open_plan(dataset, format_, where, out)
        missing = missing_parts(plan, out)
        steps = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*steps, console=console, transient=True) as progress:
            task = progress.add_task("Episodes", total=sum(len(part.episodes) for part in missing))
            for part in export_parts(settings, plan, out, jobs):
                progress.advance(task, len(part.episodes))
        manifest = finish_export(plan, out)
    size = sum(file["bytes"] for file in manifest["files"].values())
    told = (
        f"{manifest['episodes']} episodes, {manifest['steps']} steps, {size:,} bytes in {len(manifest['files'])} files"
    )
    console.print(f"{told}: {out}", soft_wrap=True, highlight=False)
