"""`skill-arcade judgements`: draw sets of clips, follow what judges answer, and export it."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.cli.formatting import make_grid, print_table
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.errors import InvalidRequest
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.judgements.results import JudgeResult, SetResult, summarise
from skill_arcade.judgements.schema import NAME, Audience, Kind, Scale, parse_specification, read_file
from skill_arcade.judgements.sets import make_set
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.judgements import close_set, get_set, list_results, list_sets
from skill_arcade.storage.objects import open_objects

app = typer.Typer(no_args_is_help=True, help="Judgements: draw clips, let people compare or rate them, read results.")
_Result = TypeVar("_Result")
Name = Annotated[str, typer.Argument(help="Name of the set.")]
ANSWERS = ("left", "right", "equal", "cannot_tell", "skip", "rating")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Name: a to z, 0 to 9 and hyphens. It is part of the address.")],
    file: Annotated[
        Path | None, typer.Option(help="YAML file with the fields of the set; the other options replace them.")
    ] = None,
    kind: Annotated[Kind | None, typer.Option(help="pair: compare two clips (default); rating: rate one.")] = None,
    game: Annotated[str | None, typer.Option(help="Id of the game.")] = None,
    pairs: Annotated[int | None, typer.Option(help="Number of pairs, or of clips to rate, without repeats.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of each clip.")] = None,
    programs: Annotated[bool | None, typer.Option(help="Also clips of programs.")] = None,
    people: Annotated[bool | None, typer.Option(help="Clips of people.")] = None,
    branches: Annotated[bool | None, typer.Option(help="Also episodes that begin at a frame of another one.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only episodes of this version, such as mine@2.")] = None,
    audience: Annotated[Audience | None, typer.Option(help="Who may judge. Default: researchers.")] = None,
    question: Annotated[str | None, typer.Option(help="What the judge is asked.")] = None,
    scale: Annotated[Scale | None, typer.Option(help="Scale of ratings.")] = None,
    gold: Annotated[float | None, typer.Option(help="Share of pairs with a known answer. Default: 0.1.")] = None,
    repeats: Annotated[float | None, typer.Option(help="Share that is shown again. Default: 0.1.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the draw. Default: 0.")] = None,
) -> None:
    """Draw a set of clips. It never changes: the same fields on the same recordings give the same set."""
    if re.fullmatch(NAME, name) is None:
        raise InvalidRequest(f"{name!r} is no name of a set: use a to z, 0 to 9, and hyphens between them.")
    fields = {} if file is None else read_file(file)
    given = {
        "kind": kind,
        "game": game,
        "items": pairs,
        "seconds": seconds,
        "branches": branches,
        "dataset": dataset,
        "audience": audience,
        "question": question,
        "scale": scale,
        "gold": gold,
        "repeats": repeats,
        "seed": seed,
    }
    fields |= {key: value for key, value in given.items() if value is not None}
    if programs is not None or people is not None:
        named = fields.get("sources", ["people"])
        wanted = {"people": people, "programs": programs}
        fields["sources"] = [
            one for one, is_wanted in wanted.items() if (one in named if is_wanted is None else is_wanted)
        ]
    specification = parse_specification(fields)
    settings = read_settings()
    catalogue = load_catalogue(settings.games_folder)

    async def work(connection: AsyncConnection) -> Any:
        objects = open_objects(settings)
        try:
            return await make_set(connection, objects, catalogue, name, specification)
        finally:
            await objects.close()

    made = asyncio.run(_run(work, settings))
    what = "pairs" if made.kind == "pair" else "clips"
    typer.echo(
        f"Drew {made.n_items} {what} of {made.n_frames} frames, and {made.n_repeats} repeats. Judges open /judge/{name}"
    )
    typer.echo(f"sha256 {made.sha256}")


@app.command("list")
def list_() -> None:
    """List all sets, the newest first."""
    numbers = ("items", "repeats", "frames")
    grid = make_grid("set", "kind", "game", *numbers, "judges", "drawn", "closed", right=numbers)
    for row in asyncio.run(_run(list_sets, read_settings())):
        closed = "" if row.time_closed is None else f"{row.time_closed.astimezone(UTC):%Y-%m-%d %H:%M}"
        counts = (str(row.n_items), str(row.n_repeats), str(row.n_frames))
        drawn = f"{row.time_created.astimezone(UTC):%Y-%m-%d %H:%M}"
        grid.add_row(row.name, row.kind, row.game_id, *counts, row.audience, drawn, closed)
    print_table(grid)


@app.command()
def close(name: Name) -> None:
    """Close a set: nobody can judge any more. Results and exports stay."""

    async def work(connection: AsyncConnection) -> None:
        await close_set(connection, name)

    asyncio.run(_run(work, read_settings()))
    typer.echo(f"{name} is closed.")


@app.command()
def show(
    name: Name,
    programs: Annotated[bool, typer.Option("--programs", help="Also answers of programs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")] = False,
) -> None:
    """Show what came out: counts, reliability of each judge, and agreement.

    Judges whose answers to gold pairs or to repeats are no better than chance are not to be relied on.
    """

    async def work(connection: AsyncConnection) -> tuple[Any, SetResult]:
        found = await get_set(connection, name)
        rows = await list_results(connection, name, ["research"], has_programs=programs)
        return found, summarise(found.kind, rows)

    found, result = asyncio.run(_run(work, read_settings()))
    if as_json:
        fields = asdict(result) | {"name": name, "sha256": found.sha256, "kind": found.kind}
        typer.echo(json.dumps(fields))
        return
    typer.echo(f"{name}: {found.kind}, {found.game_id}, {found.n_items} items, {found.n_repeats} repeats")
    typer.echo(f"sha256 {found.sha256}")
    numbers = ("answers", *ANSWERS, "gold right", "consistent", "left", "median s")
    grid = make_grid("judge", *numbers, right=numbers)
    for judge in result.judges:
        grid.add_row(*_describe_judge(judge))
    print_table(grid)
    typer.echo(f"{result.n_judgements} answers to {result.n_items} items, {result.n_shared} of them by several judges.")
    if result.alpha is None:
        typer.echo("Krippendorff's alpha is not defined: no two judges share an item, or all gave the same value.")
    else:
        typer.echo(f"Krippendorff's alpha ({result.level}): {result.alpha:.3f}")


@app.command()
def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A new Parquet file.")],
    clips: Annotated[bool, typer.Option(help="Also write the clips as arrays, to FILE-clips.parquet.")] = False,
    programs: Annotated[bool, typer.Option("--programs", help="Also answers of programs.")] = False,
    scope: Annotated[
        Literal["research", "publication"], typer.Option(help="What it is for; the players of the clips must allow it.")
    ] = "research",
) -> None:
    """Write the judgements to Parquet, one row each, under pseudonyms. docs/judgements.md describes the columns."""
    from skill_arcade.judgements.export import clips_path, export_judgements  # noqa: PLC0415  (pyarrow: half a second)

    with open_dataset(settings=read_settings()) as dataset:
        n_rows = export_judgements(dataset, name, file, [scope], has_clips=clips, has_programs=programs)
    typer.echo(f"Wrote {n_rows} judgements to {file}" + (f", and their clips to {clips_path(file)}" if clips else ""))


def _describe_judge(judge: JudgeResult) -> list[str]:
    name = f"{judge.user_id[:8]} (program)" if judge.is_program else judge.user_id[:8]
    counts = [str(judge.counts.get(answer, 0) or "") for answer in ANSWERS]
    return [
        name,
        str(sum(judge.counts.values())),
        *counts,
        _of(judge.gold_accuracy, judge.n_gold),
        _of(judge.consistency, judge.n_repeats),
        "" if judge.left_share is None else f"{judge.left_share:.0%}",
        f"{judge.median_reaction_ms / 1000:.1f}",
    ]


def _of(share: float | None, n: int) -> str:
    return "" if share is None else f"{share:.0%} of {n}"


async def _run(work: Callable[[AsyncConnection], Awaitable[_Result]], settings: Settings) -> _Result:
    async with open_engine(settings) as engine, transaction(engine) as connection:
        return await work(connection)
