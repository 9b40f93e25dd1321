"""What was recorded, sent back to who may see it: a player their own episodes, a researcher all of them.

The server passes the objects on rather than hand out signed addresses: who asks is checked each time, it works the
same from a folder and from a bucket, and the server's account needs no right to sign anything.
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
# What a segment is never changes. It is for one person: another who signs in on the same machine asks anew.
CACHING = {"cache-control": "private, max-age=86400, immutable", "vary": "Authorization"}
Kind = Literal["frames", "observations"]
KINDS: dict[Kind, tuple[str, str]] = {
    "frames": (".png", "image/apng"),
    "observations": (".npz", "application/octet-stream"),
}
BYTES: dict[str, dict[str, str]] = {kind: {} for _, kind in KINDS.values()}
LAST = 10_000_000
STORE_UNAVAILABLE = "Recordings can't be read at the moment; try again soon."


@router.get("/{episode_id}", responses=problem_answers(401, 404, 422, 503))
async def read_episode(episode_id: UUID, someone: CurrentUser, state: State) -> RecordedEpisode:
    """Tell what is kept of an episode so far, and where its frames and observations are."""
    async with request_transaction(state.engine) as connection:
        episode = await _find_episode(connection, episode_id, someone)
        segments = await episode_segments(connection, episode_id)
    parts = [_describe_segment(segment) for segment in segments]
    fields = RecordedEpisode.model_fields.keys() - {"segments"}
    return RecordedEpisode.model_validate({name: getattr(episode, name) for name in fields} | {"segments": parts})


@router.get(
    "/{episode_id}/segments/{number}/{kind}",
    response_class=Response,
    responses={
        200: {"content": BYTES, "description": "the bytes as they were kept"},
        **problem_answers(401, 404, 422, 503),
    },
)
async def read_segment(
    episode_id: UUID,
    number: Annotated[int, Path(ge=0, le=LAST)],
    kind: Kind,
    request: Request,
    someone: CurrentUser,
    state: State,
) -> Response:
    """Send the frames (an APNG) or the observations (an NPZ) of a segment, exactly as they were kept."""
    async with request_transaction(state.engine) as connection:
        await _find_episode(connection, episode_id, someone)
        segment = await get_segment(connection, episode_id, number)
    key = _find_key(segment, kind)
    if key is None:
        raise NotFound(f"There are no {kind} in segment {number} of the episode {episode_id}.")
    sha256 = str(segment.objects[key])
    headers = {**CACHING, "etag": f'"{sha256}"'}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(await _read_object(state, key, sha256), headers=headers, media_type=KINDS[kind][1])


async def _find_episode(connection: AsyncConnection, episode_id: UUID, someone: Identity) -> Row[Any]:
    """Return the episode's row; NotFound also to somebody whom it does not concern: ids tell nothing."""
    episode = await get_episode(connection, episode_id)
    if episode.user_id != someone.user_id and "researcher" not in someone.roles:
        raise NotFound(f"There is no episode {episode_id}.")
    return episode


async def _read_object(state: AppState, key: str, sha256: str) -> bytes:
    try:
        data = await state.objects.get(key)
    except NotReady as error:
        log.warning("%s", error)
        raise NotReady(STORE_UNAVAILABLE) from error
    except ObjectMissing as error:
        raise RecordingDamaged(f"Object {key} is missing, though the database says it was kept.") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RecordingDamaged(f"Object {key} has other bytes than were recorded: its SHA-256 differs.")
    return data


def _find_key(segment: Row[Any], kind: Kind) -> str | None:
    return next((key for key in segment.objects if key.endswith(KINDS[kind][0])), None)


def _describe_segment(segment: Row[Any]) -> dict[str, Any]:
    place = f"/episodes/{segment.episode_id}/segments/{segment.number}"
    counted = {name: getattr(segment, name) for name in ("number", "first_step", "n_steps", "n_frames", "n_bytes")}
    return counted | {kind: None if _find_key(segment, kind) is None else f"{place}/{kind}" for kind in KINDS}
