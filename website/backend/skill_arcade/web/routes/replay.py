"""Routes that a viewer of an episode reads: description, steps, events, `info` and captions."""

import gzip
import json
import math
from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import Row

from skill_arcade.replay.captions import keep_changes, read_captions, shorten
from skill_arcade.storage.archive.rows import show_archived
from skill_arcade.storage.database.queries import episode_segments
from skill_arcade.storage.database.replay import (
    list_info_texts,
    list_replay_events,
    newest_certificate,
    read_info,
    read_manifest,
    read_step_columns,
)
from skill_arcade.web.branches import find_refusal
from skill_arcade.web.models.replay import (
    FrameInfo,
    Replay,
    ReplayCaption,
    ReplayCaptions,
    ReplayEvents,
    ReplayGame,
    StepColumns,
)
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.episodes import find_key, read_object
from skill_arcade.web.state import State
from skill_arcade.web.viewer import CurrentViewer, find_visible_episode, hides_seed, is_public

router = APIRouter(prefix="/episodes/{episode_id}/replay", tags=["replay"])
ERRORS = problem_answers(401, 404, 410, 422, 503)
MAX_STEPS_PER_PAGE = 20_000
MAX_FRAME = 2**31 - 1
MIN_GZIP_BYTES = 1000
PRIVATE_KINDS = ("setup", "incident")
"""Kinds of events that describe the player's device or what their page sent; viewers with a link do not get them."""
PUBLIC_PROVENANCE = (
    "skill_arcade",
    "commit",
    "manifest_sha256",
    "options",
    "mode",
    "lockstep",
    "daily",
    "ghost",
    "branch",
)
PUBLIC_ENVIRONMENT = ("id", "kwargs", "rom", "packages", "python", "machine")


@router.get("", responses=ERRORS)
async def read_replay(episode_id: UUID, viewer: CurrentViewer, state: State) -> Replay:
    """Return the description of an episode with its game, certificate, provenance and segments."""
    async with request_transaction(state.engine) as connection:
        episode, access = await find_visible_episode(connection, episode_id, viewer)
        certificate = await newest_certificate(connection, episode_id)
        segments = await episode_segments(connection, episode_id)
        manifest = await read_manifest(connection, episode.game_id)
    described = _describe_segments(segments)
    columns = ("id", "seed", "status", "score", "n_steps", "end_reason", "time_created", "time_ended")
    provenance = dict(episode.provenance)
    recorded = {name: str(value) for name, value in provenance.get("options", {}).items()}
    game_id, options = state.catalogue.resolve(episode.game_id, recorded)
    current = state.catalogue.games.get(game_id)
    shown_as = {"id": game_id, **({} if current is None else {"name": current.name})}
    return Replay.model_validate(
        {name: getattr(episode, name) for name in columns}
        | {
            "access": access,
            "seed": None if await hides_seed(state, episode.provenance, access) else episode.seed,
            "game": {**describe_game(episode, manifest).model_dump(), **shown_as},
            "n_frames": sum(segment["n_frames"] for segment in described),
            "lives": _read_lives(_show_value(manifest, "lives", episode.reset_info)),
            "mode": str(provenance.get("mode", "streamed")),
            "options": options,
            "branch_refusal": find_refusal(state, episode),
            "certificate": certificate,
            "environment": {name: episode.environment.get(name) for name in PUBLIC_ENVIRONMENT},
            "provenance": provenance if not is_public(access) else _select(provenance, PUBLIC_PROVENANCE),
            "segments": described,
        }
    )


@router.get("/steps", response_class=Response, responses={200: {"model": StepColumns}, **ERRORS})
async def list_steps(
    episode_id: UUID,
    request: Request,
    viewer: CurrentViewer,
    state: State,
    first: Annotated[int, Query(ge=0, le=MAX_FRAME)] = 0,
    count: Annotated[int, Query(ge=1, le=MAX_STEPS_PER_PAGE)] = MAX_STEPS_PER_PAGE,
) -> Response:
    """Return a page of steps as columns, beginning with step `first`. Beyond the last step the columns are empty."""
    async with request_transaction(state.engine) as connection:
        episode, _ = await find_visible_episode(connection, episode_id, viewer)
        manifest = await read_manifest(connection, episode.game_id)
        lives_key = (manifest.get("show") or {}).get("lives")
        await show_archived(connection, state.objects, [episode_id])
        columns = await read_step_columns(connection, episode_id, first, count, lives_key)
    return await anyio.to_thread.run_sync(_send_columns, first, columns, _accepts_gzip(request))


