"""The exact texts of close reasons, problem responses and settings errors. Other tests assert codes and classes."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings, read_settings
from skill_arcade.web.app import create_app
from skill_arcade.web.play_socket import MAX_REASON_BYTES
from skill_arcade.web.startup_checks import check_settings
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS

CLOSE_REASONS = {
    CloseCode.NORMAL: "The game has ended.",
    CloseCode.GOING_AWAY: "The server is shutting down. Reconnect in a moment.",
    CloseCode.TOO_BIG: "The message is too large. Reload the page.",
    CloseCode.RESTARTING: "The server is restarting. Everything you played is saved. Reconnect in a moment.",
    CloseCode.BAD_TICKET: "The play ticket is invalid, used or expired. Open the game again.",
    CloseCode.CONSENT_REQUIRED: "This game would be recorded, and you have not allowed that. Open the game again.",
    CloseCode.UNKNOWN_GAME: "Game not found. Choose another game.",
    CloseCode.BAD_LINK: "This link is not valid, or not any more. Ask the player for a new one.",
    CloseCode.WATCHING_ENDED: "The player does not share this game any more.",
    CloseCode.TAKEN_OVER: "This game was opened in another tab.",
    CloseCode.BAD_MESSAGE: "The server received an invalid message. Reload the page.",
    CloseCode.RATE_LIMITED: "Rate limit exceeded: too many messages. Try again in a few seconds.",
    CloseCode.SERVER_FULL: "The server is full. Try again in a few minutes.",
    CloseCode.RECORDING_UNAVAILABLE: "New games cannot start because recording is unavailable. Try again later.",
    CloseCode.IDLE: "You have not played for a while, so your game was closed. Open the game again.",
    CloseCode.TOO_MANY_WATCHERS: "Too many people are watching. Try again in a few minutes.",
    CloseCode.GAME_CRASHED: "The game crashed. Everything you played is saved.",
    CloseCode.TOO_SLOW: "The connection is too slow. Reconnect in a moment.",
}
UNSET = {
    "AUTH_SECRET": "AUTH_SECRET is not set; set the same 32 or more random characters on every server",
    "DATABASE_URL": "neither GCP_SQL_CONNECTION_NAME nor DATABASE_URL is set",
    "GCP_BUCKET_NAME": "GCP_BUCKET_NAME is not set, and the local disk is lost with the server",
    "FIREBASE_PROJECT_ID": "FIREBASE_PROJECT_ID is not set; to let anyone sign in with any e-mail address, "
    "set AUTH_METHOD=email",
    "TRUSTED_HOSTS": "TRUSTED_HOSTS is not set; list the host names of this server",
}


def test_close_reasons_have_these_texts_and_fit_into_close_frames() -> None:
    assert REASONS == CLOSE_REASONS
    assert max(len(reason.encode()) for reason in REASONS.values()) <= MAX_REASON_BYTES


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("request_", "status", "error", "message"),
    [
        (("GET", "/nothing", {}), 404, "NotFound", "Not found: /nothing."),
        (("DELETE", "/health/live", {}), 405, "MethodNotAllowed", "The method DELETE is not allowed for /health/live."),
        (
            ("GET", "/health/live", {"content": b"x" * 70_000}),
            413,
            "BodyTooBig",
            "The request body exceeds the maximum of 65536 bytes.",
        ),
        (
            ("GET", "/auth/login", {"headers": {"host": "evil.example"}}),
            400,
            "UntrustedHost",
            "Unknown host name. This server answers to localhost, 127.0.0.1, ::1; TRUSTED_HOSTS sets them.",
        ),
    ],
    ids=["not-found", "wrong-method", "large-body", "untrusted-host"],
)
async def test_problem_responses_have_these_texts(
    request_: tuple[str, str, dict[str, Any]], status: int, error: str, message: str
) -> None:
    method, path, arguments = request_
    transport = httpx.ASGITransport(create_app(Settings(_env_file=None, page_folder=Path("/nonexistent"))))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.request(method, path, **arguments)
    assert answer.status_code == status
    assert answer.json() == {"error": error, "message": message}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("AUTH_SECRET", "short", "String should have at least 32 characters"),
        ("DATABASE_URL", "mysql://host/name", "not a Postgres URL, for example postgresql://user:password@host/name"),
        ("MAX_GAMES", "0", "Input should be greater than or equal to 1"),
    ],
)
def test_settings_errors_have_these_texts(monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error_info:
        read_settings()
    assert str(error_info.value) == (f"Invalid settings: {name}: {problem}. Correct the environment variables or .env.")


def test_startup_checks_have_these_texts() -> None:
    with pytest.raises(SettingsError) as error_info:
        check_settings(Settings(_env_file=None, skill_arcade_environment="production"), {})
    problems = "; ".join(UNSET.values())
    assert str(error_info.value) == f"Cannot start the server in the environment production: {problems}."
