"""A name for every request, on all that is logged about it and on its answer."""

import re
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skill_arcade.telemetry import log_context

# What Google's front end calls a request (W3C trace context, or its own form of before).
REQUEST_ID_PATTERN = {
    "traceparent": re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"),
    "x-cloud-trace-context": re.compile(r"([0-9a-f]{32})(?:/\d{1,20})?(?:;o=\d)?"),
}


class RequestIdMiddleware:
    """Labels what is logged during a request, and tells the asker its name: `x-request-id`."""

    def __init__(self, app: ASGIApp, project: str | None) -> None:
        self._app = app
        self._project = project

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        name = read_request_id(Headers(scope=scope)) or uuid4().hex
        labels = {"request": name}
        if self._project is not None:
            labels["logging.googleapis.com/trace"] = f"projects/{self._project}/traces/{name}"

        async def send_named(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        with log_context(**labels):
            await self._app(scope, receive, send_named)


def read_request_id(headers: Headers) -> str | None:
    """The name that a front end gave: 32 hexadecimal digits; None when it gave none, or nonsense."""
    for header, pattern in REQUEST_ID_PATTERN.items():
        if match := pattern.fullmatch(headers.get(header, "")):
            return match[1]
    return None
