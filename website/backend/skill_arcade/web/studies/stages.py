"""Stages of a study: judges what a participant did, stores it, and moves them on."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.storage.database.studies import (
    ACTIVE,
    COMPLETE,
    EXPIRED,
    add_stage_answer,
    read_newest,
    update_participant,
)
from skill_arcade.studies.progress import (
    Verdict,
    judge_instructions,
    judge_questionnaire,
    judge_return,
    judge_screening,
    needs_arm,
)
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
from skill_arcade.web.consents import ConsentService
from skill_arcade.web.models.studies import StudyPage
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.studies.consent import answer_consent
from skill_arcade.web.studies.pages import describe_page
from skill_arcade.web.studies.places import draw_place, reactivate
from skill_arcade.web.studies.rows import parse_study, plan_of, require_participant
from skill_arcade.web.studies.trials import StudyTrials


class StudyStages:
    """Moves participants through stages. Their state is in the database, so any server continues it."""

    def __init__(self, engine: AsyncEngine, consents: ConsentService, trials: StudyTrials) -> None:
        self._engine, self._consents, self._trials = engine, consents, trials

    async def read(self, user_id: str, language: str = "") -> StudyPage:
        """Return where a participant is. One who was inactive for too long becomes active again."""
        is_saving = await self._trials.is_saving(user_id)
        async with request_transaction(self._engine) as connection:
            row = await require_participant(connection, user_id)
            if row.status == EXPIRED:
                await reactivate(connection, row)
                row = await require_participant(connection, user_id)
            elif row.status == ACTIVE:
                await update_participant(connection, user_id)
            return await describe_page(connection, self._trials, row, language, is_saving=is_saving)

    async def answer(
        self, user_id: str, stage_name: str, data: Mapping[str, JsonValue], language: str = ""
    ) -> StudyPage:
        """Judge what a participant did in a stage, and return where they are then.

        An answer to another stage than the current one changes nothing, so that it can be sent again.

        Raises:
            InvalidRequest: the answer is malformed.
        """
        await self._trials.seal_ended_game(user_id)
        is_saving = await self._trials.is_saving_elsewhere(user_id) or await self._trials.is_saving(user_id)
        async with request_transaction(self._engine) as connection:
            row = await require_participant(connection, user_id)
            if row.arm is None:
                # Locked before the participant: a draw also changes others, whose answers may wait for the study.
                await read_newest(connection, row.study_name, lock=True)
            row = await require_participant(connection, user_id, lock=True)
            plan = plan_of(row)
            message, must_wait = "", False
            if row.status in (ACTIVE, EXPIRED) and row.stage < len(plan) and plan[row.stage].name == stage_name:
                verdict = await self._judge(connection, row, plan[row.stage], data, is_saving=is_saving)
                must_wait = verdict is None
                if verdict is not None:
                    must_wait = not await self._apply(connection, row, plan, verdict, is_saving=is_saving)
                    message = verdict.message
                row = await require_participant(connection, user_id)
            return await describe_page(connection, self._trials, row, language, is_saving=must_wait, message=message)

    async def _judge(
        self,
        connection: AsyncConnection,
        row: Row[Any],
        stage: Stage,
        data: Mapping[str, JsonValue],
        *,
        is_saving: bool,
    ) -> Verdict | None:
        """Return what follows from an answer, or None if that is known only when all recordings are stored."""
        match stage:
            case ConsentStage():
                return await answer_consent(connection, self._consents, row, stage, data)
            case ScreeningStage():
                return judge_screening(stage, data)
            case InstructionsStage():
                return judge_instructions(stage, data, row.attempt)
            case QuestionnaireStage():
                return judge_questionnaire(stage, data)
            case ReturnStage():
                return judge_return(stage, row.time_stage, row.now)
            case DebriefStage():
                return Verdict()
            case GamesStage():
                if is_saving:
                    return None
                progress, _ = await self._trials.measure(connection, row, stage)
                return Verdict(is_passed=progress.is_done)

    async def _apply(
        self, connection: AsyncConnection, row: Row[Any], plan: list[Stage], verdict: Verdict, *, is_saving: bool
    ) -> bool:
        """Store an answer and move the participant. Return False if the end must wait for recordings to be stored."""
        study, stage = parse_study(row), plan[row.stage]
        failed_checks = row.failed_checks + verdict.failed_checks
        outcome: str | None = verdict.outcome
        if study.max_failed_checks is not None and failed_checks > study.max_failed_checks:
            outcome = "failed-checks"
        is_last = row.arm is not None and row.stage + 1 == len(plan) and verdict.is_passed
        if outcome is None and is_last:
            outcome = COMPLETE
        if outcome is not None and is_saving:
            return False
        is_repeated = not verdict.is_passed and outcome is None
        if isinstance(stage, GamesStage) and is_repeated:  # the next trial
            await update_participant(connection, row.user_id)
            return True
        if isinstance(stage, ReturnStage) and is_repeated:  # too early
            return True
        await add_stage_answer(connection, row, stage.name, verdict.data, is_passed=verdict.is_passed)
        if is_repeated:
            await update_participant(connection, row.user_id, attempt=row.attempt + 1)
            return True
        if outcome is not None:
            await self._end(connection, row, outcome, failed_checks, is_last=is_last)
            return True
        values: dict[str, Any] = {"stage": row.stage + 1, "attempt": 0, "failed_checks": failed_checks}
        values |= {"time_stage": row.now, "status": ACTIVE}
        if row.arm is None and needs_arm(plan[row.stage + 1]):
            drawn = await draw_place(connection, row, study)
            if drawn is None:
                await self._end(connection, row, "full", failed_checks, is_last=False)
                return True
            values |= drawn
        await update_participant(connection, row.user_id, **values)
        return True

    async def _end(
        self, connection: AsyncConnection, row: Row[Any], outcome: str, failed_checks: int, *, is_last: bool
    ) -> None:
        values: dict[str, Any] = {"status": outcome, "failed_checks": failed_checks, "time_ended": row.now}
        values["stage"] = row.stage + 1 if is_last else row.stage
        if outcome != COMPLETE:
            values["holds_slot"] = False
        await update_participant(connection, row.user_id, **values)
