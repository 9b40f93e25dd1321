"""HTTP client with JSON bodies whose failures are `UserFacingError`s."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any

from release.errors import UserFacingError

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Response:
    """A response with any status."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        """Parse the body as JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise UserFacingError(f"the response is not JSON: {self.body[:80]!r}") from None


def send_request(
    url: str,
    *,
    method: str | None = None,
    body: Any = None,
    data: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Send a request once, with `body` as JSON or `data` as it is, and return the response with any status.

    Raises `UserFacingError` without a response.
    """
    content_type = "application/json" if data is None else "application/octet-stream"
    data = json.dumps(body).encode() if data is None and body is not None else data
    request = urllib.request.Request(url, data, {"content-type": content_type, **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return Response(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Response(error.code, error.headers, error.read())
    except (OSError, ValueError) as error:
        raise UserFacingError(f"{method or 'GET'} {url.partition('?')[0]} failed: {error}") from error


def request_json(
    url: str, *, method: str | None = None, body: Any = None, headers: dict[str, str] | None = None
) -> Any:
    """Send a request and return the JSON of the response. Raises `UserFacingError` for any status but success."""
    response = send_request(url, method=method, body=body, headers=headers)
    if not 200 <= response.status < 300:
        content = response.body[:200].decode(errors="replace")
        raise UserFacingError(f"{method or 'GET'} {url.partition('?')[0]} returned status {response.status}: {content}")
    return response.json()
