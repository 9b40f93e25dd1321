"""Routes that return recordings: to players their own, to researchers all.

The server relays the objects instead of issuing signed URLs: permissions are checked at each request, folder and bucket
work alike, and the server's account needs no permission to sign URLs.
"""

import hashlib
import logging
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import NotFound, NotReady, ObjectMissing, RecordingDamaged
from skill_arcade.storage.database.queries import episode_segments, get_episode, get_segment
from skill_arcade.web.current_user import CurrentUser
from skill_arcade.web.models import RecordedEpisode
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState, State
from skill_arcade.web.tokens import Identity

log = logging.getLogger(__name__)
router = APIRouter(prefix="/episodes", tags=["episodes"])
# Segments never change. `Vary` prevents reuse by another user of the same browser.
CACHING = {"cache-control": "private, max-age=86400, immutable", "vary": "Authorization"}
Kind = Literal["frames", "observations"]
KINDS: dict[Kind, tuple[str, str]] = {
    "frames": (".png", "image/apng"),
    "observations": (".npz", "application/octet-stream"),
}
BYTES: dict[str, dict[str, str]] = {kind: {} for _, kind in KINDS.values()}
MAX_SEGMENT_NUMBER = 10_000_000
STORE_UNAVAILABLE = "The object store is unavailable. Try again in a moment."


@router.get("/{episode_id}", responses=problem_answers(401, 404, 422, 503))
async def read_episode(episode_id: UUID, user: CurrentUser, state: State) -> RecordedEpisode:
    """Return an episode as recorded so far, and the paths of its frames and observations."""
    async with request_transaction(state.engine) as connection:
        episode = await _find_episode(connection, episode_id, user)
        segments = await episode_segments(connection, episode_id)
    segment_fields = [_describe_segment(segment) for segment in segments]
    fields = RecordedEpisode.model_fields.keys() - {"segments"}
    return RecordedEpisode.model_validate(
        {name: getattr(episode, name) for name in fields} | {"segments": segment_fields}
    )


@router.get(
    "/{episode_id}/segments/{number}/{kind}",
    response_class=Response,
    responses={
        200: {"content": BYTES, "description": "the file as it was recorded"},
        **problem_answers(401, 404, 422, 503),
    },
)
async def read_segment(
    episode_id: UUID,
    number: Annotated[int, Path(ge=0, le=MAX_SEGMENT_NUMBER)],
    kind: Kind,
    request: Request,
    user: CurrentUser,
    state: State,
) -> Response:
    """Return the frames (APNG) or observations (NPZ) of a segment, exactly as they were recorded."""
    async with request_transaction(state.engine) as connection:
        await _find_episode(connection, episode_id, user)
        segment = await get_segment(connection, episode_id, number)
    key = _find_key(segment, kind)
    if key is None:
        raise NotFound(f"Segment {number} of episode {episode_id} has no {kind}.")
    sha256 = str(segment.objects[key])
    headers = {**CACHING, "etag": f'"{sha256}"'}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(await _read_object(state, key, sha256), headers=headers, media_type=KINDS[kind][1])


async def _find_episode(connection: AsyncConnection, episode_id: UUID, user: Identity) -> Row[Any]:
    """Return the episode's row.

    Raises:
        NotFound: the episode does not exist, or the user has no permission; the two cannot be told apart.
    """
    not_found = NotFound(f"Episode {episode_id} not found.")
    try:
        episode = await get_episode(connection, episode_id)
    except NotFound:
        raise not_found from None
    if episode.user_id != user.user_id and "researcher" not in user.roles:
        raise not_found
    return episode


async def _read_object(state: AppState, key: str, sha256: str) -> bytes:
    try:
        data = await state.objects.get(key)
    except NotReady as error:
        log.warning("cannot read from the object store key=%s: %s", key, error)
        raise NotReady(STORE_UNAVAILABLE) from error
    except ObjectMissing as error:
        raise RecordingDamaged(f"Object {key} is missing, although the database refers to it.") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RecordingDamaged(f"Object {key} differs from what was recorded: wrong SHA-256.")
    return data


def _find_key(segment: Row[Any], kind: Kind) -> str | None:
    return next((key for key in segment.objects if key.endswith(KINDS[kind][0])), None)


def _describe_segment(segment: Row[Any]) -> dict[str, Any]:
    path = f"/episodes/{segment.episode_id}/segments/{segment.number}"
    fields = {name: getattr(segment, name) for name in ("number", "first_step", "n_steps", "n_frames", "n_bytes")}
    return fields | {kind: None if _find_key(segment, kind) is None else f"{path}/{kind}" for kind in KINDS}
