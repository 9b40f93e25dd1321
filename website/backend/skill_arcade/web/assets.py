"""Static files in memory: read once, compressed where that helps, with an ETag."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
# Defined here instead of read from the operating system, so that responses are the same everywhere.
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
# Types that compress well; pictures, sounds and fonts are compressed already.
COMPRESSIBLE_TYPES = ("text/", "application/", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in memory.

    `version` is its modification time and size on disk, `tag` a hash of its content, and `small` its gzip version, or
    None if that is not smaller.
    """

    version: tuple[int, int]
    kind: str
    tag: str
    plain: bytes
    small: bytes | None


def read_asset(path: Path) -> Asset:
    """Read and compress a file. This takes milliseconds for a large one, so do not call it in the event loop."""
    version = file_version(path)
    return make_asset(path.read_bytes(), MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream"), version)


def make_asset(plain: bytes, kind: str, version: tuple[int, int] = (0, 0)) -> Asset:
    """Compress content of a compressible type, and compute its ETag."""
    small = gzip.compress(plain, 9, mtime=0) if kind.startswith(COMPRESSIBLE_TYPES) else None
    if small is not None and len(small) >= len(plain):
        small = None
    return Asset(version, kind, sha256(plain).hexdigest()[:20], plain, small)


def file_version(path: Path) -> tuple[int, int]:
    """Return modification time in nanoseconds and size, which change with the file."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def send_asset(asset: Asset, headers: Headers, caching: str) -> Response:
    """Return the file as a response, or 304 if the client has it; `headers` are those of the request."""
    is_compressed = asset.small is not None and "gzip" in headers.get("accept-encoding", "")
    tag = f'"{asset.tag}{"-gzip" if is_compressed else ""}"'
    response_headers = {"cache-control": caching, "etag": tag}
    if asset.small is not None:
        response_headers["vary"] = "Accept-Encoding"
    known_tags = (part.strip().removeprefix("W/") for part in headers.get("if-none-match", "").split(","))
    if tag in known_tags:
        return Response(status_code=304, headers=response_headers)
    if is_compressed:
        response_headers["content-encoding"] = "gzip"
    return Response(asset.small if is_compressed else asset.plain, headers=response_headers, media_type=asset.kind)
