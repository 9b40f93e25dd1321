"""`skill-arcade datasets`: save selections of episodes as versions that never change, export, compare, publish them."""

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.cli.export import (
    TestFraction,
    check_test_fraction,
    describe,
    export_planned,
    print_left_out,
)
from skill_arcade.cli.formatting import make_grid, print_table
from skill_arcade.cli.source import open_source
from skill_arcade.dataset.reader import Dataset, open_dataset
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.dataset_files import check_description
from skill_arcade.export.formats import FormatName, find_format
from skill_arcade.export.hub import publish_export
from skill_arcade.export.run import finish_export, list_left_out
from skill_arcade.export.saved_datasets import (
    Reference,
    check_still_whole,
    describe_row,
    find_version,
    list_differences,
    make_new_version,
    open_version_plan,
)
from skill_arcade.research.selection import Selection, parse_filters
from skill_arcade.settings import Settings, read_settings
from skill_arcade.storage.database.consents import PUBLICATION, RESEARCH
from skill_arcade.storage.database.dataset_versions import (
    NewVersion,
    add_publication,
    add_successors,
    check_name,
    compare_versions,
    count_removed,
    describe_games,
    find_newest,
    get_version,
    list_versions,
    save_version,
)
from skill_arcade.storage.database.engine import open_engine, transaction
from skill_arcade.storage.database.episode_measures import measure_missing
from skill_arcade.storage.objects import open_objects

app = typer.Typer(no_args_is_help=True, help="Datasets: save a selection of episodes, export, compare and publish it.")
_Result = TypeVar("_Result")
INSUFFICIENT_PRIVILEGE = "42501"
"""SQLSTATE of a statement that the database user has no right to run."""
Version = Annotated[str, typer.Argument(help="Name of a dataset, for its newest version, or NAME@2 for version 2.")]
Format = Annotated[FormatName, typer.Option("--format", help="Format of the export.")]


@app.command()
def save(
    name: Annotated[str, typer.Argument(help="Name: a to z, 0 to 9 and hyphens. A known name gets a new version.")],
    where: Annotated[
        str | None,
        typer.Option(help="SQL on the columns of episode_summary. Default: as the newest version, or all ended."),
    ] = None,
    filters: Annotated[
        str | None,
        typer.Option(help="Filters of the research page, as in its address: 'game=breakout&daytime=morning'."),
    ] = None,
    scope: Annotated[
        str | None, typer.Option(help="What it is for: `research` (default) or `publication`. Episodes need consent.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title, for the citation.")] = None,
    summary: Annotated[str | None, typer.Option(help="Why the dataset exists and what it has.")] = None,
    author: Annotated[
        list[str] | None, typer.Option(help="Author, as `Family, Given`, or the name of a group; may be repeated.")
    ] = None,
    license_: Annotated[str | None, typer.Option("--license", help="SPDX id, such as CC-BY-4.0.")] = None,
    contact: Annotated[str | None, typer.Option(help="E-mail address to write to.")] = None,
) -> None:
    """Save the selected episodes as the next version of a dataset. It never changes.

    What is not given is taken from the newest version.
    """
    check_name(name)
    if where is not None and filters is not None:
        raise InvalidRequest("--where and --filters cannot be combined: --filters is the condition.")
    if scope not in (None, RESEARCH, PUBLICATION):
        raise InvalidRequest(f"--scope is {scope!r}: give research or publication.")
    given = {"title": title, "summary": summary, "authors": author, "license": license_, "contact": contact}
    selection = None if filters is None else parse_filters(filters)
    settings = read_settings()

    async def work() -> Row[Any]:
        async with open_engine(settings) as engine:
            async with transaction(engine) as connection:
                newest = await find_newest(connection, name)
            new = _plan_save(name, newest, given, where, selection, scope)
            if new.filters is not None:
                objects = open_objects(settings)
                try:
                    await measure_missing(engine, objects)
                finally:
                    await objects.close()
            async with transaction(engine) as connection:
                return await save_version(connection, new)

    with _explain_missing_rights():
        saved = asyncio.run(work())
    typer.echo(f"Saved {_name(saved)}: {_count(saved)}\nsha256 {saved.digest}")
    if saved.n_without_consent:
        typer.echo(f"{saved.n_without_consent} more episodes match, and their players do not allow {saved.scope}.")


