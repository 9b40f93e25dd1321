"""Moves the boards of former ids of games to the games and settings that these ids stand for."""

from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.boards.edition import BoardKey, read_settings, write_settings
from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_game, _board, _queue = _table["game"], _table["board"], _table["board_queue"]
_season, _entry, _standing = _table["board_season"], _table["board_entry"], _table["board_standing"]


async def move_aliased_boards(connection: AsyncConnection) -> int:
    """Move every board of a former id to the board of its game and settings. Return the number of boards."""
    query = (
        select(_board, _game.c.alias_of, _game.c.alias_options)
        .join(_game, _game.c.id == _board.c.game_id)
        # The daily challenge of a former id stays what it was: its seed follows from that id.
        .where(_game.c.alias_of.is_not(None), _board.c.day.is_(None))
        .with_for_update(of=_board)
    )
    boards = (await connection.execute(query)).all()
    for board in boards:
        await _move_board(connection, board)
    return len(boards)


async def _move_board(connection: AsyncConnection, board: Row[Any]) -> None:
    settings = write_settings({**board.alias_options, **read_settings(board.settings)})
    key = BoardKey(board.alias_of, settings, board.contents)
    values = {
        "id": key.id,
        "game_id": key.game_id,
        "settings": key.settings,
        "edition": key.edition,
        "contents": key.contents,
        "newest_id": board.newest_id,
    }
    is_new = (await connection.execute(insert(_board).values(**values).on_conflict_do_nothing())).rowcount
    if not is_new:
        # Both have entries: an earlier release opened the old board again. The judge moves them one by one.
        entries = select(_entry.c.episode_id).where(_entry.c.board_id == board.id)
        await connection.execute(insert(_queue).from_select(["episode_id"], entries).on_conflict_do_nothing())
        return
    for child in (_season, _entry, _standing):
        await connection.execute(update(child).where(child.c.board_id == board.id).values(board_id=key.id))
    await connection.execute(delete(_board).where(_board.c.id == board.id))
