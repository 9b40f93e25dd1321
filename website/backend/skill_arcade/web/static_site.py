"""Serves the built page from the same server as the API, so that one origin is sufficient."""

from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from skill_arcade.web.assets import IMMUTABLE, REVALIDATE, Asset, file_version, read_asset, send_asset

DEFAULT_FOLDER = Path(__file__).resolve().parents[3] / "frontend" / "dist"
# First path segments of the API. Unknown paths below them are a 404 in JSON, never the page.
API = (
    "auth",
    "challenges",
    "config.json",
    "games",
    "judgements",
    "leaderboards",
    "me",
    "ws",
    "health",
    "healthz",
    "readyz",
    "metrics",
    "openapi.json",
    "assets",
    "lockstep",
    "episodes",
    "exports",
    "shared",
    "studies",
)
MAX_SEGMENT_BYTES = 255
BUILD_INSTRUCTIONS_HTML = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Skill Arcade</title>
<h1>Skill Arcade is running, but its page is not built yet.</h1>
<p>Run <code>website/play</code>, which builds it and starts this server,
or <code>cd website/frontend &amp;&amp; npm install &amp;&amp; npm run build</code> and reload this page.
While you work on the page, <code>npm run dev</code> there serves it at <a href="http://localhost:5173">localhost:5173</a>.
</p></html>
"""


class StaticSite:
    """ASGI application that serves the page's files.

    Each is read and compressed once, in a thread, and cached in memory.

    A file that changes on disk is read again, so that a new build is served at once.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = (folder or DEFAULT_FOLDER).resolve()
        self._cache: dict[Path, Asset] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, with the page for its own paths, or with 404."""
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
            return
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(404)
        response = await anyio.to_thread.run_sync(self._respond, scope["path"], Headers(scope=scope))
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    def _respond(self, path: str, headers: Headers) -> Response:
        asset = self._find(path.lstrip("/"))
        if asset is not None and path != "/":
            is_hashed = path.startswith("/assets/")
            return send_asset(asset, headers, IMMUTABLE if is_hashed else REVALIDATE)
        if not _is_page(path, headers):
            raise HTTPException(404)
        index = self._find("index.html")
        if index is None:
            return HTMLResponse(BUILD_INSTRUCTIONS_HTML, 200 if path == "/" else 404, {"cache-control": "no-store"})
        return send_asset(index, headers, REVALIDATE)

    def _find(self, name: str) -> Asset | None:
        """Read a file of the folder. Return None if it does not exist or is outside of the folder."""
        if "\0" in name or any(len(segment.encode()) > MAX_SEGMENT_BYTES for segment in name.split("/")):
            return None
        try:
            path = (self._folder / name).resolve()
            if not path.is_relative_to(self._folder) or not path.is_file():
                return None
        except OSError:  # the path is too long
            return None
        asset = self._cache.get(path)
        if asset is None or asset.version != file_version(path):
            asset = self._cache[path] = read_asset(path)
        return asset


def _is_page(path: str, headers: Headers) -> bool:
    """Return whether a browser navigates to this path, as opposed to a program that requests a missing file."""
    if path == "/":
        return True
    segments = path.strip("/").split("/")
    return segments[0] not in API and "." not in segments[-1] and "text/html" in headers.get("accept", "")
