"""The command line interface: `skill-arcade --help`."""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from skill_arcade import __version__
from skill_arcade.certify.process import certify
from skill_arcade.cli import agents as agents_command
from skill_arcade.cli import archive as archive_command
from skill_arcade.cli import boards as boards_command
from skill_arcade.cli import check as check_command
from skill_arcade.cli import consent as consent_command
from skill_arcade.cli import data_dictionary, error_reference, formatting, psql, settings_reference
from skill_arcade.cli import datasets as datasets_command
from skill_arcade.cli import export as export_command
from skill_arcade.cli import games as games_command
from skill_arcade.cli import judgements as judgements_command
from skill_arcade.cli import publish as publish_command
from skill_arcade.cli import quarantine as quarantine_command
from skill_arcade.cli import show as show_command
from skill_arcade.cli import studies as studies_command
from skill_arcade.cli import verify as verify_command
from skill_arcade.cli.source import check_current, open_source
from skill_arcade.errors import ArcadeError, InvalidRequest
from skill_arcade.settings import read_settings
from skill_arcade.shards import Shard
from skill_arcade.storage.database import engine, grants, queries
from skill_arcade.storage.database.tables import EpisodeStatus
from skill_arcade.storage.objects import open_objects
from skill_arcade.telemetry import set_up_logging
from skill_arcade.uploader.account_eraser import replay_erasures, replay_withdrawals
from skill_arcade.uploader.restore_check import RestoreReport, check_restored


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
    from skill_arcade.cli import server  # noqa: PLC0415 - the web framework takes 0.3 s

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


@app.command("replay-erasures")
def replay_erasures_command() -> None:
    """Erase again the accounts, and withdraw again the consents, that a restored database still has.

    Run it after every restore, before the server.
    """

    async def work() -> tuple[int, int, int]:
        settings = read_settings()
        objects = open_objects(settings)
        try:
            async with engine.open_engine(settings) as opened:
                return *await replay_erasures(objects, opened), await replay_withdrawals(objects, opened)
        finally:
            await objects.close()

    n_accounts, n_reopened, n_withdrawn = asyncio.run(work())
    typer.echo(f"{n_accounts} accounts were erased; {n_reopened} of them are erased again by the next server.")
    typer.echo(f"{n_withdrawn} withdrawals of consent are carried out again by the next server.")


@app.command("check-restored")
def check_restored_command(
    restored: Annotated[str, typer.Argument(help="Cloud SQL instance as project:region:name, or URL of a database.")],
    until: Annotated[datetime, typer.Option(help="Time (UTC) that the restored database shows.")],
) -> None:
    """Erase again what was erased in a restored database, and compare it with the one in use and with the objects."""

    async def work() -> RestoreReport:
        settings = read_settings()
        name = "database_url" if "://" in restored else "gcp_sql_connection_name"
        restored_settings = settings.model_copy(update={name: restored})
        objects = open_objects(settings)
        try:
            async with engine.open_engine(settings) as current, engine.open_engine(restored_settings) as opened:
                moment = until.replace(tzinfo=until.tzinfo or UTC)
                return await check_restored(current, opened, objects, until=moment, journal=settings.journal_folder)
        finally:
            await objects.close()

    report = asyncio.run(work())
    typer.echo(f"{report.n_episodes} episodes with {report.n_steps} steps are restored.")
    typer.echo(f"{report.n_erased_accounts} accounts that were erased since are erased again.")
    for problem in report.problems:
        typer.echo(problem, err=True)
    if report.problems:
        raise typer.Exit(1)


app.add_typer(games_command.app, name="games")
app.add_typer(quarantine_command.app, name="quarantine")
app.add_typer(boards_command.app, name="boards")
app.add_typer(consent_command.app, name="consent")
app.add_typer(studies_command.app, name="studies")
app.add_typer(agents_command.app, name="agents")
app.add_typer(datasets_command.app, name="datasets")
app.add_typer(judgements_command.app, name="judgements")


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


@app.command("certify")
def certify_command() -> None:
    """Re-run all finished episodes that have no certificate, and store the verdicts. Several may run at once."""
    settings = read_settings()
    set_up_logging(settings.log_format, settings.log_level)
    typer.echo(f"{asyncio.run(certify(settings, until_done=True))} episodes were re-run.")


@app.command("export-requested")
def export_requested_command() -> None:
    """Make the downloads that players and researchers have requested, and store them: the program of EXPORT_JOB."""
    from skill_arcade.web.export_jobs import make_requested  # noqa: PLC0415 - see `serve`

    settings = read_settings()
    set_up_logging(settings.log_format, settings.log_level)
    typer.echo(f"{asyncio.run(make_requested(settings))} downloads were made.")


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
    """Reconcile journal, objects and rows: each acknowledged step must be stored exactly once, and no work fail."""
    result = asyncio.run(check_command.reconcile_all(read_settings(), seen=check_command.read_seen(seen), read=read))
    if as_json:
        check_command.print_json(result)
    else:
        check_command.print_result(result, everything=everything)
    if not result.is_consistent:
        raise typer.Exit(1)


@app.command("archive")
def archive(
    after_days: Annotated[
        int | None, typer.Option(min=1, help="Number of days since the end of an episode. Default: ARCHIVE_AFTER_DAYS.")
    ] = None,
) -> None:
    """Move the transitions of old, certified episodes to the object store. Several may run at once; each is repeatable.

    Every command and page reads them from there. SQL in the database does not see them.
    """
    asyncio.run(archive_command.archive(read_settings(), after_days))


@app.command("sign-out")
def sign_out(user: Annotated[str, typer.Argument(help="Id or e-mail address of the user.")]) -> None:
    """Reject all sessions of a user within a minute, with the roles in them. A game that runs goes on to its end."""

    async def work() -> bool:
        async with engine.open_engine(read_settings()) as opened, engine.transaction(opened) as connection:
            return await queries.sign_out_user(connection, user)

    if not asyncio.run(work()):
        raise InvalidRequest("There is no such user. Sign-ins with another address are other users.")
    typer.echo("All sessions of the user have ended.")


@app.command()
def orphans(
    remove: Annotated[bool, typer.Option("--remove", help="Delete the objects.")] = False,
) -> None:
    """List objects of episodes that have had no row for two days, which a server that was killed has left behind.

    Do not remove them after the database was restored to an earlier time: they may be all that is left of an episode.
    """
    found = asyncio.run(check_command.read_orphans(read_settings(), remove=remove))
    for episode, keys in found.items():
        typer.echo(f"{episode}  {len(keys)} objects{' deleted' if remove else ''}")
    if found and not remove:
        typer.echo("Delete them with --remove.", err=True)
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


@app.command(name="errors")
def show_errors() -> None:
    """List what clients are told of every error, as a page in Markdown: statuses, close codes and texts."""
    typer.echo(error_reference.render_errors(), nl=False)


@app.command(name="psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def open_psql(ctx: typer.Context) -> None:
    """Run `psql` on the database with the given arguments: `skill-arcade psql -c "select count(*) from episode"`."""
    raise typer.Exit(psql.run_psql(read_settings(), ctx.args))


app.command(name="export")(export_command.export)
app.command(name="publish")(publish_command.publish)
