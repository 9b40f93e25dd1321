"""Error responses: each has a class and a message, and no internal details."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from skill_arcade.errors import JournalDamaged, NotReady, TooManyGames
from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.models.accounts import EmailSignIn

pytestmark = pytest.mark.anyio
DETAIL = "an internal detail"


@pytest.fixture
async def http(anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(_env_file=None, page_folder=Path("/nonexistent")))

    @app.post("/fit")
    async def validate(body: EmailSignIn) -> None:
        raise AssertionError("only invalid bodies are sent")

    @app.get("/full")
    async def full() -> None:
        raise TooManyGames("The server is full.")

    @app.get("/waiting")
    async def waiting() -> None:
        raise NotReady("The database does not answer.")

    @app.get("/damaged")
    async def damaged() -> None:
        raise JournalDamaged(DETAIL)

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError(DETAIL)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def test_problem_has_status_class_and_message(http: httpx.AsyncClient) -> None:
    answer = await http.get("/full")
    assert answer.status_code == 429
    assert answer.json() == {
        "error": "TooManyGames",
        "message": "The server is full.",
    }


async def test_unavailable_component_answers_503_with_retry_after(http: httpx.AsyncClient) -> None:
    answer = await http.get("/waiting")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(("path", "name"), [("/damaged", "JournalDamaged"), ("/crash", "InternalError")])
async def test_internal_error_is_logged_and_not_described(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, path: str, name: str
) -> None:
    answer = await http.get(path)
    assert answer.status_code == 500
    assert answer.json()["error"] == name
    assert DETAIL not in answer.text
    if path == "/damaged":
        assert DETAIL in caplog.text


@pytest.mark.parametrize("path", ["/auth/nothing", "/games/a/b/c", "/me", "/nothing", "/ws/breakout", "/auth/"])
async def test_unknown_path_answers_404_in_json(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"] == "NotFound"
    assert path in answer.json()["message"]


async def test_wrong_method_answers_405_with_allow(http: httpx.AsyncClient) -> None:
    answer = await http.delete("/health/live")
    assert answer.status_code == 405
    assert answer.json()["error"] == "MethodNotAllowed"
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "Invalid request. body.email: Field required."),
        (b"{", "Invalid request. The body is not JSON."),
        (b'{"email": 1}', "Invalid request. body.email: Input should be a valid string."),
        (
            b'{"email": "a@example.org", "password": "hunter2"}',
            "Invalid request. body.password: Extra inputs are not permitted.",
        ),
    ],
)
async def test_invalid_body_answers_422_without_repeating_values(
    http: httpx.AsyncClient, body: bytes, message: str
) -> None:
    answer = await http.post("/fit", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json() == {"error": "InvalidRequest", "message": message}
