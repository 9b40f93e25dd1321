"""The command line interface: `skill-arcade --help`."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from skill_arcade import __version__
from skill_arcade.cli import check as check_command
from skill_arcade.cli import data_dictionary, formatting, psql, server, settings_reference
from skill_arcade.cli import export as export_command
from skill_arcade.cli import games as games_command
from skill_arcade.cli import quarantine as quarantine_command
from skill_arcade.cli import show as show_command
from skill_arcade.cli import verify as verify_command
from skill_arcade.cli.source import check_current, open_source
from skill_arcade.errors import ArcadeError, InvalidRequest
from skill_arcade.settings import read_settings
from skill_arcade.shards import Shard
from skill_arcade.storage.database import engine, grants, queries
from skill_arcade.storage.database.tables import EpisodeStatus
from skill_arcade.storage.objects import open_objects


class Commands(TyperGroup):
    """Command group that prints an ArcadeError as a message instead of a stack trace."""

    def invoke(self, ctx: Any) -> Any:
        with report_errors():
            return super().invoke(ctx)


@contextlib.contextmanager
def report_errors() -> Iterator[None]:
    """Print an ArcadeError to standard error and exit with code 1."""
    try:
        yield
    except ArcadeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def describe(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Play Gymnasium environments in a browser, and record every frame, action and time exactly.

    Settings are read from the environment and from `.env`. Without settings all data is stored on this
    machine, in an embedded Postgres and in a folder.
    """
    if version:
        typer.echo(f"skill-arcade {__version__}")
        raise typer.Exit


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Host name or IP address to bind to; 0.0.0.0 accepts all interfaces.")
    ] = "localhost",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to bind to; 0 selects a free port.")] = 8080,
) -> None:
    """Run the server until Ctrl-C."""
    server.run_server(host, port)


@app.command()
def migrate(
    app: Annotated[
        str | None, typer.Option(help="Grant this database user the rights of a server.", metavar="USER")
    ] = None,
    reader: Annotated[
        str | None, typer.Option(help="Grant this database user or group the rights of a researcher.", metavar="USER")
    ] = None,
) -> None:
    """Migrate the database to the schema of this version. The embedded Postgres is migrated automatically."""
    settings = read_settings()
    asyncio.run(engine.migrate(settings))
    asyncio.run(grants.grant_rights(settings, app=app, reader=reader))
    typer.echo(asyncio.run(check_current(settings)))


app.add_typer(games_command.app, name="games")
app.add_typer(quarantine_command.app, name="quarantine")


@app.command()
def episodes(
    game: Annotated[str | None, typer.Option(help="Limit the list to this game, by id.")] = None,
    user: Annotated[str | None, typer.Option(help="Limit the list to this player, by e-mail or id.")] = None,
    status: Annotated[EpisodeStatus | None, typer.Option(help="Limit the list to this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=queries.MAX_PAGE_SIZE, help="Maximum number of episodes.")] = 20,
    before: Annotated[
        str | None, typer.Option(help="Limit the list to episodes older than this one.", metavar="EPISODE")
    ] = None,
) -> None:
    """List recorded episodes, newest first."""

    async def read() -> list[queries.EpisodeListItem]:
        async with open_source(read_settings()) as connection:
            last = (await queries.find_episode(connection, before)).id if before else None
            return await queries.list_episodes(
                connection, user=user, game=game, status=status, before=last, limit=limit
            )

    lines = asyncio.run(read())
    if not lines:
        typer.echo("No matching episodes." if game or user or status or before else "No episodes yet.")
        return
    formatting.print_table(formatting.episodes_table(lines))
    if len(lines) == limit:
        typer.echo(f"For older episodes add --before {formatting.short_id(lines[-1].id)}")


@app.command()
def show(episode: Annotated[str, typer.Argument(help="Id of the episode, or a unique prefix of it.")]) -> None:
    """Show an episode: its rows, objects and origin, and whether all objects are intact."""
    settings = read_settings()

    async def read() -> show_command.EpisodeDetails:
        async with open_source(settings) as connection:
            line = await queries.find_episode(connection, episode)
            return await show_command.read_details(connection, line, open_objects(settings), settings)

    details = asyncio.run(read())
    show_command.print_details(details)
    if details.faults:
        raise InvalidRequest(f"{len(details.faults)} objects of the episode are missing or damaged.")


@app.command()
def verify(
    episode: Annotated[list[str] | None, typer.Argument(help="Ids of episodes, or unique prefixes.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Verify all finished episodes.")] = False,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Number of parallel processes.")] = os.cpu_count() or 1,
    ray: export_command.RayOption = None,
    shard: export_command.ShardOption = None,
) -> None:
    """Re-run episodes from seed and actions, compare them with the recordings, and store the verdicts."""
    selected_shard = Shard.read(shard) if everything else None
    verification = verify_command.verify(
        read_settings(), episode or [], everything=everything, jobs=jobs, shard=selected_shard, ray=ray
    )
    if not asyncio.run(verification):
        raise typer.Exit(1)


@app.command()
def check(
    seen: Annotated[
        Path | None,
        typer.Option(
            help="JSON file: episode id to the number of steps acknowledged by the player's browser.", metavar="FILE"
        ),
    ] = None,
    read: Annotated[bool, typer.Option("--read", help="Read all objects and verify their checksums.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="List all episodes, not only those with problems.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all episodes as JSON, one object per line.")] = False,
) -> None:
    """Reconcile journal, objects and rows: each acknowledged step must be stored exactly once."""
    reports = asyncio.run(check_command.reconcile_all(read_settings(), seen=check_command.read_seen(seen), read=read))
    is_consistent = (
        check_command.print_json(reports) if as_json else check_command.print_reports(reports, everything=everything)
    )
    if not is_consistent:
        raise typer.Exit(1)


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page of the docs, with the views.")] = False,
) -> None:
    """Describe the tables and the meaning of each column."""
    if markdown:
        typer.echo(data_dictionary.render_dictionary(), nl=False)
    else:
        formatting.print_schema()


@app.command(name="settings")
def show_settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the page of the docs, with all limits.")] = False,
) -> None:
    """List every setting with its default and its effect."""
    if markdown:
        typer.echo(settings_reference.render_settings(), nl=False)
    else:
        formatting.print_settings()


@app.command(name="psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def open_psql(ctx: typer.Context) -> None:
    """Run `psql` on the database with the given arguments: `skill-arcade psql -c "select count(*) from episode"`."""
    raise typer.Exit(psql.run_psql(read_settings(), ctx.args))


app.command(name="export")(export_command.export)
