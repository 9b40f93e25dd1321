"""A name for every request."""

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


async def ask(headers: dict[str, str], project: str | None = None) -> tuple[str, dict[str, Any]]:
    """The name on the answer, and a line that was logged on the way."""
    app = create_app(Settings(_env_file=None, gcp_project_name=project))
    lines: list[str] = []

    @app.get("/logging")
    async def log() -> None:
        record = logging.LogRecord("skill_arcade", logging.INFO, "", 1, "inside", None, None)
        lines.append(JsonFormatter().format(record))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        answer = await http.get("/logging", headers=headers)
    return answer.headers["x-request-id"], json.loads(lines[0])


async def test_a_request_has_one_name_on_its_answer_and_in_the_log() -> None:
    name, line = await ask({})
    other, _ = await ask({})
    assert line["request"] == name != other
    assert len(name) == 32


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
        {"x-cloud-trace-context": f"{TRACE}/12345;o=1"},
        {"x-cloud-trace-context": TRACE},
    ],
)
async def test_the_name_that_google_gave_is_kept_so_that_both_logs_join(headers: dict[str, str]) -> None:
    name, line = await ask(headers, project="arcade")
    assert name == line["request"] == TRACE
    assert line["logging.googleapis.com/trace"] == f"projects/arcade/traces/{TRACE}"


@pytest.mark.parametrize(
    "given", ["", "x", f"00-{TRACE}", f'{TRACE}"', "A" * 5000, f"00-{TRACE.upper()}-b7ad6b7169203331-01"]
)
async def test_nonsense_for_a_name_is_not_kept(given: str) -> None:
    name, _ = await ask({"traceparent": given, "x-cloud-trace-context": given})
    assert len(name) == 32
    assert name.lower() != TRACE


async def test_a_socket_has_a_name_too() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"evil.example")]
    scope = {"type": "websocket", "path": "/ws/pong", "headers": headers, "query_string": b"", "scheme": "ws"}
    await create_app(Settings(_env_file=None))({**scope, "extensions": {"websocket.http.response": {}}}, receive, send)
    assert sent[0]["type"] == "websocket.http.response.start"
