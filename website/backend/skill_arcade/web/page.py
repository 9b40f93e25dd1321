"""The built page, served by the same server as everything else, so that one address and one port will do."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

FOREVER = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"
BUILT = Path(__file__).resolve().parents[3] / "frontend" / "dist"
# What a path of the API starts with; a miss below these is an error for a program, never the page.
API = ("auth", "games", "me", "ws", "healthz", "readyz", "openapi.json", "assets")
# Named here rather than taken from the machine, so that a page looks the same wherever it is served.
KINDS = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mp3": "audio/mpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".xml": "text/xml",
}
# Types that shrink; pictures, sounds and fonts are compressed already.
SHRINKS = ("text/", "application/", "image/svg+xml")
LONGEST_NAME = 255
ADVICE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Skill Arcade</title>
<h1>Skill Arcade is running, and its page is not built yet.</h1>
<p>Run <code>website/play</code>, which builds it and starts this server,
or <code>cd website/frontend &amp;&amp; npm install &amp;&amp; npm run build</code> and reload this page.
While you work on the page, <code>npm run dev</code> there serves it at <a href="http://localhost:5173">localhost:5173</a>.
</p></html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page as it is sent: whole, and shrunk where that helps."""

    version: tuple[int, int]
    kind: str
    tag: str
    plain: bytes
    small: bytes | None


class Page:
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
            return _send_asset(asset, headers, FOREVER if hashed else ALWAYS_ASK)
        if not _is_page(path, headers):
            raise HTTPException(404)
        index = self._find("index.html")
        if index is None:
            return HTMLResponse(ADVICE, 200 if path == "/" else 404, {"cache-control": "no-store"})
        return _send_asset(index, headers, ALWAYS_ASK)

    def _find(self, name: str) -> Asset | None:
        """Read a file of the folder; None when there is none, or when the name leads out of the folder."""
        if "\0" in name or any(len(step.encode()) > LONGEST_NAME for step in name.split("/")):
            return None
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        status = path.stat()
        version = (status.st_mtime_ns, status.st_size)
        kept = self._kept.get(path)
        if kept is None or kept.version != version:
            kept = self._kept[path] = _read_asset(path, version)
        return kept


def _is_page(path: str, headers: Headers) -> bool:
    """Say whether a person goes to this path, rather than a program asking for something that is not there."""
    if path == "/":
        return True
    steps = path.strip("/").split("/")
    return steps[0] not in API and "." not in steps[-1] and "text/html" in headers.get("accept", "")


def _read_asset(path: Path, version: tuple[int, int]) -> Asset:
    kind = KINDS.get(path.suffix.lower(), "application/octet-stream")
    plain = path.read_bytes()
    small = gzip.compress(plain, 9, mtime=0) if kind.startswith(SHRINKS) else None
    if small is not None and len(small) >= len(plain):
        small = None
    return Asset(version, kind, sha256(plain).hexdigest()[:20], plain, small)


def _send_asset(asset: Asset, headers: Headers, caching: str) -> Response:
    shrunk = asset.small is not None and "gzip" in headers.get("accept-encoding", "")
    tag = f'"{asset.tag}{"-gzip" if shrunk else ""}"'
    answer = {"cache-control": caching, "etag": tag}
    if asset.small is not None:
        answer["vary"] = "Accept-Encoding"
    known = (part.strip().removeprefix("W/") for part in headers.get("if-none-match", "").split(","))
    if tag in known:
        return Response(status_code=304, headers=answer)
    if shrunk:
        answer["content-encoding"] = "gzip"
    body = asset.small if shrunk else asset.plain
    return Response(body, headers=answer, media_type=asset.kind)
