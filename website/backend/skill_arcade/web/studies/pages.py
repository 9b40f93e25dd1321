"""Describes where a participant is, for the page. It learns no correct answer and no limit of a screening."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.studies import ACTIVE, EXPIRED, read_codes
from skill_arcade.studies.recruiters import RecruiterId, completion_url
from skill_arcade.studies.schema import (
    ConsentStage,
    DebriefStage,
    GamesStage,
    InstructionsStage,
    QuestionnaireStage,
    ReturnStage,
    ScreeningStage,
    Stage,
)
from skill_arcade.web.models.studies import (
    StudyCompletion,
    StudyDebrief,
    StudyGames,
    StudyInfo,
    StudyInstructions,
    StudyPage,
    StudyQuestionnaire,
    StudyReturn,
    StudyScreening,
    StudyStage,
)
from skill_arcade.web.studies.consent import describe_consent
from skill_arcade.web.studies.rows import parse_study, plan_of
from skill_arcade.web.studies.trials import StudyTrials, pause_left


async def describe_page(
    connection: AsyncConnection,
    trials: StudyTrials,
    row: Row[Any],
    language: str,
    *,
    is_saving: bool,
    message: str = "",
) -> StudyPage:
    """Return where a participant is: the current stage, or how the participation ended."""
    study = parse_study(row)
    plan = plan_of(row)
    has_ended = row.status not in (ACTIVE, EXPIRED)
    completion = None
    if has_ended:
        codes = {} if row.is_synthetic else await read_codes(connection, row.study_name)  # a program gets none
        code = codes.get(row.status)
        identity = None if row.external_id is None else RecruiterId(row.external_id, row.details)
        url = None if code is None else completion_url(study.recruiter, row.status, code, identity)
        # SONA's code is a credential of the study, so that it is in the address only.
        shown = None if study.recruiter.kind in ("link", "sona") else code
        completion = StudyCompletion(outcome=row.status, code=shown, url=url)
    stage = None if has_ended else await _describe_stage(connection, trials, row, plan[row.stage], language)
    info = {"name": row.study_name, **study.model_dump(include={"title", "contact", "ethics", "payment"})}
    return StudyPage(
        study=StudyInfo.model_validate(info),
        number=row.stage,
        n_stages=None if row.arm is None else len(plan),
        stage=stage,
        is_saving=is_saving and not has_ended,
        message=message,
        completion=completion,
    )


async def _describe_stage(
    connection: AsyncConnection, trials: StudyTrials, row: Row[Any], stage: Stage, language: str
) -> StudyStage:
    fields: dict[str, Any] = {"kind": stage.kind, "name": stage.name}
    match stage:
        case ConsentStage():
            return describe_consent(row, stage, language)
        case ScreeningStage():
            needs_keyboard = stage.keyboard or stage.rollover_keys > 0
            fields |= {"asks_keyboard": needs_keyboard, "rollover_keys": stage.rollover_keys}
            return StudyScreening.model_validate({**fields, "asks_sound": stage.sound})
        case InstructionsStage():
            checks = [check.model_dump(exclude={"correct"}) for check in stage.checks]
            return StudyInstructions.model_validate({**fields, "pages": stage.pages, "checks": checks})
        case GamesStage():
            return await _describe_games(connection, trials, row, stage, fields)
        case QuestionnaireStage():
            return StudyQuestionnaire.model_validate({**fields, "survey": stage.survey.describe()})
        case ReturnStage():
            not_before = row.time_stage + timedelta(hours=stage.not_before_hours)
            not_after = row.time_stage + timedelta(hours=stage.not_after_hours)
            times = {"not_before": not_before, "not_after": not_after, "is_due": row.now >= not_before}
            return StudyReturn.model_validate({**fields, **times, "text": stage.text})
        case DebriefStage():
            return StudyDebrief.model_validate({**fields, "pages": stage.pages})


async def _describe_games(
    connection: AsyncConnection, trials: StudyTrials, row: Row[Any], stage: GamesStage, fields: dict[str, Any]
) -> StudyGames:
    progress, ended_at = await trials.measure(connection, row, stage)
    running = trials.running_trial(row.user_id)
    n_trials, hz = stage.amount.trials, trials.find_hz(stage)
    wanted = stage.amount.frames or (stage.amount.minutes or 0) * 60 * (hz or 0)
    share = progress.trial / n_trials if n_trials else 1 - (progress.frames_left or 0) / wanted
    return StudyGames.model_validate(
        {
            **fields,
            "game_id": stage.game,
            "options": stage.options,
            "text": stage.text,
            "trial": progress.trial if running is None else running.trial,
            "n_trials": n_trials,
            "progress": min(1.0, max(0.0, share)),
            "is_done": progress.is_done,
            "wait_seconds": pause_left(stage, ended_at, row.now),
            "sound": stage.sound,
            "ghost": await trials.find_ghost_episode(connection, row, stage),
        }
    )
