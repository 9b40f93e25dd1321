"""HTTP server of the fake APIs: a proxy for gcloud (http://run.fake/…), an origin for others (/run.fake/…)."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request


class Handler(BaseHTTPRequestHandler):
    """Parses a call and passes it to the fake cloud."""

    protocol_version = "HTTP/1.1"
    cloud: FakeCloud

    def answer(self) -> None:
        """Respond to a call with any method."""
        request = self.read_request()
        try:
            answer = self.cloud.handle(request)
            status = 200
        except ApiError as error:
            status = error.status
            answer = {"error": {"code": status, "message": str(error), "status": error.reason, "errors": []}}
            answer["error"]["details"] = describe_error(error)
        self.write(status, answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def read_request(self) -> Request:
        """Return the call, which names the API in the host of an absolute address or in the path."""
        address = urlsplit(self.path)
        host, path = address.netloc, address.path
        if not host:
            host, _, rest = path.lstrip("/").partition("/")
            path = f"/{rest}"
        name = host.removesuffix(".fake")
        api = name.rpartition("-")[2]  # europe-west1-run
        body = self.read_body() if name.startswith("upload-") else self.parse(self.read_body())
        return Request(self.command, api, unquote(path), dict(parse_qsl(address.query)), body)

    def read_body(self) -> bytes:
        """Return the body, which may be chunked."""
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def parse(self, data: bytes) -> Any:
        """Return the content of a body: JSON, a form as a dictionary, anything else as bytes."""
        kind = self.headers.get("content-type", "")
        if not data:
            return {}
        if "json" in kind:
            return json.loads(data)
        return dict(parse_qsl(data.decode())) if "form-urlencoded" in kind else data

    def write(self, status: int, answer: Any) -> None:
        """Send a response: bytes with their content type, or JSON."""
        kind, data = answer if isinstance(answer, tuple) else ("application/json", json.dumps(answer).encode())
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        if kind == "text/html" or self.path.endswith("config.json"):
            self.send_header("cache-control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing, because the fake cloud records the calls."""


def describe_error(error: ApiError) -> list[dict[str, Any]]:
    """Return the details of an error, which gcloud reads if an API is disabled."""
    if error.reason != "SERVICE_DISABLED":
        return []
    return [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": error.reason, "domain": "googleapis.com"}]


class FakeServer:
    """A fake cloud that listens on the loopback interface inside of a `with` block."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"cloud": cloud}))
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        cloud.url = self.url

    def __enter__(self) -> "FakeServer":
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
