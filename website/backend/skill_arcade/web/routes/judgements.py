"""Routes by which people judge clips. A judge learns neither which recordings they are of, nor their scores."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from fastapi.responses import Response
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import ConsentRequired, InvalidRequest, NotAllowed, NotFound
from skill_arcade.judgements.order import Presentation, order_items
from skill_arcade.judgements.schema import NAME, SCALES, Crop
from skill_arcade.replay.clips import MEDIA_TYPES, ClipFormat
from skill_arcade.storage.database.consents import RESEARCH, read_answer
from skill_arcade.storage.database.judgements import (
    SCOPES_OF_AUDIENCE,
    add_judgement,
    get_set,
    list_allowed_items,
    list_answered,
    list_repeats,
    read_clip,
    retract_last,
)
from skill_arcade.storage.database.queries import episode_segments
from skill_arcade.storage.database.replay import read_manifest
from skill_arcade.web.current_user import CurrentUser
from skill_arcade.web.models.judgements import JudgementRequest, JudgementState, JudgementTask
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.clips import read_frames
from skill_arcade.web.state import AppState, State
from skill_arcade.web.tokens import Identity

router = APIRouter(prefix="/judgements/{name}", tags=["judgements"])
Name = Annotated[str, Path(pattern=f"^{NAME}$", max_length=100)]
ERRORS = problem_answers(401, 403, 404, 422, 503)
N_TASKS = 2
"""Items that the page learns at once, so that it loads the clips of the next one in advance."""
MAX_CLIP_WAIT_SECONDS = 30.0
"""A judge's clips wait for others that are being made; the page has asked for them in advance."""
NOT_INVITED = "Only researchers judge these clips. Ask the operator for the role, then sign in again."
CLOSED = "This set of clips is closed, and takes no more answers."
NO_CONSENT = "Answers are recorded for research, which you have not allowed. Allow it first, then open this page again."
APNG: dict[str, dict[str, str]] = {MEDIA_TYPES[ClipFormat.apng]: {}}


@router.get("", responses=ERRORS)
async def read_judgement_state(name: Name, user: CurrentUser, state: State) -> JudgementState:
    """Return a set as the user sees it, with the next items."""
    async with request_transaction(state.engine) as connection:
        found, _ = await _find_set(connection, name, user)
        return await _describe_state(connection, state, found, user)


@router.get(
    "/items/{number}/clips/{side}",
    response_class=Response,
    responses={200: {"content": APNG, "description": "the clip"}, **problem_answers(401, 403, 404, 422, 429, 503)},
)
async def read_judgement_clip(
    name: Name,
    number: Annotated[int, Path(ge=0, le=2**31 - 1)],
    side: Annotated[Literal["left", "right"], Path(description="as the user sees it; a clip to rate is left")],
    user: CurrentUser,
    state: State,
) -> Response:
    """Return a clip as an APNG whose pixels are exact. It has the frames of the clip and no others."""
    async with request_transaction(state.engine) as connection:
        found, _ = await _find_set(connection, name, user)
        allowed = await list_allowed_items(connection, name, SCOPES_OF_AUDIENCE[found.audience])
        shown = await _find_presentation(connection, found, user, number)
        if number not in allowed:
            raise NotFound(f"The set {name!r} has no such clip.")
        clip = await read_clip(connection, name, number, "second" if (side == "right") != shown.is_swapped else "first")
        segments = await episode_segments(connection, clip.episode_id)
    bodies, skipped = await read_frames(state, segments, clip.frame_from, clip.frame_to)
    frames = range(clip.frame_from - skipped, clip.frame_to - skipped)
    crop = None if found.content["crop"] is None else Crop.model_validate(found.content["crop"])
    delay_us = round(1_000_000 / found.frames_per_second)
    body = await state.clips.make(
        ClipFormat.apng,
        bodies,
        frames,
        [delay_us] * len(frames),
        crop=None if crop is None else (crop.x, crop.y, crop.width, crop.height),
        max_wait_seconds=MAX_CLIP_WAIT_SECONDS,
    )
    # A later withdrawal must reach the judge at once.
    headers = {"cache-control": "no-store"}
    return Response(body, headers=headers, media_type=MEDIA_TYPES[ClipFormat.apng])


