"""An emulator of Cloud Storage's JSON API over HTTP for the real client, with checks of preconditions and checksums.

Faults are queued by the kind of request that they affect: `server.faults["upload"].append(Answer(503))`.
"""

import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.cloud.bucket import Bucket, StorageApiError, Stored

Kind = Literal["upload", "download", "metadata", "delete", "list", "rights"]


@dataclass(frozen=True)
class Answer:
    """Answer with this status, and do nothing."""

    status: int


@dataclass(frozen=True)
class Cut:
    """Execute the request, send half of the response, and close the connection."""


@dataclass(frozen=True)
class Lost:
    """Execute the request, and close the connection without a response."""


@dataclass(frozen=True)
class Spoilt:
    """Change one byte of the object in transit."""


@dataclass(frozen=True)
class Held:
    """Do nothing until the event is set; the client may have disconnected by then."""

    until: threading.Event


Fault = Answer | Cut | Lost | Spoilt | Held


@dataclass
class Sent:
    """A response."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class StorageServer(ThreadingHTTPServer):
    """Serves one bucket, and counts the requests."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bucket = bucket
        self.faults: dict[Kind, deque[Fault]] = defaultdict(deque)
        self.asked: list[Kind] = []
        self.connections = 0
        self.sessions: dict[str, tuple[str, dict[str, Any], str | None, bytearray]] = {}
        self.busy = self.most_busy = 0
        self.delay_seconds = 0.0
        """Time that each request takes."""
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that have disconnected."""

    @contextmanager
    def counted(self, kind: Kind) -> Iterator[Fault | None]:
        """Count a running request, and yield its fault, or None."""
        with self._lock:
            self.asked.append(kind)
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            fault = self.faults[kind].popleft() if self.faults[kind] else None
        time.sleep(self.delay_seconds)
        try:
            yield fault
        finally:
            with self._lock:
                self.busy -= 1


class Handler(BaseHTTPRequestHandler):
    """The part of the JSON API that an object store needs."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: StorageServer

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def log_message(self, format: str, *args: Any) -> None:
        """Write no log."""

    def respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        address = urlsplit(self.path)
        self.query, self.body = dict(parse_qsl(address.query)), body
        kind, name = self.sort_out(address.path)
        with self.server.counted(kind) as fault:
            if isinstance(fault, Held):
                fault.until.wait(30)
            if isinstance(fault, Answer):
                return self.send(refuse(fault.status, "a queued fault"))
            if isinstance(fault, Spoilt) and kind == "upload":
                self.body = spoil(self.body, b"\r\n--")
            try:
                sent = getattr(self, f"do_{kind}")(name)
            except StorageApiError as refusal:
                sent = refuse(refusal.status, str(refusal))
            if isinstance(fault, Spoilt) and kind == "download":
                sent.body = spoil(sent.body, b"")
            return self.send(sent, cut=isinstance(fault, Cut), lost=isinstance(fault, Lost))

    do_GET = do_POST = do_PUT = do_DELETE = respond

    def sort_out(self, path: str) -> tuple[Kind, str]:
        """Return the kind of the request, and the name of its object."""
        head, _, name = path.partition("/o/")
        if f"/b/{self.server.bucket.name}" not in head:
            return "metadata", ""
        if head.startswith("/upload/"):
            return "upload", ""
        if self.query.get("alt") == "media":
            return "download", unquote(name)
        if head.endswith("/iam/testPermissions"):
            return "rights", ""
        if not name:
            return "list", ""
        return ("delete" if self.command == "DELETE" else "metadata"), unquote(name)

    def do_upload(self, _: str) -> Sent:
        condition = self.query.get("ifGenerationMatch")
        if self.command == "PUT":
            return self.append_to_session()
        if self.command == "DELETE":
            # The real client cancels an upload at the address that began it, which names no upload.
            raise StorageApiError(404, "There is no such upload.")
        if self.query["uploadType"] == "resumable":
            metadata = json.loads(self.body)
            self.server.bucket.check(metadata["name"], condition)
            session = f"session-{len(self.server.sessions)}"
            metadata["contentType"] = self.headers["x-upload-content-type"]
            self.server.sessions[session] = metadata["name"], metadata, condition, bytearray()
            location = f"{self.server.address}{urlsplit(self.path).path}?uploadType=resumable&upload_id={session}"
            return Sent(200, headers={"location": location})
        metadata, data = self.take_apart()
        return self.describe(self.server.bucket.insert(metadata["name"], data, metadata, condition))

    def append_to_session(self) -> Sent:
        """Append a chunk; the object appears with the last one. All chunks but the last are multiples of 256 KiB."""
        name, metadata, condition, content = self.server.sessions[self.query["upload_id"]]
        span, _, total = self.headers["content-range"].removeprefix("bytes ").partition("/")
        if span != "*" and (int(span.partition("-")[0]) != len(content) or not self.body):
            raise StorageApiError(400, f"The chunk {span} does not follow the {len(content)} bytes before it.")
        content += self.body
        if total == "*":
            if len(self.body) % (256 << 10):
                raise StorageApiError(400, "A chunk that is not the last must be a multiple of 256 KiB.")
            return Sent(308, headers={"range": f"bytes=0-{len(content) - 1}"})
        if len(content) != int(total):
            raise StorageApiError(400, f"The upload has {len(content)} bytes, not {total}.")
        return self.describe(self.server.bucket.insert(name, bytes(content), metadata, condition))

    def take_apart(self) -> tuple[dict[str, Any], bytes]:
        """Return the two parts of a multipart upload: the object's metadata and its content."""
        boundary = b"--" + self.headers["content-type"].partition('boundary="')[2].rstrip('"').encode()
        _, first, second, _ = self.body.split(boundary)
        metadata = json.loads(first.partition(b"\r\n\r\n")[2])
        head, _, data = second.partition(b"\r\n\r\n")
        metadata["contentType"] = head.decode().partition(":")[2].strip()
        return metadata, data.removesuffix(b"\r\n")

    def do_download(self, name: str) -> Sent:
        stored = self.server.bucket.find(name)
        headers = {
            "content-type": stored.kind,
            "x-goog-hash": f"crc32c={stored.crc32c},md5={stored.md5}",
            "x-goog-generation": str(stored.generation),
            "x-goog-stored-content-length": str(len(stored.data)),
            "x-goog-stored-content-encoding": "identity",
        }
        begin, _, end = self.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
        part = stored.data[int(begin) : int(end) + 1 if end else None]
        return Sent(206 if "range" in self.headers else 200, part, headers)

    def do_metadata(self, name: str) -> Sent:
        if not name:
            raise StorageApiError(404, "The specified bucket does not exist.")
        return self.describe(self.server.bucket.find(name))

    def do_delete(self, name: str) -> Sent:
        self.server.bucket.remove(name, self.query.get("ifGenerationMatch"))
        return Sent(204)

    def do_list(self, _: str) -> Sent:
        max_results = int(self.query.get("maxResults", 1000))
        page = self.server.bucket.page(
            self.query.get("prefix", ""), self.query.get("pageToken", ""), min(max_results, 1000)
        )
        return as_json(page)

    def do_rights(self, _: str) -> Sent:
        permissions = [value for key, value in parse_qsl(urlsplit(self.path).query) if key == "permissions"]
        return as_json({"permissions": [right for right in permissions if right in self.server.bucket.granted]})

    def describe(self, stored: Stored) -> Sent:
        return as_json(stored.describe(self.server.bucket.name))

    def send(self, sent: Sent, *, cut: bool = False, lost: bool = False) -> None:
        self.close_connection = self.close_connection or cut or lost
        if lost:
            return
        self.send_response(sent.status)
        for key, value in {**sent.headers, "content-length": str(len(sent.body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(sent.body[: len(sent.body) // 2] if cut else sent.body)


def as_json(value: Any, status: int = 200) -> Sent:
    return Sent(status, json.dumps(value).encode(), {"content-type": "application/json"})


def refuse(status: int, message: str) -> Sent:
    return as_json({"error": {"code": status, "message": message, "errors": [{"message": message}]}}, status)


def spoil(data: bytes, before: bytes) -> bytes:
    """Change the last byte, or the one before the last occurrence of `before`."""
    at = (data.rfind(before) if before else len(data)) - 1
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@contextmanager
def storage_server(name: str = "bucket") -> Iterator[StorageServer]:
    """Run a server with an empty bucket."""
    server = StorageServer(Bucket(name))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
