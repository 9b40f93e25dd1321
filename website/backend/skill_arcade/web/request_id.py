"""Middleware that gives each request an id, which is in its response and in all log lines about it."""

import re
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skill_arcade.telemetry import log_context

# Headers in which Google's front end passes the id (W3C trace context, or its older format).
REQUEST_ID_PATTERN = {
    "traceparent": re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"),
    "x-cloud-trace-context": re.compile(r"([0-9a-f]{32})(?:/\d{1,20})?(?:;o=\d)?"),
}


class RequestIdMiddleware:
    """Adds the request id to log lines (`log_context`) and to the response (`x-request-id`)."""

    def __init__(self, app: ASGIApp, project: str | None) -> None:
        self._app = app
        self._project = project

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = read_request_id(Headers(scope=scope)) or uuid4().hex
        labels = {"request": request_id}
        if self._project is not None:
            labels["logging.googleapis.com/trace"] = f"projects/{self._project}/traces/{request_id}"

        async def send_with_id(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with log_context(**labels):
            await self._app(scope, receive, send_with_id)


def read_request_id(headers: Headers) -> str | None:
    """Return the id that a front end has set (32 hexadecimal digits), or None if there is no valid one."""
    for header, pattern in REQUEST_ID_PATTERN.items():
        if match := pattern.fullmatch(headers.get(header, "")):
            return match[1]
    return None
