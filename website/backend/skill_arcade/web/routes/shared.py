"""The pages behind links that share an episode. They have what chats and social networks show as a preview.

A link leads to the server, not to the hosted page, because only the server can render the title and picture of one
episode (decisions/0018). The page sends browsers on to the viewer, with the token in the fragment of the address, which
browsers do not send to servers.
"""

import html
import re
from typing import Annotated, Any
from urllib.parse import urlencode

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import LinkRevoked, NotFound
from skill_arcade.frames.apng import read_apng
from skill_arcade.replay.clips import make_preview
from skill_arcade.storage.database.queries import episode_segments, get_episode
from skill_arcade.storage.database.shares import find_share
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.clips import read_frames
from skill_arcade.web.state import AppState, State
from skill_arcade.wire.error_table import problem_of

router = APIRouter(prefix="/shared/{token}", tags=["shares"])
Token = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]
Range = Annotated[str, Query(max_length=30, pattern=r"^[0-9]{1,9}(-[0-9]{1,9})?$", description="frame, or FIRST-END")]
VIEW = ("f", "speed", "show")
"""Query parameters that are passed on to the viewer."""
VALUE = re.compile(r"[0-9A-Za-z.,_-]{1,60}")
CACHING = {"cache-control": "private, max-age=60"}
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<title>{title} · Skill Arcade</title>
{meta}
<link rel="icon" href="{page}/icon.svg" type="image/svg+xml">
</head>
<body><main><h1>{title}</h1><p>{text}</p>
<p><a href="{target}">{label}</a></p></main></body>
</html>
"""


@router.get(
    "",
    response_class=HTMLResponse,
    responses={
        404: {"content": {"text/html": {}}, "description": "The link does not exist."},
        410: {"content": {"text/html": {}}, "description": "The link was revoked."},
        **problem_answers(422, 503),
    },
)
async def open_share(token: Token, request: Request, state: State) -> HTMLResponse:
    """Send a browser on to the replay. Programs that follow no refresh read the preview: title, text and picture."""
    page = page_origin(state)
    async with request_transaction(state.engine) as connection:
        try:
            episode = await _find_shared_episode(connection, token)
        except (NotFound, LinkRevoked) as error:
            body = PAGE.format(
                title="Replay not available", meta="", page=page, text=error, target=f"{page}/", label="All games"
            )
            return HTMLResponse(body, problem_of(error).status or 500, {"cache-control": "no-store"})
    query = {name: value for name in VIEW if VALUE.fullmatch(value := request.query_params.get(name, ""))}
    target = f"{page}/replay/{episode.id}{f'?{urlencode(query)}' if query else ''}#share={token}"
    title, text = describe_share(episode)
    picture = f"{request.base_url}shared/{token}/picture.png"
    if re.fullmatch(r"[0-9]{1,9}(-[0-9]{1,9})?", query.get("f", "")):
        picture += f"?f={query['f']}"
    meta = "\n".join(
        (
            f'<meta http-equiv="refresh" content="0; url={html.escape(target)}">',
            *(
                f'<meta property="og:{name}" content="{html.escape(value)}">'
                for name, value in {
                    "type": "website",
                    "site_name": "Skill Arcade",
                    "title": title,
                    "description": text,
                    "image": picture,
                    "image:width": "1200",
                    "image:height": "630",
                    "image:alt": f"A picture of the game {episode.game_name}",
                }.items()
            ),
            '<meta name="twitter:card" content="summary_large_image">',
            f'<meta name="description" content="{html.escape(text)}">',
        )
    )
    body = PAGE.format(
        title=html.escape(title),
        meta=meta,
        page=page,
        text=html.escape(text),
        target=html.escape(target),
        label="Watch the replay",
    )
    return HTMLResponse(body, headers=CACHING)


@router.get(
    "/picture.png",
    response_class=Response,
    responses={
        200: {"content": {"image/png": {}}, "description": "the picture"},
        **problem_answers(404, 410, 422, 503),
    },
)
async def read_share_picture(token: Token, state: State, f: Range = "") -> Response:
    """Return the picture of a preview: the frame that the link opens on, or one from the middle of the episode."""
    async with request_transaction(state.engine) as connection:
        episode = await _find_shared_episode(connection, token)
        segments = await episode_segments(connection, episode.id)
    n_frames = sum(row.n_frames for row in segments)
    if n_frames == 0:
        raise NotFound("This episode has no stored frames yet. Try again in a moment.")
    frame = min(int(f.partition("-")[0]), n_frames - 1) if f else n_frames // 2
    (segment,), skipped = await read_frames(state, segments, frame, frame + 1)
    picture = await anyio.to_thread.run_sync(lambda: make_preview(read_apng(segment)[frame - skipped]))
    return Response(picture, headers=CACHING, media_type="image/png")


def page_origin(state: AppState) -> str:
    """Return the origin of the page, or an empty text if this server serves it."""
    return state.settings.cors_origins[0].rstrip("/") if state.settings.cors_origins else ""


def describe_share(episode: Row[Any]) -> tuple[str, str]:
    """Return title and text of a preview. They name the game and the result, never the player."""
    outcome = {"won": "won", "lost": "lost"}.get(str(episode.status), "played")
    title = f"{episode.game_name}: {episode.score:,.10g} points"
    return title, f"A recorded game of {episode.game_name}, {outcome} in {episode.n_steps:,} steps. Watch every frame."


async def _find_shared_episode(connection: AsyncConnection, token: str) -> Row[Any]:
    share = await find_share(connection, token)
    return await get_episode(connection, share.episode_id)