@app.command("list")
def list_() -> None:
    """List all versions of all datasets, the newest version of a dataset first."""

    async def work(connection: AsyncConnection) -> list[tuple[Row[Any], int]]:
        return [(row, await count_removed(connection, row)) for row in await list_versions(connection)]

    grid = make_grid("version", "saved", "cause", "scope", "episodes", "removed since", right=("episodes",))
    for row, n_removed in asyncio.run(_read(work)):
        when = f"{row.time_created.astimezone(UTC):%Y-%m-%d %H:%M}"
        grid.add_row(_name(row), when, row.cause, row.scope, str(row.n_episodes), str(n_removed or ""))
    print_table(grid)


@app.command()
def show(
    version: Version, as_json: Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")] = False
) -> None:
    """Show a version: its query, games, software, digest, and what happened to it since."""
    reference = Reference.parse(version)

    async def work(connection: AsyncConnection) -> tuple[Row[Any], list[Row[Any]], int]:
        row = await get_version(connection, reference.name, reference.number)
        return row, await describe_games(connection, row.id), await count_removed(connection, row)

    row, games, n_removed = asyncio.run(_read(work))
    if as_json:
        typer.echo(json.dumps(describe_row(row) | {"removed_since": n_removed, "publications": row.publications}))
        return
    typer.echo(f"{_name(row)}: {_count(row)}, for {row.scope}\nsha256 {row.digest}")
    for field, value in row.description.items():
        typer.echo(f"{field}: {'; '.join(value) if isinstance(value, list) else value}")
    typer.echo(f"schema {row.schema_version}, {', '.join(f'{one} {of}' for one, of in row.software.items())}")
    typer.echo(f"query:\n{row.query}")
    grid = make_grid("game", "episodes", "steps", "players", "certified", right=("episodes", "steps", "players"))
    for game in games:
        grid.add_row(game.game_id, str(game.episodes), str(game.steps), str(game.players), str(game.certified))
    print_table(grid)
    if row.removed:
        typer.echo(f"Removed from the previous version, by their ids in exports: {', '.join(row.removed)}")
    for address, time in row.publications.items():
        typer.echo(f"Published at {time}: {address}")
    if n_removed:
        typer.echo(f"{n_removed} episodes were erased or withdrawn since, so this version cannot be exported any more.")


@app.command()
def export(
    version: Version,
    out: Annotated[Path, typer.Argument(help="A new folder, or one with an unfinished export by the same command.")],
    format_: Format,
    test_fraction: TestFraction = None,
    jobs: Annotated[int, typer.Option(min=1, max=4096, help="Number of parallel processes.")] = 1,
) -> None:
    """Export a version. Every export of it has the same bytes; repeat the command to resume an interrupted one.

    Exit codes are those of `skill-arcade export`.
    """
    settings, reference = read_settings(), Reference.parse(version)
    with open_dataset(settings=settings) as dataset:
        row = find_version(dataset, reference)
        left_out = _export(settings, dataset, row, format_, out, jobs, test_fraction)
    print_left_out(left_out)


@app.command()
def compare(first: Version, second: Version) -> None:
    """Compare two versions, of one dataset or of two: which episodes they share, and what else differs."""
    references = [Reference.parse(text) for text in (first, second)]

    async def work(connection: AsyncConnection) -> tuple[list[Row[Any]], Any]:
        rows = [await get_version(connection, one.name, one.number) for one in references]
        return rows, await compare_versions(connection, rows[0].id, rows[1].id)

    rows, found = asyncio.run(_read(work))
    names = [_name(row) for row in rows]
    numbers = ("same", "changed", "only_first", "only_second")
    grid = make_grid("game", "same", "changed", f"only {names[0]}", f"only {names[1]}", right=("same", "changed"))
    for game in found.games:
        grid.add_row(game.game_id, *(str(getattr(game, name)) for name in numbers))
    grid.add_row("all", *(str(getattr(found, name)) for name in numbers))
    print_table(grid)
    for name, n_erased in zip(names, (found.erased_first, found.erased_second), strict=True):
        if n_erased:
            typer.echo(f"{n_erased} episodes of {name} were erased since, and are not counted.")
    for field in ("query", "scope", "schema_version", "software", "description"):
        before, after = (getattr(row, field) for row in rows)
        if before != after:
            typer.echo(f"{field} differs:\n- {before}\n+ {after}")


