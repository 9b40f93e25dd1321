"""The built page, served by the same server as everything else, so that one address and one port will do."""

from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from skill_arcade.web.assets import IMMUTABLE, REVALIDATE, Asset, file_version, read_asset, send_asset

BUILT = Path(__file__).resolve().parents[3] / "frontend" / "dist"
# What a path of the API starts with; a miss below these is an error for a program, never the page.
API = (
    "auth",
    "config.json",
    "games",
    "me",
    "ws",
    "healthz",
    "readyz",
    "metrics",
    "openapi.json",
    "assets",
    "lockstep",
    "episodes",
    "exports",
)
MAX_PATH_LENGTH = 255
ADVICE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Skill Arcade</title>
<h1>Skill Arcade is running, and its page is not built yet.</h1>
<p>Run <code>website/play</code>, which builds it and starts this server,
or <code>cd website/frontend &amp;&amp; npm install &amp;&amp; npm run build</code> and reload this page.
While you work on the page, <code>npm run dev</code> there serves it at <a href="http://localhost:5173">localhost:5173</a>.
</p></html>
"""


class StaticSite:
    """ASGI application of the page's files. Each is read and shrunk once, in a thread, and kept in memory.

    A file that changes on disk is read anew, so a build beside a running server shows at once.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = (folder or BUILT).resolve()
        self._kept: dict[Path, Asset] = {}

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
            hashed = path.startswith("/assets/")
            return send_asset(asset, headers, IMMUTABLE if hashed else REVALIDATE)
        if not _is_page(path, headers):
            raise HTTPException(404)
        index = self._find("index.html")
        if index is None:
            return HTMLResponse(ADVICE, 200 if path == "/" else 404, {"cache-control": "no-store"})
        return send_asset(index, headers, REVALIDATE)

    def _find(self, name: str) -> Asset | None:
        """Read a file of the folder; None when there is none, or when the name leads out of the folder."""
        if "\0" in name or any(len(step.encode()) > MAX_PATH_LENGTH for step in name.split("/")):
            return None
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        kept = self._kept.get(path)
        if kept is None or kept.version != file_version(path):
            kept = self._kept[path] = read_asset(path)
        return kept


def _is_page(path: str, headers: Headers) -> bool:
    """Say whether a person goes to this path, rather than a program asking for something that is not there."""
    if path == "/":
        return True
    steps = path.strip("/").split("/")
    return steps[0] not in API and "." not in steps[-1] and "text/html" in headers.get("accept", "")
