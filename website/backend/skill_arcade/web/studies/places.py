"""Places of a study: the draw of arm and order, and the places of inactive participants."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.studies import (
    ACTIVE,
    count_places,
    expire_participants,
    is_slot_held,
    list_inactive,
    list_sequences,
    read_answers,
    read_newest,
    take_slot,
    update_participant,
)
from skill_arcade.studies.allocation import draw_arm, draw_sequence, williams_square
from skill_arcade.studies.progress import find_stratum
from skill_arcade.studies.schema import ReturnStage, Study
from skill_arcade.web.studies.rows import plan_of


async def has_place(connection: AsyncConnection, name: str, study: Study, now: datetime) -> bool:
    """Return whether the quota has a place left, if need be after the inactive have given theirs up."""
    if await count_places(connection, name) < study.quota:
        return True
    await expire_inactive(connection, name, study, now)
    return await count_places(connection, name) < study.quota


async def draw_place(connection: AsyncConnection, row: Row[Any], study: Study) -> dict[str, Any] | None:
    """Draw arm and order, or return None if the study is full, which it never is for programs.

    The study must be locked, so that one participant draws after another.
    """
    name, kind = row.study_name, {"is_synthetic": row.is_synthetic}
    await expire_inactive(connection, name, study, row.now)
    if not row.is_synthetic and await count_places(connection, name) >= study.quota:
        return None
    stratum = find_stratum(study, await read_answers(connection, row.user_id))
    slot = await take_slot(connection, name, stratum, **kind)
    weights = {arm: one.weight for arm, one in study.arms.items()}
    arm = draw_arm(row.secret, stratum, slot, weights, study.block_repeats)
    sequence = None
    if study.counterbalance:
        held = await list_sequences(connection, name, stratum, arm, **kind)
        n_sequences = len(williams_square(len(study.counterbalance)))
        sequence = draw_sequence(row.secret, stratum, arm, held, n_sequences)
    return {"stratum": stratum, "slot": slot, "holds_slot": True, "arm": arm, "sequence": sequence}


async def expire_inactive(connection: AsyncConnection, name: str, study: Study, now: datetime) -> None:
    """Give the places of inactive participants free, except of those who are to come back later."""
    stale = await list_inactive(connection, name, study.active_minutes)
    gone = [row.user_id for row in stale if not _is_waiting(row, now)]
    if gone:
        await expire_participants(connection, gone)


async def reactivate(connection: AsyncConnection, row: Row[Any]) -> None:
    """Make a participant active again. They keep the arm, and get their place back unless it was given away."""
    await read_newest(connection, row.study_name, lock=True)
    values: dict[str, Any] = {"status": ACTIVE}
    slot = (row.study_name, row.stratum, row.slot)
    if row.slot is not None and not await is_slot_held(connection, *slot, is_synthetic=row.is_synthetic):
        values["holds_slot"] = True
    await update_participant(connection, row.user_id, **values)


def _is_waiting(row: Row[Any], now: datetime) -> bool:
    """Return whether an inactive participant is to come back later, and still may."""
    plan = plan_of(row)
    stage = plan[row.stage] if row.stage < len(plan) else None
    return isinstance(stage, ReturnStage) and now < row.time_stage + timedelta(hours=stage.not_after_hours)
