"""Rows about quarantined segments (rule R12): they mark episodes whose recording has a rejected segment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.storage.database.agents import check_references
from skill_arcade.storage.database.erasures import lock_user
from skill_arcade.storage.database.permanence import is_permanent
from skill_arcade.storage.database.provisional_ends import take_back_end
from skill_arcade.storage.database.tables import EpisodeStatus, Table
from skill_arcade.storage.database.work import WorkKind, request_work

_table = Table.metadata.tables
_game, _episode, _quarantine = _table["game"], _table["episode"], _table["quarantine"]
END_REASON = "quarantined"


@dataclass(frozen=True, slots=True)
class QuarantineMark:
    """One quarantined segment.

    `n_steps` is None if the segment cannot be parsed; `time_ended` is None if it has no end.
    """

    episode_id: UUID
    number: int
    n_steps: int | None
    operation: str
    code: str
    reason: str
    version: str
    time_ended: datetime | None


async def mark_quarantined(engine: AsyncEngine, mark: QuarantineMark, episode: dict[str, Any] | None) -> None:
    """Write the mark, and end the episode if the rejected segment has its end. Repeating it changes nothing.

    `episode` is the row of the episode; None if the segment has no readable header, in which case nothing can be
    marked. If Postgres rejects the row's own JSON, the episode is stored without it.

    Raises:
        AccountErased, ConsentWithdrawn: the player does not allow it any more; the caller then deletes the segment.
    """
    if episode is None:
        return
    try:
        await _write_mark(engine, mark, episode)
    except DBAPIError as error:
        if not is_permanent(error):
            raise
        await _write_mark(engine, mark, {**episode, "environment": {}, "provenance": {}, "reset_info": {}})


async def list_marks(connection: AsyncConnection) -> list[QuarantineMark]:
    """Return the marks of all episodes, oldest episode first."""
    columns = [_quarantine.c[name] for name in QuarantineMark.__dataclass_fields__ if name != "time_ended"]
    query = select(*columns).order_by(_quarantine.c.episode_id, _quarantine.c.number)
    return [QuarantineMark(**row._mapping, time_ended=None) for row in await connection.execute(query)]


async def delete_mark(connection: AsyncConnection, episode_id: UUID, number: int) -> None:
    """Delete the mark of a segment that was uploaded after all."""
    row = (_quarantine.c.episode_id == episode_id) & (_quarantine.c.number == number)
    await connection.execute(delete(_quarantine).where(row))


async def _write_mark(engine: AsyncEngine, mark: QuarantineMark, episode: dict[str, Any]) -> None:
    fields = {name: getattr(mark, name) for name in mark.__dataclass_fields__ if name != "time_ended"}
    fields["reason"] = fields["reason"].replace("\0", "\\0").encode(errors="backslashreplace").decode()
    async with engine.begin() as connection:
        await lock_user(connection, episode["user_id"])
        episode = await check_references(connection, episode)
        await connection.execute(insert(_game).values(id=episode["game_id"], config={}).on_conflict_do_nothing())
        await connection.execute(insert(_episode).values(**episode).on_conflict_do_nothing())
        await connection.execute(insert(_quarantine).values(**fields).on_conflict_do_nothing())
        if mark.time_ended is not None:
            await connection.execute(select(_episode.c.id).where(_episode.c.id == mark.episode_id).with_for_update())
            await take_back_end(connection, mark.episode_id)
            end = {"status": EpisodeStatus.incomplete, "end_reason": END_REASON, "time_ended": mark.time_ended}
            await connection.execute(
                update(_episode).where(_episode.c.id == mark.episode_id, _episode.c.time_ended.is_(None)).values(**end)
            )
            await request_work(connection, WorkKind.CERTIFY, str(mark.episode_id))
