"""`skill-arcade export`: recordings, in the formats of others."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skill_arcade.dataset.reader import open_dataset
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.formats import FormatName, find_format
from skill_arcade.export.plan import Plan
from skill_arcade.export.run import export_parts, finish_export, missing_parts, open_plan, read_plan
from skill_arcade.settings import Settings, read_settings
from skill_arcade.shards import Shard

ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard", metavar="I/N", help="Only share I of N. In a Cloud Run job of several tasks: each task its own."
    ),
]
RayOption = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="On this Ray cluster, --jobs at once; `local`: one started here."),
]


def export(
    out: Annotated[Path, typer.Argument(help="A new folder, or one with an unfinished export of the same.")],
    format_: Annotated[FormatName, typer.Option("--format", help="Whose format.")],
    where: Annotated[
        str | None,
        typer.Option(
            help="SQL on the columns of episode_summary: \"game_id = 'pong' AND certified\". None: all ended."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=4096, help="How many processes at once.")] = 1,
    ray: RayOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only decide what will be in it: before shares begin.")] = False,
    shard: ShardOption = None,
    finish: Annotated[bool, typer.Option("--finish", help="Only put it together: after all shares.")] = False,
) -> None:
    """Export episodes, lossless, under pseudonyms made for this export. Stopped, the same command goes on.

    On several machines that have OUT in common (a bucket that is mounted): once with `--plan`, then with
    `--shard 0/4` to `--shard 3/4` anywhere and in any order, then once with `--finish`.
    """
    if plan and finish:
        raise InvalidRequest("--plan is before the shares and --finish after them: give one of the two.")
    find_format(format_)
    settings, share = read_settings(), None if plan or finish else Shard.read(shard)
    # Also keeps the embedded Postgres while other processes read.
    with open_dataset(settings=settings) as dataset:
        made = read_plan(out) if share or finish else open_plan(dataset, format_, where, out)
        if plan:
            typer.echo(f"{made.n_episodes} episodes in {len(made.parts)} parts are planned: {out}")
            return
        if not finish:
            _make_parts(settings, made, out, jobs, shard=share, ray=ray)
        if share is None:
            typer.echo(f"{describe(finish_export(made, out))}: {out}")


def describe(manifest: dict[str, Any]) -> str:
    """Say how much an export holds."""
    size = sum(file["bytes"] for file in manifest["files"].values())
    return (
        f"{manifest['episodes']} episodes, {manifest['steps']} steps, {size:,} bytes in {len(manifest['files'])} files"
    )


def _make_parts(settings: Settings, plan: Plan, out: Path, jobs: int, *, shard: Shard | None, ray: str | None) -> None:
    missing = missing_parts(plan, out, shard)
    steps = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*steps, console=Console(), transient=True) as progress:
        task = progress.add_task("Episodes", total=sum(len(part.episodes) for part in missing))
        for part in export_parts(settings, plan, out, jobs, shard=shard, ray=ray):
            progress.advance(task, len(part.episodes))
    if shard is not None:
        typer.echo(f"Share {shard.index}/{shard.count}: {len(missing)} of {len(plan.parts)} parts made now.")
