"""Routes that return recordings: to players their own, to researchers all, and with a link the episode of the link.

The server relays the objects instead of issuing signed URLs: permissions are checked at each request, folder and bucket
work alike, and the server's account needs no permission to sign URLs.
"""

import logging
import re
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy import Row

from skill_arcade.errors import NotFound, NotReady, RangeNotSatisfiable
from skill_arcade.storage.database.queries import episode_segments, get_segment
from skill_arcade.storage.objects.verified import read_verified
from skill_arcade.web.current_user import CurrentUser
from skill_arcade.web.models.episodes import RecordedEpisode
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState, State
from skill_arcade.web.viewer import CurrentViewer, find_private_episode, find_visible_episode, hides_seed

log = logging.getLogger(__name__)
router = APIRouter(prefix="/episodes", tags=["episodes"])
# Segments never change. `Vary` prevents reuse by another user of the same browser.
CACHING = {
    "cache-control": "private, max-age=86400, immutable",
    "vary": "Authorization, Share-Token",
    "accept-ranges": "bytes",
}
Kind = Literal["frames", "observations"]
KINDS: dict[Kind, tuple[str, str]] = {
    "frames": (".png", "image/apng"),
    "observations": (".npz", "application/octet-stream"),
}
BYTES: dict[str, dict[str, str]] = {kind: {} for _, kind in KINDS.values()}
RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
MAX_SEGMENT_NUMBER = 10_000_000
STORE_UNAVAILABLE = "The object store is unavailable. Try again in a moment."


@router.get("/{episode_id}", responses=problem_answers(401, 404, 422, 503))
async def read_episode(episode_id: UUID, user: CurrentUser, state: State) -> RecordedEpisode:
    """Return an episode as recorded so far, and the paths of its frames and observations."""
    async with request_transaction(state.engine) as connection:
        episode, access = await find_private_episode(connection, episode_id, user)
        segments = await episode_segments(connection, episode_id)
    segment_fields = [_describe_segment(segment) for segment in segments]
    fields = RecordedEpisode.model_fields.keys() - {"segments"}
    hidden = {"seed": None} if await hides_seed(state, episode.provenance, access) else {}
    return RecordedEpisode.model_validate(
        {name: getattr(episode, name) for name in fields} | {"segments": segment_fields} | hidden
    )


@router.get(
    "/{episode_id}/segments/{number}/{kind}",
    response_class=Response,
    responses={
        200: {"content": BYTES, "description": "the file as it was recorded"},
        206: {"content": BYTES, "description": "the bytes that the header Range asks for"},
        **problem_answers(401, 404, 410, 416, 422, 503),
    },
)
async def read_segment(
    episode_id: UUID,
    number: Annotated[int, Path(ge=0, le=MAX_SEGMENT_NUMBER)],
    kind: Kind,
    request: Request,
    viewer: CurrentViewer,
    state: State,
) -> Response:
    """Return the frames (APNG) or observations (NPZ) of a segment, exactly as they were recorded.

    The header Range selects a part of the file.
    """
    async with request_transaction(state.engine) as connection:
        await find_visible_episode(connection, episode_id, viewer)
        segment = await get_segment(connection, episode_id, number)
    key = find_key(segment, kind)
    if key is None:
        raise NotFound(f"Segment {number} of episode {episode_id} has no {kind}.")
    sha256 = str(segment.objects[key])
    headers = {**CACHING, "etag": f'"{sha256}"'}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    data = await read_object(state, key, sha256)
    return send_range(data, request.headers.get("range"), headers, KINDS[kind][1])


def send_range(data: bytes, requested: str | None, headers: dict[str, str], media_type: str) -> Response:
    """Answer with the bytes that a Range header asks for (RFC 9110, section 14), or with all of them.

    A header with several ranges, or of another unit or form, is ignored, as the RFC allows.

    Raises:
        RangeNotSatisfiable: the range is beyond the end.
    """
    match = RANGE.fullmatch(requested or "")
    if match is None or match[0] == "bytes=-":
        return Response(data, headers=headers, media_type=media_type)
    size = len(data)
    start = int(match[1]) if match[1] else max(size - int(match[2]), 0)
    end = min(int(match[2]) + 1, size) if match[1] and match[2] else size
    if match[1] and match[2] and int(match[2]) < start:
        return Response(data, headers=headers, media_type=media_type)
    if start >= size:
        raise RangeNotSatisfiable(f"The file has {size} bytes, and the range starts at byte {start}.")
    part_headers = headers | {"content-range": f"bytes {start}-{end - 1}/{size}"}
    return Response(data[start:end], 206, headers=part_headers, media_type=media_type)


async def read_object(state: AppState, key: str, sha256: str) -> bytes:
    """Return an object of a recording after verifying its checksum.

    Raises:
        NotReady: the object store is unavailable.
        RecordingDamaged: the object is missing, or differs from what was recorded.
    """
    try:
        return await read_verified(state.objects, key, sha256)
    except NotReady as error:
        log.warning("cannot read from the object store key=%s: %s", key, error)
        raise NotReady(STORE_UNAVAILABLE) from error


def find_key(segment: Row[Any], kind: Kind) -> str | None:
    """Return the key of a segment's file of this kind, or None if it has none."""
    return next((key for key in segment.objects if key.endswith(KINDS[kind][0])), None)


def _describe_segment(segment: Row[Any]) -> dict[str, Any]:
    path = f"/episodes/{segment.episode_id}/segments/{segment.number}"
    fields = {name: getattr(segment, name) for name in ("number", "first_step", "n_steps", "n_frames", "n_bytes")}
    return fields | {kind: None if find_key(segment, kind) is None else f"{path}/{kind}" for kind in KINDS}
