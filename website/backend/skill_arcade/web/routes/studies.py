"""Routes of studies: joining, the current stage, its answer, a ticket for a trial, withdrawal, and their status."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from skill_arcade.storage.database.studies import list_studies
from skill_arcade.studies.schema import STUDY_NAME
from skill_arcade.web.current_user import Researcher, UserId
from skill_arcade.web.models.play import Ticket
from skill_arcade.web.models.studies import (
    JoinedStudy,
    JoinStudyRequest,
    StageAnswer,
    StudyPage,
    StudyStatus,
    StudySummary,
    StudyWithdrawn,
)
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.auth import Synthetic
from skill_arcade.web.state import State
from skill_arcade.web.studies.status import read_status

router = APIRouter(tags=["studies"])
Language = Annotated[str, Query(max_length=20, pattern=r"^[A-Za-z0-9-]*$", description="language tag, such as de")]


@router.post("/studies/participants", responses=problem_answers(403, 404, 422, 429, 503))
async def join_study(
    body: JoinStudyRequest, state: State, language: Language = "", x_skill_arcade_synthetic: Synthetic = False
) -> JoinedStudy:
    """Begin a participation, or continue one: with the recruiter's id, or with the participant's own link."""
    joined = await state.studies.admission.join(
        body.study, body.query, body.resume, is_synthetic=x_skill_arcade_synthetic
    )
    session = state.tokens.issue_session(joined.user_id)
    return JoinedStudy(
        token=session.token,
        user_id=joined.user_id,
        expires_at=session.expires_at,
        resume=joined.resume,
        page=await state.studies.stages.read(joined.user_id, language),
    )


@router.get("/studies/me", responses=problem_answers(401, 404, 422, 503))
async def read_study(user_id: UserId, state: State, language: Language = "") -> StudyPage:
    """Return where the participant is."""
    return await state.studies.stages.read(user_id, language)


@router.post("/studies/me/answers", responses=problem_answers(401, 404, 422, 503))
async def answer_stage(body: StageAnswer, user_id: UserId, state: State, language: Language = "") -> StudyPage:
    """Answer the current stage. An answer to another stage changes nothing, so it can be sent again."""
    return await state.studies.stages.answer(user_id, body.stage, body.data, language)


@router.post("/studies/me/tickets", responses=problem_answers(401, 403, 404, 422, 429, 503))
async def issue_trial_ticket(user_id: UserId, state: State) -> Ticket:
    """Issue a ticket that opens one connection to the current trial within 60 s."""
    state.cooldowns.check(user_id)
    state.tickets.check(user_id)
    game_id, trial = await state.studies.trials.issue(user_id)
    issued = state.tokens.issue_ticket(user_id, game_id, trial=trial)
    socket = await state.placement.find_socket(user_id)
    return Ticket(ticket=issued.token, expires_at=issued.expires_at, socket=socket)


@router.post("/studies/me/withdrawal", responses=problem_answers(401, 404, 422, 503))
async def withdraw_from_study(user_id: UserId, state: State) -> StudyWithdrawn:
    """Withdraw from the study: everything of the participant is deleted, also the recruiter's id. It is final."""
    page = await state.studies.stages.read(user_id)
    await state.leases.end_game(user_id)
    await state.users.close_account(user_id)
    await state.leases.end_game(user_id)  # another tab may have started one in between
    return StudyWithdrawn(study=page.study.name)


@router.get("/research/studies", responses=problem_answers(401, 403, 503))
async def list_all_studies(researcher: Researcher, state: State) -> list[StudySummary]:
    """List the studies with their newest version; for researchers."""
    del researcher
    async with request_transaction(state.engine) as connection:
        return [StudySummary.model_validate(row) for row in await list_studies(connection)]


@router.get("/research/studies/{name}", responses=problem_answers(401, 403, 404, 422, 503))
async def read_study_status(
    name: Annotated[str, Path(pattern=STUDY_NAME)], researcher: Researcher, state: State
) -> StudyStatus:
    """Return where the participants of a study are, and the quality of what they played; for researchers."""
    del researcher
    async with request_transaction(state.engine) as connection:
        return await read_status(connection, name)
