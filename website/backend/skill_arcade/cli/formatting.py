"""Tables on the terminal."""

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

# Into a file or a pipe: wide enough that nothing is cut.
PIPE_WIDTH = 200
DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def open_console() -> Console:
    """A console as wide as the terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def print_table(grid: Grid) -> None:
    """Print a table."""
    open_console().print(grid)


def short_id(id_: UUID) -> str:
    """As many digits of an episode's id as tell it from all others: its time and 12 random bits."""
    return str(id_)[:18]


def games_table(games: Iterable[Manifest]) -> Grid:
    """Which games there are."""
    grid = make_grid("game", "name", "pace", "environment", "won when")
    for game in games:
        pace = f"{game.pace.hz:g} Hz" if isinstance(game.pace, RealTime) else "turn-based"
        won = game.won.model_dump(exclude_none=True, exclude_defaults=True) if game.won else {}
        parts = [f"{name} {value}" for name, value in won.items()]
        grid.add_row(game.id, game.name, pace, game.environment.id, ", ".join(parts))
    return grid


def episodes_table(lines: Iterable[EpisodeListItem]) -> Grid:
    """What was played."""
    grid = make_grid("episode", "player", "game", "steps", "score", "status", "when", right=("steps", "score"))
    for line in lines:
        status = f"{line.status} ({line.end_reason})" if line.end_reason else f"{line.status}, running"
        when = f"{line.time_created.astimezone():%Y-%m-%d %H:%M:%S}"
        player = line.email or f"{line.user_id} (erased)"
        grid.add_row(short_id(line.id), player, line.game_name, f"{line.n_steps}", f"{line.score:g}", status, when)
    return grid


def print_schema() -> None:
    """Every table and column with its comment."""
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
    """A table with these columns and no rows yet."""
    grid = Grid(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        grid.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return grid


def type_name(column: Column[object]) -> str:
    """Its type in Postgres, in a few words."""
    name = column.type.compile(DIALECT).lower().replace("timestamp with time zone", "timestamptz")
    return name if column.nullable is False else f"{name}, may be null"


def key_name(column: Column[object]) -> str:
    """Which key it is part of, in a few words."""
    parts = ["primary"] if column.primary_key else []
    parts += [f"of {key.column.table.name}" for key in column.foreign_keys]
    return ", ".join(parts)
