"""`skill-arcade boards`: a maintainer looks at flagged entries of leaderboards, and hides or accepts them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.boards.judge import decide
from skill_arcade.boards.names import draw_neutral_name
from skill_arcade.cli.formatting import make_grid, print_table
from skill_arcade.errors import InvalidRequest
from skill_arcade.settings import read_settings
from skill_arcade.storage.database.boards import (
    ACCEPTED,
    HIDDEN,
    accept_name,
    find_entry,
    list_reviewable,
    reset_name,
)
from skill_arcade.storage.database.engine import open_engine, transaction

app = typer.Typer(no_args_is_help=True, help="Review flagged entries of leaderboards, and reported names.")
_Result = TypeVar("_Result")
MAX_REASON_CHARACTERS = 300
Episode = Annotated[str, typer.Argument(help="Id of the episode, or a unique prefix of it.")]
Reason = Annotated[str, typer.Option(help="Reason of the decision, in a sentence. The player sees it.")]


@app.command()
def review(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number of entries.")] = 50,
) -> None:
    """List ranked entries that signals of programs or slow motion have flagged, and reported names.

    Watch the replay of an entry at /replay/EPISODE before you decide: each signal can be wrong.
    """
    rows = asyncio.run(_run(lambda connection: list_reviewable(connection, limit)))
    if not rows:
        typer.echo("Nothing to review.")
        return
    grid = make_grid("episode", "board", "score", "name", "signals", "reports")
    for row in rows:
        signals = ", ".join(row.signals) or "-"
        grid.add_row(str(row.episode_id), row.board_id, f"{row.score:g}", row.name, signals, str(row.n_reports))
    print_table(grid)


@app.command()
def hide(episode: Episode, reason: Reason) -> None:
    """Take an entry off its board. The player's next best entry moves up."""
    asyncio.run(_run(lambda connection: _decide(connection, episode, HIDDEN, reason)))
    typer.echo("The entry is hidden. `skill-arcade boards accept` takes it back.")


@app.command()
def accept(episode: Episode, reason: Reason) -> None:
    """Accept an entry although it is flagged, or bring back one that was hidden."""
    asyncio.run(_run(lambda connection: _decide(connection, episode, ACCEPTED, reason)))
    typer.echo("The entry is accepted.")


@app.command("reset-name")
def reset_player_name(episode: Episode) -> None:
    """Give the player of an entry a neutral name, also on boards of past seasons."""

    async def work(connection: AsyncConnection) -> str:
        name = draw_neutral_name(8)
        await reset_name(connection, (await find_entry(connection, episode)).user_id, name)
        return name

    typer.echo(f"The player is called {asyncio.run(_run(work))!r} now.")


@app.command("accept-name")
def accept_player_name(episode: Episode) -> None:
    """Discard the reports of the name of an entry's player."""

    async def work(connection: AsyncConnection) -> None:
        await accept_name(connection, (await find_entry(connection, episode)).user_id)

    asyncio.run(_run(work))
    typer.echo("The name is accepted.")


async def _run(work: Callable[[AsyncConnection], Awaitable[_Result]]) -> _Result:
    async with open_engine(read_settings()) as engine, transaction(engine) as connection:
        return await work(connection)


async def _decide(connection: AsyncConnection, episode: str, decision: str, reason: str) -> None:
    if not reason.strip() or len(reason) > MAX_REASON_CHARACTERS:
        raise InvalidRequest(f"Give a reason of 1 to {MAX_REASON_CHARACTERS} characters: the player sees it.")
    entry: Row[Any] = await find_entry(connection, episode)
    await decide(connection, entry, decision, reason.strip())
