"""Routes for consent: the document, the user's answer, and its withdrawal."""

from typing import Annotated

from fastapi import APIRouter, Query

from skill_arcade.consent.documents import SCOPES
from skill_arcade.web.current_user import UserId
from skill_arcade.web.models.consent import (
    ConsentAnswerRequest,
    ConsentPage,
    ConsentScope,
    MyConsent,
    WithdrawalRequest,
)
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.state import AppState, State

router = APIRouter(tags=["consent"])
Language = Annotated[str, Query(max_length=20, pattern=r"^[A-Za-z0-9-]*$", description="language tag, such as de")]


@router.get("/consent/document", responses=problem_answers(422))
async def read_consent_document(state: State, language: Language = "") -> ConsentPage:
    """Return what players are asked, in this language or in the owner's first one."""
    document = state.consents.find_document(language)
    text = document.text
    return ConsentPage.model_validate(
        {
            **text.model_dump(exclude={"scopes"}),
            "sha256": document.sha256,
            "version": document.version,
            "language": document.language,
            "languages": list(state.consents.documents.by_language),
            "scopes": [ConsentScope(id=scope, **getattr(text.scopes, scope).model_dump()) for scope in SCOPES],
            "has_unrecorded_play": state.consents.has_unrecorded_play,
        }
    )


@router.get("/me/consent", responses=problem_answers(401, 503))
async def read_my_consent(user_id: UserId, state: State) -> MyConsent:
    """Return the user's newest answer."""
    return await _read(state, user_id)


@router.post("/me/consent", responses=problem_answers(401, 403, 422, 503))
async def answer_consent(body: ConsentAnswerRequest, user_id: UserId, state: State) -> MyConsent:
    """Answer the question. An answer without scopes declines; it needs no year of birth.

    It holds for games from now on. What was recorded before stays as it was allowed then: see the withdrawal.
    """
    await state.users.check_known(user_id)
    await state.consents.answer(user_id, body.document, body.scopes, body.birth_year, body.time_shown)
    return await _read(state, user_id)


@router.post("/me/consent/withdrawal", responses=problem_answers(401, 422, 503))
async def withdraw_consent(body: WithdrawalRequest, user_id: UserId, state: State) -> MyConsent:
    """Withdraw scopes of everything that was recorded, at once. A running game is ended first.

    Recordings without a scope left are erased within seconds, also after a restart of this server. An export that a
    researcher has downloaded already is not affected.
    """
    await state.users.check_known(user_id)
    await state.leases.end_game(user_id)
    await state.consents.withdraw(user_id, body.scopes)
    await state.leases.end_game(user_id)  # another tab may have started one in between
    return await _read(state, user_id)


async def _read(state: AppState, user_id: str) -> MyConsent:
    answer, active = await state.consents.read(user_id)
    return MyConsent.model_validate(
        {
            "decision": answer.decision,
            "needs_answer": state.consents.needs_answer(answer),
            "version": answer.version,
            "scopes": list(answer.scopes),
            "withdrawable": sorted(active, key=SCOPES.index),
            "time_decided": answer.time_decided,
        }
    )
