"""A name for every request, on all that is logged about it and on its answer."""

import re
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skill_arcade.telemetry import labelled

# What Google's front end calls a request (W3C trace context, or its own form of before).
GIVEN = {
    "traceparent": re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"),
    "x-cloud-trace-context": re.compile(r"([0-9a-f]{32})(?:/\d{1,20})?(?:;o=\d)?"),
}


class Labels:
    """Labels what is logged during a request, and tells the asker its name: `x-request-id`."""

    def __init__(self, app: ASGIApp, project: str | None) -> None:
        self._app = app
        self._project = project

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        name = given_name(Headers(scope=scope)) or uuid4().hex
        labels = {"request": name}
        if self._project is not None:
            labels["logging.googleapis.com/trace"] = f"projects/{self._project}/traces/{name}"

        async def send_named(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                MutableHeaders(scope=message)["x-request-id"] = name
            await send(message)

        with labelled(**labels):
            await self._app(scope, receive, send_named)


def given_name(headers: Headers) -> str | None:
    """The name that a front end gave: 32 hexadecimal digits; None when it gave none, or nonsense."""
    for header, pattern in GIVEN.items():
        if match := pattern.fullmatch(headers.get(header, "")):
            return match[1]
    return None