@router.post("/answers", responses=ERRORS)
async def answer_judgement(name: Name, body: JudgementRequest, user: CurrentUser, state: State) -> JudgementState:
    """Store an answer, and return the next items. A second answer to an item is ignored: undo the first one."""
    async with request_transaction(state.engine) as connection:
        found, consent_id = await _find_set(connection, name, user)
        _check_answer(found, body)
        shown = await _find_presentation(connection, found, user, body.number)
        values = {
            "set_name": name,
            "user_id": user.user_id,
            "consent_id": consent_id,
            "position": shown.position,
            "is_swapped": shown.is_swapped,
            "build": state.consents.build,
            **body.model_dump(),
        }
        await add_judgement(connection, values)
        return await _describe_state(connection, state, found, user)


@router.post("/undo", responses=ERRORS)
async def undo_judgement(name: Name, user: CurrentUser, state: State) -> JudgementState:
    """Retract the user's last answer, whose item is the next one again. Without an answer nothing changes."""
    async with request_transaction(state.engine) as connection:
        found, _ = await _find_set(connection, name, user)
        await retract_last(connection, name, user.user_id)
        return await _describe_state(connection, state, found, user)


async def _find_set(connection: AsyncConnection, name: str, user: Identity) -> tuple[Row[Any], Any]:
    """Return a set that the user may judge now, and the consent that answers are recorded under.

    Raises:
        ConsentRequired: the user has not allowed research.
        NotAllowed: the user is not invited, or the set is closed.
        NotFound: there is no such set.
    """
    found = await get_set(connection, name)
    if found.audience == "researchers" and "researcher" not in user.roles:
        raise NotAllowed(NOT_INVITED)
    if found.time_closed is not None:
        raise NotAllowed(CLOSED)
    answer = await read_answer(connection, user.user_id)
    if answer.is_synthetic:
        return found, None
    # A participant of a study has agreed to that study only.
    if answer.study is not None or RESEARCH not in answer.scopes:
        raise ConsentRequired(NO_CONSENT)
    return found, answer.id


async def _find_presentation(connection: AsyncConnection, found: Row[Any], user: Identity, number: int) -> Presentation:
    """Return how the user sees an item. Raises NotFound."""
    shown = next((one for one in await _list_order(connection, found, user) if one.number == number), None)
    if shown is None:
        raise NotFound(f"The set {found.name!r} has no such clip.")
    return shown


async def _list_order(connection: AsyncConnection, found: Row[Any], user: Identity) -> list[Presentation]:
    repeats = await list_repeats(connection, found.name)
    order = order_items(found.sha256, user.user_id, found.n_items, repeats)
    if found.kind == "pair":
        return order
    return [Presentation(one.number, one.position, is_swapped=False) for one in order]


async def _describe_state(
    connection: AsyncConnection, state: AppState, found: Row[Any], user: Identity
) -> JudgementState:
    allowed = await list_allowed_items(connection, found.name, SCOPES_OF_AUDIENCE[found.audience])
    order = [one for one in await _list_order(connection, found, user) if one.number in allowed]
    answered = set(await list_answered(connection, found.name, user.user_id))
    waiting = [one for one in order if one.number not in answered]
    show = (await read_manifest(connection, found.game_id)).get("show") or {}
    game = state.catalogue.games.get(found.game_id)
    sides = ("left", "right") if found.kind == "pair" else ("left",)
    return JudgementState(
        name=found.name,
        kind=found.kind,
        game=found.game_id if game is None else game.name,
        question=found.content["question"],
        scale=found.content["scale"],
        frames_per_second=found.frames_per_second,
        pixel_aspect=show.get("pixel_aspect", 1.0),
        smooth=show.get("smooth", False),
        n_items=len(order),
        n_answered=len(order) - len(waiting),
        tasks=[
            JudgementTask(
                number=one.number,
                clips=[f"/judgements/{found.name}/items/{one.number}/clips/{side}" for side in sides],
            )
            for one in waiting[:N_TASKS]
        ],
    )


def _check_answer(found: Row[Any], body: JudgementRequest) -> None:
    """Raise InvalidRequest if the answer does not fit the kind of the set, or its scale."""
    if body.answer == "rating":
        low, high = SCALES[found.content["scale"]]
        if found.kind != "rating" or body.rating is None or body.rating not in range(low, high + 1):
            raise InvalidRequest(f"A rating is a whole number from {low} to {high}, in a set of ratings.")
    elif body.rating is not None:
        raise InvalidRequest("Only the answer `rating` has a rating. Leave it out.")
    elif found.kind == "rating" and body.answer not in ("cannot_tell", "skip"):
        raise InvalidRequest("Clips of this set are rated: answer rating, cannot_tell or skip.")
