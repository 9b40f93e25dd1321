"""The command line: `skill-arcade --help`."""

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
    """Commands whose errors are a sentence, not a stack trace."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; exit code 1 after an ArcadeError."""
        with report_errors():
            return super().invoke(ctx)


@contextlib.contextmanager
def report_errors() -> Iterator[None]:
    """Say an ArcadeError on standard error and exit with 1."""
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
    version: Annotated[bool, typer.Option("--version", help="Say the version and exit.")] = False,
) -> None:
    """People play Gymnasium environments in a browser; every frame, action and time is kept, exactly.

    Settings come from the environment and from `.env`. With none, all is on this machine: an embedded
    Postgres, and a folder of recordings.
    """
    if version:
        typer.echo(f"skill-arcade {__version__}")
        raise typer.Exit


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Name or address to listen at; 0.0.0.0 for everybody.")] = "localhost",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0: any that is free.")] = 8080,
) -> None:
    """Serve the arcade until Ctrl-C."""
    server.run_server(host, port)


@app.command()
def migrate(
    app: Annotated[str | None, typer.Option(help="Let this database user play and record.", metavar="USER")] = None,
    reader: Annotated[
        str | None, typer.Option(help="Let this database user or group read as a researcher.", metavar="USER")
    ] = None,
) -> None:
    """Bring the database's tables to this version. The embedded one is brought there by every command."""
    settings = read_settings()
    asyncio.run(engine.migrate(settings))
    asyncio.run(grants.grant_rights(settings, app=app, reader=reader))
    typer.echo(asyncio.run(check_current(settings)))


app.add_typer(games_command.app, name="games")
app.add_typer(quarantine_command.app, name="quarantine")


@app.command()
def episodes(
    game: Annotated[str | None, typer.Option(help="Only of this game, by id.")] = None,
    user: Annotated[str | None, typer.Option(help="Only of this player, by e-mail or id.")] = None,
    status: Annotated[EpisodeStatus | None, typer.Option(help="Only those that ended like this.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=queries.MAX_PAGE_SIZE, help="How many at most.")] = 20,
    before: Annotated[str | None, typer.Option(help="Only older ones than this episode.", metavar="EPISODE")] = None,
) -> None:
    """List what was played, newest first."""

    async def read() -> list[queries.EpisodeListItem]:
        async with open_source(read_settings()) as connection:
            last = (await queries.find_episode(connection, before)).id if before else None
            return await queries.list_episodes(
                connection, user=user, game=game, status=status, before=last, limit=limit
            )

    lines = asyncio.run(read())
    if not lines:
        typer.echo("No such episodes." if game or user or status or before else "Nothing was played yet.")
        return
    formatting.print_table(formatting.episodes_table(lines))
    if len(lines) == limit:
        typer.echo(f"Older ones: add --before {formatting.short_id(lines[-1].id)}")


@app.command()
def show(episode: Annotated[str, typer.Argument(help="Its id, or as many first digits as no other has.")]) -> None:
    """Explain what is kept of an episode, where it is, and whether it is whole."""
    settings = read_settings()

    async def read() -> show_command.EpisodeDetails:
        async with open_source(settings) as connection:
            line = await queries.find_episode(connection, episode)
            return await show_command.read_details(connection, line, open_objects(settings), settings)

    kept = asyncio.run(read())
    show_command.print_details(kept)
    if kept.faults:
        raise InvalidRequest(f"{len(kept.faults)} of its objects are not as they were recorded.")


@app.command()
def verify(
    episode: Annotated[list[str] | None, typer.Argument(help="Ids, or first digits, of episodes.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every episode that has finished.")] = False,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="How many at once.")] = os.cpu_count() or 1,
    ray: export_command.RayOption = None,
    shard: export_command.ShardOption = None,
) -> None:
    """Run episodes again from seed and actions, compare all with what is kept, and keep the verdict."""
    share = Shard.read(shard) if everything else None
    whole = verify_command.verify(
        read_settings(), episode or [], everything=everything, jobs=jobs, shard=share, ray=ray
    )
    if not asyncio.run(whole):
        raise typer.Exit(1)


@app.command()
def check(
    seen: Annotated[
        Path | None, typer.Option(help="JSON: episode id to the steps that its player saw.", metavar="FILE")
    ] = None,
    read: Annotated[bool, typer.Option("--read", help="Read every object and compare its checksum.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="List every episode, not only what is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, every episode.")] = False,
) -> None:
    """Hold journal, objects and rows against each other: acknowledged steps = stored steps, none lost or doubled."""
    reports = asyncio.run(check_command.reconcile_all(read_settings(), seen=check_command.read_seen(seen), read=read))
    in_order = (
        check_command.print_json(reports) if as_json else check_command.print_reports(reports, everything=everything)
    )
    if not in_order:
        raise typer.Exit(1)


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a page of the docs, with the views.")] = False,
) -> None:
    """Describe the tables and what each column means."""
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
    """Open `psql` on the database. What follows goes to it: `skill-arcade psql -c "select count(*) from episode"`."""
    raise typer.Exit(psql.run_psql(read_settings(), ctx.args))


app.command(name="export")(export_command.export)