@router.get("/events", response_class=Response, responses={200: {"model": ReplayEvents}, **ERRORS})
async def list_events(episode_id: UUID, request: Request, viewer: CurrentViewer, state: State) -> Response:
    """Return the events of an episode. With a link, those that describe the player's device are left out."""
    async with request_transaction(state.engine) as connection:
        _, access = await find_visible_episode(connection, episode_id, viewer)
        rows = await list_replay_events(connection, episode_id)
    events = [
        {name: getattr(row, name) for name in ("number", "kind", "server_us", "client_us", "step", "data")}
        for row in rows
        if not is_public(access) or row.kind not in PRIVATE_KINDS
    ]
    return await anyio.to_thread.run_sync(_send_json, {"events": events}, _accepts_gzip(request))


@router.get("/info/{frame}", responses=ERRORS)
async def read_frame_info(
    episode_id: UUID, frame: Annotated[int, Path(ge=0, le=MAX_FRAME)], viewer: CurrentViewer, state: State
) -> FrameInfo:
    """Return the `info` that came with a frame: of `reset` for frame 0, of step `frame - 1` otherwise."""
    async with request_transaction(state.engine) as connection:
        await find_visible_episode(connection, episode_id, viewer)
        await show_archived(connection, state.objects, [episode_id])
        return FrameInfo(frame=frame, info=await read_info(connection, episode_id, frame))


@router.get("/captions", responses=ERRORS)
async def list_captions(episode_id: UUID, viewer: CurrentViewer, state: State) -> ReplayCaptions:
    """Return the texts beside the picture, where they change; from the observations, or from `info`."""
    async with request_transaction(state.engine) as connection:
        episode, _ = await find_visible_episode(connection, episode_id, viewer)
        manifest = await read_manifest(connection, episode.game_id)
        key: str | None = (manifest.get("show") or {}).get("text")
        segments = await episode_segments(connection, episode_id)
        if key is not None:
            await show_archived(connection, state.objects, [episode_id])
        texts = [] if key is None else await list_info_texts(connection, episode_id, key)
    observed: list[tuple[int, str]] = []
    first_frame = 0
    for segment in segments:
        object_key = find_key(segment, "observations")
        if key is not None and object_key is not None:
            data = await read_object(state, object_key, str(segment.objects[object_key]))
            observed += await anyio.to_thread.run_sync(read_captions, data, key, first_frame)
        first_frame += segment.n_frames
    changes = keep_changes(observed or [(frame, shorten(text)) for frame, text in texts])
    return ReplayCaptions(captions=[ReplayCaption(frame=frame, text=text) for frame, text in changes])


def describe_game(episode: Row[Any], manifest: dict[str, Any]) -> ReplayGame:
    """Describe the game of an episode. A game that was removed from the catalogue is described by its last manifest."""
    pace = dict(manifest.get("pace") or {"kind": "turn-based"})
    if pace["kind"] == "real-time":
        pace["hz"] = float(pace["hz"]) * float(episode.provenance.get("options", {}).get("speed", 1))
    show = manifest.get("show") or {}
    return ReplayGame.model_validate(
        {
            "id": episode.game_id,
            "name": episode.game_name,
            "pace": pace,
            "controls": manifest.get("controls") or [],
            "actions": manifest.get("actions") or [],
            "noop": manifest.get("noop"),
            "show": {
                "score": show.get("score", True),
                "lives": show.get("lives"),
                "text": show.get("text"),
                "pixel_aspect": show.get("pixel_aspect", 1.0),
                "smooth": show.get("smooth", False),
            },
        }
    )


def _describe_segments(segments: list[Row[Any]]) -> list[dict[str, Any]]:
    described, first_frame = [], 0
    for row in segments:
        key = find_key(row, "frames")
        fields = {name: getattr(row, name) for name in ("number", "first_step", "n_steps", "n_frames", "n_bytes")}
        path = f"/episodes/{row.episode_id}/segments/{row.number}/frames"
        described.append(
            fields
            | {
                "first_frame": first_frame,
                "frames": None if key is None else path,
                "frames_sha256": None if key is None else row.objects[key],
            }
        )
        first_frame += row.n_frames
    return described


def _show_value(manifest: dict[str, Any], name: str, info: dict[str, Any]) -> str | None:
    key = (manifest.get("show") or {}).get(name)
    value = None if key is None else info.get(key)
    return None if value is None else str(value)


def _select(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}


def _send_columns(first: int, columns: dict[str, list[Any]], gzipped: bool) -> Response:
    columns["reward"] = [value if math.isfinite(value) else _name_number(value) for value in columns["reward"]]
    columns["lives"] = [_read_lives(text) for text in columns["lives"]]
    return _send_json({"first": first, **columns}, gzipped)


def _read_lives(text: str | None) -> float | None:
    try:
        lives = None if text is None else float(text)
    except ValueError:
        return None
    return lives if lives is not None and math.isfinite(lives) else None


def _name_number(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _send_json(content: Any, gzipped: bool) -> Response:
    body = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    headers = {"vary": "Authorization, Share-Token, Accept-Encoding"}
    if gzipped and len(body) >= MIN_GZIP_BYTES:
        body = gzip.compress(body, 5, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, headers=headers, media_type="application/json")


def _accepts_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")
