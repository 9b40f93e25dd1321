"""Describes a study for researchers: where its participants are, and the quality of what they played."""

from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import NotFound
from skill_arcade.storage.database.studies import count_participants, count_places, read_newest
from skill_arcade.storage.database.study_quality import list_arm_quality
from skill_arcade.studies.progress import plan_stages
from skill_arcade.studies.schema import Study
from skill_arcade.web.models.studies import StudyArmQuality, StudyCount, StudyStatus, StudySummary
from skill_arcade.web.studies.rows import parse_study


async def read_status(connection: AsyncConnection, name: str) -> StudyStatus:
    """Return the status of a study. Raises NotFound if it was never opened."""
    row = await read_newest(connection, name)
    if row is None:
        raise NotFound(f"The study {name!r} was never opened.")
    study = parse_study(row)
    counts = [
        StudyCount(
            arm=one.arm,
            status=one.status,
            stage=one.stage,
            stage_name=_name_stage(study, one.arm, one.stage),
            participants=one.count,
        )
        for one in await count_participants(connection, name)
    ]
    return StudyStatus(
        study=StudySummary(name=name, status=row.status, version=row.number, title=study.title),
        quota=study.quota,
        places=await count_places(connection, name),
        counts=counts,
        quality=[StudyArmQuality.model_validate(one) for one in await list_arm_quality(connection, name)],
    )


def _name_stage(study: Study, arm: str | None, number: int) -> str:
    """Return the name of a stage in the first order of an arm of the newest version; empty: there is none."""
    sequence = 0 if study.counterbalance and arm is not None else None
    plan = plan_stages(study, arm, sequence)
    return plan[number].name if number < len(plan) else ""
