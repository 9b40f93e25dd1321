"""Formats tables for the terminal."""

from collections.abc import Iterable
from uuid import UUID

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from sqlalchemy import Column
from sqlalchemy.dialects import postgresql

from skill_arcade.games.manifest import Manifest, RealTime
from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import EpisodeListItem
from skill_arcade.storage.database.tables import Table

PIPE_WIDTH = 200
"""Width of tables in a file or a pipe, in characters."""
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def open_console() -> Console:
    """Return a console with the width of the terminal, or `PIPE_WIDTH` if the output is not a terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def print_table(grid: Grid) -> None:
    open_console().print(grid)


def short_id(id_: UUID) -> str:
    """Return the first digits of an episode's id, which are unique in practice: its time and 12 random bits."""
    return str(id_)[:18]


def games_table(games: Iterable[Manifest]) -> Grid:
    """Return a table of games."""
    grid = make_grid("game", "name", "pace", "environment", "won when")
    for game in games:
        pace = f"{game.pace.hz:g} Hz" if isinstance(game.pace, RealTime) else "turn-based"
        won = game.won.model_dump(exclude_none=True, exclude_defaults=True) if game.won else {}
        parts = [f"{name} {value}" for name, value in won.items()]
        grid.add_row(game.id, game.name, pace, game.environment.id, ", ".join(parts))
    return grid


def episodes_table(episodes: Iterable[EpisodeListItem]) -> Grid:
    """Return a table of episodes."""
    grid = make_grid("episode", "player", "game", "steps", "score", "status", "when", right=("steps", "score"))
    for episode in episodes:
        status = f"{episode.status} ({episode.end_reason})" if episode.end_reason else f"{episode.status}, running"
        when = f"{episode.time_created.astimezone():%Y-%m-%d %H:%M:%S}"
        player = episode.email or f"{episode.user_id} (no e-mail)"
        grid.add_row(
            short_id(episode.id), player, episode.game_name, f"{episode.n_steps}", f"{episode.score:g}", status, when
        )
    return grid


def print_schema() -> None:
    """Print all tables and columns with their comments."""
    console = open_console()
    for table in Table.metadata.sorted_tables:
        console.print(f"\n[bold]{table.name}[/bold]  {table.comment}")
        grid = make_grid("column", "type", "key", "meaning")
        for column in table.columns:
            grid.add_row(column.name, type_name(column), key_name(column), column.comment)
        console.print(grid)


def print_settings() -> None:
    """Print every setting with its default and its effect."""
    grid = make_grid("variable", "default", "effect")
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None or field.is_required() else str(field.default)
        grid.add_row(name.upper(), default, field.description)
    open_console().print(grid)


def make_grid(*names: str, right: Iterable[str] = ()) -> Grid:
    """Return an empty table with these columns. The columns in `right` are right-aligned."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        grid.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return grid


def type_name(column: Column[object]) -> str:
    """Return a short description of the column's Postgres type."""
    name = column.type.compile(DIALECT).lower().replace("timestamp with time zone", "timestamptz")
    return name if column.nullable is False else f"{name}, may be null"


def key_name(column: Column[object]) -> str:
    """Return a short description of the keys that the column belongs to."""
    parts = ["primary"] if column.primary_key else []
    parts += [f"of {key.column.table.name}" for key in column.foreign_keys]
    return ", ".join(parts)
