"""`skill-arcade export`: exports recordings in the formats of other tools."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.formats import FormatName, find_format
from skill_arcade.export.plan import Plan, describe_without_consent
from skill_arcade.export.run import (
    discard_stale_parts,
    export_parts,
    finish_export,
    list_left_out,
    missing_parts,
    open_plan,
    read_plan,
)
from skill_arcade.settings import Settings, read_settings
from skill_arcade.shards import Shard
from skill_arcade.storage.database.consents import PUBLICATION, RESEARCH

EXIT_LEFT_OUT = 3
"""Exit code if episodes were left out."""

ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard", metavar="I/N", help="Process only shard I of N. Default in a Cloud Run job: one shard per task."
    ),
]
RayOption = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Run --jobs tasks on this Ray cluster; `local` starts one here."),
]
TestFraction = Annotated[
    float | None,
    typer.Option(
        "--test-fraction",
        metavar="0.2",
        help="Put the episodes of about this fraction of the players into a split `test`: hf, lerobot, rlds.",
    ),
]


def export(
    out: Annotated[Path, typer.Argument(help="A new folder, or one with an unfinished export by the same command.")],
    format_: Annotated[FormatName, typer.Option("--format", help="Format of the export.")],
    where: Annotated[
        str | None,
        typer.Option(
            help="SQL on the columns of episode_summary: \"game_id = 'pong' AND certified\". Default: all ended."
        ),
    ] = None,
    test_fraction: TestFraction = None,
    scope: Annotated[
        str,
        typer.Option(help="What the export is for: `research`, or `publication` to publish it. Episodes need consent."),
    ] = RESEARCH,
    jobs: Annotated[int, typer.Option(min=1, max=4096, help="Number of parallel processes.")] = 1,
    ray: RayOption = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only create the plan, before the shards run.")] = False,
    shard: ShardOption = None,
    finish: Annotated[bool, typer.Option("--finish", help="Only finish the export, after all shards.")] = False,
) -> None:
    """Export episodes losslessly, under pseudonyms. Repeat the command to resume an interrupted export.

    To divide an export between machines that share OUT (such as a mounted bucket), run it once with `--plan`,
    then with `--shard 0/4` to `--shard 3/4` in any order, then once with `--finish`.

    Episodes whose players do not allow `--scope` are left out, and their number is printed and in the manifest.

    An episode that cannot be exported is left out. Its id and the reason are printed and are in the manifest.

    Exit codes: 0 if every episode is exported, 1 if the export failed, 3 if it is complete except for episodes that
    were left out.
    """
    if plan and finish:
        raise InvalidRequest("--plan and --finish cannot be combined: --plan comes first, --finish after all shards.")
    find_format(format_)
    settings, selected_shard = read_settings(), None if plan or finish else Shard.read(shard)
    # The open dataset also keeps the embedded Postgres running for the worker processes.
    with open_dataset(settings=settings) as dataset:
        export_plan = (
            read_plan(out)
            if selected_shard or finish
            else _open_plan(dataset, format_, where, out, test_fraction, scope)
        )
        if plan:
            typer.echo(f"{export_plan.n_episodes} episodes in {len(export_plan.parts)} parts are planned: {out}")
            return
        if not finish:
            export_planned(settings, export_plan, out, jobs, shard=selected_shard, ray=ray)
        elif not missing_parts(export_plan, out) and discard_stale_parts(export_plan, out):
            # Shards number their episodes before they know what other shards leave out.
            export_planned(settings, export_plan, out, jobs, ray=ray)
        if selected_shard is None:
            left_out = list_left_out(export_plan, out)
            typer.echo(f"{describe(finish_export(export_plan, out))}: {out}")
            if export_plan.n_without_consent:
                typer.echo(describe_without_consent(export_plan.n_without_consent, export_plan.scope), err=True)
            print_left_out(left_out)


def _open_plan(
    dataset: Dataset, format_: FormatName, where: str | None, out: Path, test_fraction: float | None, scope: str
) -> Plan:
    check_test_fraction(test_fraction)
    if scope not in (RESEARCH, PUBLICATION):
        raise InvalidRequest(f"--scope is {scope!r}: give research or publication.")
    return open_plan(dataset, format_, where, out, test_fraction=test_fraction, scope=scope)


def check_test_fraction(fraction: float | None) -> None:
    """Raise InvalidRequest unless a fraction is between 0 and 1, or None for no split."""
    if fraction is not None and not 0 < fraction < 1:
        raise InvalidRequest(f"--test-fraction is {fraction:g}: give a number between 0 and 1, such as 0.2.")


def describe(manifest: dict[str, Any]) -> str:
    """Return a summary of an export's size."""
    size = sum(file["bytes"] for file in manifest["files"].values())
    return (
        f"{manifest['episodes']} episodes, {manifest['steps']} steps, {size:,} bytes in {len(manifest['files'])} files"
    )


def print_left_out(left_out: list[dict[str, Any]]) -> None:
    """Print the episodes that were left out, if any, and exit with `EXIT_LEFT_OUT`."""
    if not left_out:
        return
    typer.echo(f"Left out, because they cannot be exported: {len(left_out)} episodes.", err=True)
    for entry in left_out:
        typer.echo(f"  {entry['episode']} ({entry['group']}): {entry['reason']}", err=True)
    raise typer.Exit(EXIT_LEFT_OUT)


def export_planned(
    settings: Settings, plan: Plan, out: Path, jobs: int, *, shard: Shard | None = None, ray: str | None = None
) -> None:
    """Write the missing parts of an export, and show the progress."""
    missing = missing_parts(plan, out, shard)
    steps = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*steps, console=Console(), transient=True) as progress:
        task = progress.add_task("Episodes", total=sum(len(part.episodes) for part in missing))
        for part in export_parts(settings, plan, out, jobs, shard=shard, ray=ray):
            progress.advance(task, len(part.episodes))
    if shard is not None:
        typer.echo(f"Shard {shard.index}/{shard.count}: {len(missing)} of {len(plan.parts)} parts exported.")
