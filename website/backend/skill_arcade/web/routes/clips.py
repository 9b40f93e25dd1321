"""Route that makes clips, for browsers that cannot."""

from itertools import pairwise
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy import Row

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.replay.clips import MAX_CLIP_FRAMES, MEDIA_TYPES, ClipFormat
from skill_arcade.storage.archive.rows import show_archived
from skill_arcade.storage.database.queries import episode_segments
from skill_arcade.storage.database.replay import read_step_columns
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.episodes import find_key, read_object
from skill_arcade.web.state import AppState, State
from skill_arcade.web.viewer import CurrentViewer, find_visible_episode

router = APIRouter(prefix="/episodes/{episode_id}", tags=["replay"])
LAST_DELAY_US = 500_000
"""Duration of the last frame if no later step says how long it was shown."""
MAX_FRAME = 2**31 - 1
CLIPS: dict[str, dict[str, str]] = {media_type: {} for media_type in MEDIA_TYPES.values()}


@router.get(
    "/clips",
    response_class=Response,
    responses={200: {"content": CLIPS, "description": "the clip"}, **problem_answers(401, 404, 410, 422, 429, 503)},
)
async def make_episode_clip(
    episode_id: UUID,
    format: Annotated[ClipFormat, Query(description="png and apng are exact")],
    first: Annotated[int, Query(ge=0, le=MAX_FRAME, description="first frame")],
    end: Annotated[int, Query(ge=1, le=MAX_FRAME, description="frame after the last one")],
    viewer: CurrentViewer,
    state: State,
) -> Response:
    """Make a clip of frames of an episode. A PNG has the first frame only."""
    if not first < end <= first + MAX_CLIP_FRAMES:
        raise InvalidRequest(f"A clip has 1 to {MAX_CLIP_FRAMES} frames. Choose another range.")
    async with request_transaction(state.engine) as connection:
        episode, _ = await find_visible_episode(connection, episode_id, viewer)
        segments = await episode_segments(connection, episode_id)
        await show_archived(connection, state.objects, [episode_id])
        columns = await read_step_columns(connection, episode_id, max(first - 1, 0), end - first + 1, None)
    n_frames = sum(row.n_frames for row in segments)
    if end > n_frames:
        raise NotFound(f"The episode has {n_frames} frames, and the range ends at {end}.")
    bodies, skipped = await read_frames(state, segments, first, end)
    clip = await state.clips.make(
        format, bodies, range(first - skipped, end - skipped), frame_delays(columns, first, end)
    )
    name = f"{episode.game_id}-{first}-{end - 1}.{'png' if format is ClipFormat.apng else format}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(clip, headers=headers, media_type=MEDIA_TYPES[format])


async def read_frames(state: AppState, segments: list[Row[Any]], first: int, end: int) -> tuple[list[bytes], int]:
    """Return the APNG objects that contain the frames `first` to `end`, and the number of frames before them."""
    bodies: list[bytes] = []
    place = skipped = 0
    for row in segments:
        key = find_key(row, "frames")
        if key is not None and place < end and place + row.n_frames > first:
            if not bodies:
                skipped = place
            bodies.append(await read_object(state, key, str(row.objects[key])))
        place += row.n_frames
    return bodies, skipped


def frame_delays(columns: dict[str, list[Any]], first: int, end: int) -> list[int]:
    """Return the recorded duration of each frame. `columns` has the steps from `max(first - 1, 0)` on.

    Frame 0 is shown from time 0 on, and frame k from the start of step k - 1 on. In lockstep, the browser's clock
    counts, because the server verifies steps in groups.
    """
    times = [0] if first == 0 else []
    times += [
        server if stepped is None else stepped
        for server, stepped in zip(columns["server_us"], columns["stepped_us"], strict=True)
    ]
    if first == 0 and len(times) > 1 and columns["stepped_us"][0] is not None:
        times[0] = times[1] - columns["server_us"][0]
    delays = [max(after - before, 1) for before, after in pairwise(times)][: end - first]
    return delays + [LAST_DELAY_US] * (end - first - len(delays))
