"""`skill-arcade consent`: the owner's file, what episodes may be used for, and decisions on old ones."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.cli.formatting import make_grid, print_table
from skill_arcade.consent.documents import SCOPES, load_documents
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.settings import read_settings
from skill_arcade.storage.database.consents import add_decision, count_consents, forget_age, read_decision
from skill_arcade.storage.database.dataset_versions import add_successors
from skill_arcade.storage.database.engine import open_engine, transaction

app = typer.Typer(no_args_is_help=True, help="Consent: the text, what is allowed, and decisions on old episodes.")
_Result = TypeVar("_Result")
Scopes = Annotated[list[str], typer.Option("--scope", help="research, publication or boards; may be repeated.")]


@app.command()
def check() -> None:
    """Check the consent file of CONSENT_FOLDER, and print version, languages and hashes."""
    documents = load_documents(read_settings().consent_folder)
    grid = make_grid("version", "language", "minimum age", "sha256")
    for language, document in documents.by_language.items():
        grid.add_row(str(document.version), language, str(documents.minimum_age), document.sha256)
    print_table(grid)


@app.command()
def status() -> None:
    """Count the episodes that may be used for each scope, and those without a consent on record."""

    async def work(connection: AsyncConnection) -> None:
        grid = make_grid("scope", "allowed", "not allowed", "no consent on record")
        for row in await count_consents(connection):
            grid.add_row(row.scope, str(row.allowed), str(row.refused), str(row.none))
        print_table(grid)
        decision = await read_decision(connection)
        if decision is None:
            typer.echo("No decision on episodes without a consent on record: nothing may use them.")
        else:
            scopes = ", ".join(decision.scopes) or "nothing"
            typer.echo(
                f"Decision of {decision.time_created:%Y-%m-%d}: without a consent on record, episodes before "
                f"{decision.before:%Y-%m-%d %H:%M} may be used for {scopes}. Reason: {decision.reason}"
            )

    asyncio.run(_run(work))


@app.command("decide-old")
def decide_old(
    reason: Annotated[str, typer.Option(help="Why, in a sentence, such as: paper consents of study 12, in the safe.")],
    scope: Scopes = [],  # noqa: B006 - Typer copies it
) -> None:
    """Decide what episodes without a consent on record may be used for. Without --scope: for nothing.

    The decision is stored with its time and holds for episodes before it. A later decision replaces it. A player's own
    withdrawal always comes first.
    """
    if unknown := sorted(set(scope) - set(SCOPES)):
        raise InvalidRequest(f"Unknown scope {unknown[0]!r}: give research, publication or boards.")
    if not reason.strip():
        raise InvalidRequest("Give a reason: it is stored with the decision.")
    moment = datetime.now(UTC)
    scopes = sorted(set(scope))

    async def work(connection: AsyncConnection) -> None:
        await add_decision(connection, scopes, reason.strip(), moment)
        await add_successors(connection)

    asyncio.run(_run(work))
    typer.echo(f"Without a consent on record, episodes before now may be used for {', '.join(scopes) or 'nothing'}.")


@app.command("forget-age")
def forget_player_age(user: Annotated[str, typer.Argument(help="Id of the player.")]) -> None:
    """Ask a player again who gave a wrong year of birth by mistake."""
    if not asyncio.run(_run(lambda connection: forget_age(connection, user))):
        raise NotFound(f"The player {user!r} has not been refused for their year of birth.")
    typer.echo("The player is asked again before the next game.")


async def _run(work: Callable[[AsyncConnection], Awaitable[_Result]]) -> _Result:
    async with open_engine(read_settings()) as engine, transaction(engine) as connection:
        return await work(connection)
