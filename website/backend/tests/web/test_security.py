"""Security headers, untrusted hosts and origins, and large bodies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.websockets import WebSocket

from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.security import POLICY, host_name

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client(*, base: str = "http://localhost", **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that is not started, because nothing here needs its components."""
    app = create_app(Settings(_env_file=None, page_folder=Path("/nonexistent"), **settings))

    @app.post("/echo")
    async def echo(body: dict[str, str]) -> dict[str, str]:
        return body

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError("an internal detail")

    @app.websocket("/echo")
    async def socket(connection: WebSocket) -> None:
        await connection.accept()
        await connection.close()

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=base) as http_client:
        yield http_client


@pytest.mark.parametrize("path", ["/health/live", "/", "/auth/nothing", "/crash", "/auth/me"])
async def test_security_headers_are_on_every_response(path: str) -> None:
    async with client(lockstep=False) as http:
        headers = (await http.get(path)).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


async def test_security_headers_have_hsts_over_https() -> None:
    async with client(base="https://localhost") as http:
        assert "max-age" in (await http.get("/health/live")).headers["strict-transport-security"]


def test_content_security_policy_has_no_inline_foreign_or_eval() -> None:
    assert "unsafe" not in POLICY
    assert "http" not in POLICY
    assert "*" not in POLICY
    assert POLICY.startswith("default-src 'none'")


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"])
async def test_loopback_host_names_are_accepted(host: str) -> None:
    async with client() as http:
        assert (await http.get("/auth/login", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a@localhost", "", "[::1", "x:y:z"])
async def test_untrusted_host_answers_400(host: str) -> None:
    async with client() as http:
        answer = await http.get("/auth/login", headers={"host": host})
    assert answer.status_code == 400
    assert answer.json()["error"] == "UntrustedHost"
    assert "TRUSTED_HOSTS" in answer.json()["message"]


async def test_health_checks_accept_any_host() -> None:
    async with client() as http:
        assert (await http.get("/health/live", headers={"host": "10.0.0.7:8080"})).status_code == 200


async def test_trusted_hosts_setting_accepts_lists_and_wildcards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_HOSTS", "arcade.example.org, *.preview.example.org")
    async with client() as http:
        for host, status in {
            "arcade.example.org": 200,
            "pr-7.preview.example.org": 200,
            "preview.example.org": 400,
            "localhost": 400,
        }.items():
            assert (await http.get("/auth/login", headers={"host": host})).status_code == status, host


def test_host_name_parses_header_or_returns_none() -> None:
    assert host_name("Example.ORG:443") == "example.org"
    assert host_name("[::1]:80") == "::1"
    assert host_name("localhost/evil") is None
    assert host_name("localhost:999999") is None


async def test_large_body_answers_413_with_and_without_length() -> None:
    async with client(max_body_bytes=1024) as http:

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(64):
                yield b'{"a": "' + b"x" * 100

        json_type = {"content-type": "application/json"}
        with_length = await http.post("/echo", content=b"x" * 1025, headers=json_type)
        unread = await http.request("GET", "/health/live", content=b"x" * 1025)
        chunked = await http.post("/echo", content=chunks(), headers=json_type)
        small = await http.post("/echo", json={"a": "x" * 900})
    for rejected in (with_length, unread, chunked):
        assert rejected.status_code == 413
        assert rejected.json()["error"] == "BodyTooBig"
    assert small.status_code == 200


async def test_cors_allows_configured_origins_only() -> None:
    preflight_headers = {"origin": "https://arcade.example.org", "access-control-request-method": "POST"}
    async with client() as http:
        assert (
            "access-control-allow-origin" not in (await http.options("/auth/login", headers=preflight_headers)).headers
        )
    async with client(cors_origins=("https://arcade.example.org",)) as http:
        preflight = await http.options("/auth/login", headers=preflight_headers)
        assert preflight.headers["access-control-allow-origin"] == "https://arcade.example.org"
        answer = await http.get("/auth/login", headers={"origin": "https://arcade.example.org"})
        assert answer.headers["access-control-allow-origin"] == "https://arcade.example.org"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        other = await http.options("/auth/login", headers={**preflight_headers, "origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("origin", "is_accepted"),
    [
        (None, True),
        ("http://localhost:5173", True),
        ("https://arcade.example.org", True),
        ("https://evil.example", False),
        ("null", False),
    ],
)
async def test_websocket_rejects_untrusted_origins(
    origin: str | None, is_accepted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    app = create_app(Settings(_env_file=None, cors_origins=("https://arcade.example.org",)))

    @app.websocket("/echo")
    async def socket(connection: WebSocket) -> None:
        await connection.accept()
        await connection.close()

    headers = [(b"host", b"localhost")] + ([(b"origin", origin.encode())] if origin else [])
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/echo", "headers": headers, "query_string": b"", "scheme": "ws"}
    await app({**scope, "extensions": {"websocket.http.response": {}}}, receive, send)
    if is_accepted:
        assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    else:
        assert sent[0]["type"] == "websocket.http.response.start"
        assert sent[0]["status"] == 403
        [record] = [record for record in caplog.records if "request rejected" in record.message]
        assert (record.levelname, repr(origin) in record.message) == ("INFO", True)