@app.command()
def publish(
    version: Version,
    repository: Annotated[str, typer.Argument(help="Owner and name of the dataset, such as `ann/breakout-people`.")],
    format_: Format = FormatName.hf,
    test_fraction: TestFraction = None,
    public: Annotated[bool, typer.Option("--public", help="Everybody can read a new repository.")] = False,
) -> None:
    """Export a version and publish it on the Hugging Face Hub. It must have been saved with --scope publication.

    Licence, contact and summary are those of the version. Publish only what the players agreed to: a published export
    cannot be recalled.
    """
    settings, reference = read_settings(), Reference.parse(version)
    with open_dataset(settings=settings) as dataset, tempfile.TemporaryDirectory(prefix="skill-arcade-") as folder:
        row, out = find_version(dataset, reference), Path(folder) / "export"
        left_out = _export(settings, dataset, row, format_, out, 1, test_fraction)
        for address in publish_export(out, repository, private=not public):
            typer.echo(f"Published: {address}")
            with _explain_missing_rights():
                dataset.source.run(partial(add_publication, version_id=row.id, address=address), writes=True)
    print_left_out(left_out)


@app.command()
def renew() -> None:
    """Make a successor of each dataset that lost episodes. Servers do so by themselves after an erasure."""
    with _explain_missing_rights():
        added = asyncio.run(_write(add_successors, read_settings()))
    for row in added:
        typer.echo(f"Saved {_name(row)}: {_count(row)}, without {len(row.removed)} of the previous version")
    if not added:
        typer.echo("No dataset has lost episodes.")


def _plan_save(
    name: str,
    newest: Row[Any] | None,
    given: dict[str, Any],
    where: str | None,
    filters: Selection | None,
    scope: str | None,
) -> NewVersion:
    """Return what to save, with what is not given taken from the newest version."""
    description = {} if newest is None else dict(newest.description)
    description |= {key: value for key, value in given.items() if value}
    check_description(description)
    if newest is not None and where is None and filters is None:
        where, filters = newest.query, None
        if newest.filters is not None:
            filters = Selection.model_validate(newest.filters)
    chosen_scope = scope or (RESEARCH if newest is None else newest.scope)
    return make_new_version(name, chosen_scope, description, where=where, filters=filters)


def _export(
    settings: Settings,
    dataset: Dataset,
    row: Row[Any],
    format_: FormatName,
    out: Path,
    jobs: int,
    test_fraction: float | None,
) -> list[dict[str, Any]]:
    """Write an export of a version, and return the episodes that its format cannot hold."""
    find_format(format_)
    check_test_fraction(test_fraction)
    for difference in list_differences(row):
        typer.echo(f"{difference}; the bytes of files may differ from other exports.", err=True)
    plan = open_version_plan(dataset, format_, row, out, test_fraction)
    export_planned(settings, plan, out, jobs)
    check_still_whole(dataset, row, out)
    left_out = list_left_out(plan, out)
    typer.echo(f"{_name(row)}: {describe(finish_export(plan, out))}: {out}")
    return left_out


def _name(row: Row[Any]) -> str:
    return f"{row.dataset_name}@{row.number}"


def _count(row: Row[Any]) -> str:
    return f"{row.n_episodes} episodes, {row.n_steps} steps, {row.n_players} players"


async def _read(work: Callable[[AsyncConnection], Awaitable[_Result]]) -> _Result:
    async with open_source(read_settings()) as connection:
        return await work(connection)


async def _write(work: Callable[[AsyncConnection], Awaitable[_Result]], settings: Settings) -> _Result:
    async with open_engine(settings) as engine, transaction(engine) as connection:
        return await work(connection)


@contextmanager
def _explain_missing_rights() -> Iterator[None]:
    """Raise InvalidRequest if this database user may not write."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != INSUFFICIENT_PRIVILEGE:
            raise
        raise InvalidRequest(
            "This database user may only read, and a version is written to the database. Save it on the research page, "
            "or with the database user of the server. Reading and exporting need no other rights."
        ) from error
