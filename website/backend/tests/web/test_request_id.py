"""Request ids, in responses and log lines."""

import json
import logging
from typing import Any

import httpx
import pytest
from starlette.types import Message

from skill_arcade.settings import Settings
from skill_arcade.telemetry import JsonFormatter
from skill_arcade.web.app import create_app

pytestmark = pytest.mark.anyio
TRACE = "0af7651916cd43dd8448eb211c80319c"


async def send_request(headers: dict[str, str], project: str | None = None) -> tuple[str, dict[str, Any]]:
    """Send a request; return the id in its response, and a log line that was written meanwhile."""
    app = create_app(Settings(_env_file=None, gcp_project_name=project))
    lines: list[str] = []

    @app.get("/logging")
    async def write_log_line() -> None:
        record = logging.LogRecord("skill_arcade", logging.INFO, "", 1, "inside", None, None)
        lines.append(JsonFormatter().format(record))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.get("/logging", headers=headers)
    return answer.headers["x-request-id"], json.loads(lines[0])


async def test_request_id_is_in_response_and_log() -> None:
    request_id, line = await send_request({})
    other_id, _ = await send_request({})
    assert line["request"] == request_id != other_id
    assert len(request_id) == 32


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
        {"x-cloud-trace-context": f"{TRACE}/12345;o=1"},
        {"x-cloud-trace-context": TRACE},
    ],
)
async def test_request_id_of_google_trace_is_used(headers: dict[str, str]) -> None:
    request_id, line = await send_request(headers, project="arcade")
    assert request_id == line["request"] == TRACE
    assert line["logging.googleapis.com/trace"] == f"projects/arcade/traces/{TRACE}"


@pytest.mark.parametrize(
    "trace", ["", "x", f"00-{TRACE}", f'{TRACE}"', "A" * 5000, f"00-{TRACE.upper()}-b7ad6b7169203331-01"]
)
async def test_request_id_ignores_invalid_headers(trace: str) -> None:
    request_id, _ = await send_request({"traceparent": trace, "x-cloud-trace-context": trace})
    assert len(request_id) == 32
    assert request_id.lower() != TRACE


async def test_rejected_websocket_passes_request_id_middleware() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"evil.example")]
    scope = {"type": "websocket", "path": "/ws/pong", "headers": headers, "query_string": b"", "scheme": "ws"}
    await create_app(Settings(_env_file=None))({**scope, "extensions": {"websocket.http.response": {}}}, receive, send)
    assert sent[0]["type"] == "websocket.http.response.start"
