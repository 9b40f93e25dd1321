"""Rows of participants, with the study of the version that they began with."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import NotFound
from skill_arcade.storage.database.studies import read_participant
from skill_arcade.studies.progress import plan_stages
from skill_arcade.studies.schema import Stage, Study, read_stored_study

MAX_CACHED_VERSIONS = 100
NO_PARTICIPANT = "You take part in no study with this session. Open the study's link again."
_versions: dict[UUID, Study] = {}


def parse_study(row: Row[Any]) -> Study:
    """Return the study of a row with `version_id` and `content`. A version never changes, so it is cached."""
    if (cached := _versions.get(row.version_id)) is None:
        if len(_versions) >= MAX_CACHED_VERSIONS:
            _versions.clear()
        cached = _versions[row.version_id] = read_stored_study(row.content)
    return cached


def plan_of(row: Row[Any]) -> list[Stage]:
    """Return the stages of a participant in their order."""
    return plan_stages(parse_study(row), row.arm, row.sequence)


async def require_participant(connection: AsyncConnection, user_id: str, *, lock: bool = False) -> Row[Any]:
    """Return a participant's row. Raises NotFound if the user is none."""
    row = await read_participant(connection, user_id, lock=lock)
    if row is None:
        raise NotFound(NO_PARTICIPANT)
    return row
