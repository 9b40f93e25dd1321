"""Files as they are sent: read once, shrunk where that helps, with a tag that says whether they changed."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
# Named here rather than taken from the machine, so that a page looks the same wherever it is served.
MEDIA_TYPES = {
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
COMPRESSIBLE_TYPES = ("text/", "application/", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in memory. `version` is its time of change and size on disk, `tag` follows from its bytes."""

    version: tuple[int, int]
    kind: str
    tag: str
    plain: bytes
    small: bytes | None


def read_asset(path: Path) -> Asset:
    """Read a file and shrink it: some milliseconds for a big one, so not in the event loop."""
    version = file_version(path)
    return make_asset(path.read_bytes(), MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"), version)


def make_asset(plain: bytes, kind: str, version: tuple[int, int] = (0, 0)) -> Asset:
    """Shrink what is of a kind that shrinks, and tag it."""
    small = gzip.compress(plain, 9, mtime=0) if kind.startswith(COMPRESSIBLE_TYPES) else None
    if small is not None and len(small) >= len(plain):
        small = None
    return Asset(version, kind, sha256(plain).hexdigest()[:20], plain, small)


def file_version(path: Path) -> tuple[int, int]:
    """When a file was changed (nanoseconds) and its size: differs once the file does."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def send_asset(asset: Asset, headers: Headers, caching: str) -> Response:
    """Answer with a file, or with 304 to who has it; `headers` are the request's."""
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
    return Response(asset.small if shrunk else asset.plain, headers=answer, media_type=asset.kind)
