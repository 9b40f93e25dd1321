"""HTTP server of the fake APIs: a proxy for gcloud (http://run.fake/…), an origin for others (/run.fake/…)."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from fake_cloud.cloud import FakeCloud
from fake_cloud.front_end import Admission
from fake_cloud.hosting import PageFile
from fake_cloud.requests import ApiError, Request
from fake_cloud.tls import make_certificate
from fake_cloud.tunnel import pass_on


class Handler(BaseHTTPRequestHandler):
    """Parses a call and passes it to the fake cloud."""

    protocol_version = "HTTP/1.1"
    cloud: FakeCloud

    def answer(self) -> None:
        """Respond to a call with any method."""
        request = self.read_request()
        with self.cloud.counted(request):
            status, answer, headers = self.handle_request(request)
            is_passed_on = isinstance(answer, Admission) and self.pass_on(answer, request)
        # A client may send its next request as soon as it has this response, so it is written when it counts no more.
        if isinstance(answer, Admission) and not is_passed_on:
            status, answer = 504, PageFile("text/html", b"upstream request timeout")
        if not is_passed_on:
            self.write(status, answer, headers)

    def handle_request(self, request: Request) -> tuple[int, Any, dict[str, str]]:
        """Return status, answer and headers."""
        try:
            return 200, self.cloud.handle(request), {}
        except ApiError as error:
            answer: dict[str, Any] = {
                "error": {"code": error.status, "message": str(error), "status": error.reason, "errors": []}
            }
            answer["error"]["details"] = describe_error(error)
            page = PageFile("text/html", error.html.encode())
            return error.status, page if error.html else answer, error.headers

    def pass_on(self, admission: Admission, request: Request) -> bool:
        """Pass a request on to a container. Return False if it was not answered in time."""
        target = "/" + self.target().lstrip("/").split("/", 2)[2]
        self.close_connection = True
        return pass_on(admission, self.command, target, self.headers, request.body, self.connection)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def target(self) -> str:
        """Return the address of the call, which begins with the name of an API."""
        return self.path

    def read_request(self) -> Request:
        """Return the call, which names the API in the host of an absolute address or in the path."""
        address = urlsplit(self.target())
        host, path = address.netloc, address.path
        if not host:
            host, _, rest = path.lstrip("/").partition("/")
            path = f"/{rest}"
        name = host.removesuffix(".fake")
        api = name.rpartition("-")[2].replace("sqladmin", "sql")  # europe-west1-run
        body = self.read_body()
        if name != "front" and not name.startswith("upload-"):
            body = self.parse(body)
        sent = {key.lower(): value for key, value in self.headers.items()}
        return Request(self.command, api, unquote(path), dict(parse_qsl(address.query)), body, sent)

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

    def write(self, status: int, answer: Any, headers: dict[str, str]) -> None:
        """Send a response: a file, or JSON."""
        page = answer if isinstance(answer, PageFile) else PageFile("application/json", json.dumps(answer).encode())
        self.send_response(status)
        self.send_header("content-type", page.kind)
        self.send_header("content-length", str(len(page.data)))
        for name, value in {**headers, **page.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.data)

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
        self._listen(type("Bound", (Handler,), {"cloud": cloud}))
        self.url = f"http://127.0.0.1:{self.port}"
        cloud.url = self.url

    def _listen(self, handler: type[Handler]) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


class PublicHandler(Handler):
    """Answers browsers at the host names of Cloud Run and Hosting."""

    context: ssl.SSLContext

    def target(self) -> str:
        """Return the address below the front end of Cloud Run, or below a channel of Hosting."""
        host = self.headers.get("host", "").partition(":")[0]
        if host.endswith(".web.app"):
            channel = host.removesuffix(".web.app").partition("--")[2].rpartition("-")[0]  # SITE--CHANNEL-RANDOM
            return f"/firebasehosting.fake/show/{channel or 'live'}{self.path}"
        return f"/front.fake/{host}{self.path}"

    def setup(self) -> None:
        """Begin TLS in the thread of the connection."""
        self.request = self.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        """Close the connection, which the server knows without TLS only."""
        super().finish()
        self.request.close()


class PublicServer(FakeServer):
    """The addresses of a fake cloud that the public uses, by TLS, inside of a `with` block."""

    def __init__(self, cloud: FakeCloud, folder: Path) -> None:
        self.authority, context = make_certificate(folder, ("*.europe-west1.run.app", "*.web.app"))
        handler = type("Bound", (PublicHandler,), {"cloud": cloud, "context": context})
        self._listen(handler)
