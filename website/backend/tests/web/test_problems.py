"""Every error is a class and a sentence, and never the inside of the house."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from skill_arcade.errors import JournalDamaged, NotReady, TooManyGames
from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.models import SignIn

pytestmark = pytest.mark.anyio
INSIDE = "the inside of the house"


@pytest.fixture
async def http(anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(_env_file=None, page_folder=Path("/nonexistent")))

    @app.post("/fit")
    async def fit(body: SignIn) -> None:
        raise AssertionError("nothing fits in these tests")

    @app.get("/full")
    async def full() -> None:
        raise TooManyGames("All seats are taken; try again in a few minutes.")

    @app.get("/waiting")
    async def waiting() -> None:
        raise NotReady("The database does not answer.")

    @app.get("/damaged")
    async def damaged() -> None:
        raise JournalDamaged(INSIDE)

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError(INSIDE)

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as made:
        yield made


async def test_an_error_of_ours_has_its_status_its_name_and_its_sentence(http: httpx.AsyncClient) -> None:
    answer = await http.get("/full")
    assert answer.status_code == 429
    assert answer.json() == {
        "error": "TooManyGames",
        "message": "All seats are taken; try again in a few minutes.",
    }


async def test_what_passes_says_when_to_try_again(http: httpx.AsyncClient) -> None:
    answer = await http.get("/waiting")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(("path", "name"), [("/damaged", "JournalDamaged"), ("/crash", "InternalError")])
async def test_a_fault_of_ours_is_logged_and_not_told(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, path: str, name: str
) -> None:
    answer = await http.get(path)
    assert answer.status_code == 500
    assert answer.json()["error"] == name
    assert INSIDE not in answer.text
    if path == "/damaged":
        assert INSIDE in caplog.text


@pytest.mark.parametrize("path", ["/auth/nothing", "/games/a/b/c", "/me", "/nothing", "/ws/breakout", "/auth/"])
async def test_an_unknown_path_is_404_in_json(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"error": "NotFound", "message": f"There is nothing at {path}."}


async def test_a_wrong_method_is_405_and_says_which_are_right(http: httpx.AsyncClient) -> None:
    answer = await http.delete("/healthz")
    assert answer.status_code == 405
    assert answer.json()["error"] == "MethodNotAllowed"
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{}", "The request does not fit. body.email: Field required."),
        (b"{", "The request does not fit. The body is not JSON."),
        (b'{"email": 1}', "The request does not fit. body.email: Input should be a valid string."),
        (
            b'{"email": "a@example.org", "password": "hunter2"}',
            "The request does not fit. body.password: Extra inputs are not permitted.",
        ),
    ],
)
async def test_what_does_not_fit_is_422_in_a_sentence_that_repeats_nothing(
    http: httpx.AsyncClient, body: bytes, sentence: str
) -> None:
    answer = await http.post("/fit", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json() == {"error": "InvalidRequest", "message": sentence}
