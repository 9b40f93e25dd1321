"""NUL, lone surrogates and long text in every path, query and body: an answer in words, and never a crash."""

import json
from typing import Any

import pytest

from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio
ODD_TEXTS = ("a\0b", "\0", "x" * 30_000, "\ud800", "\N{PILE OF POO}" * 90, "'; DROP TABLE episode; --", "%00")
BODIES: list[tuple[str, str, Any]] = [
    ("POST", "/auth/login", {"email": "{}"}),
    ("POST", "/auth/login", {"email": "{}@example.org"}),
    ("POST", "/play/tickets", {"game_id": "{}"}),
    ("PUT", "/me/preferences", {"favourites": ["{}"]}),
    ("PUT", "/me/preferences", {"{}": 1}),
    (
        "POST",
        "/research/exports",
        {"format": "parquet", "games": ["{}"], "certified": False, "min_steps": 0, "since": None, "until": None},
    ),
    ("POST", "/me/exports", {"format": "{}"}),
    ("POST", "/me/erasure", {"confirmation": "{}"}),
]
PATHS = (
    "/games/{}/cover",
    "/games/{}/preview",
    "/episodes/{}",
    "/lockstep/{}.wasm",
    "/lockstep/roms/{}",
    "/exports?ticket={}",
)


def fill(value: Any, text: str) -> Any:
    """Put the text in the place of `{}` in all strings of a JSON value."""
    return json.loads(json.dumps(value).replace("{}", json.dumps(text)[1:-1]))


@pytest.fixture
async def headers(arcade: Visitor) -> dict[str, str]:
    object.__setattr__(arcade.state.settings, "researcher_emails", ("ada@example.org",))
    return {**await arcade.sign_in(), "content-type": "application/json"}


@pytest.mark.parametrize(("method", "path", "body"), BODIES, ids=[f"{method} {path}" for method, path, _ in BODIES])
async def test_odd_text_in_a_body_never_answers_500(
    arcade: Visitor, headers: dict[str, str], method: str, path: str, body: Any
) -> None:
    for text in ODD_TEXTS:
        answer = await arcade.http.request(method, path, content=json.dumps(fill(body, text)), headers=headers)
        assert answer.status_code < 500, (text[:20], answer.text)


@pytest.mark.parametrize("path", PATHS)
async def test_odd_text_in_a_path_never_answers_500(arcade: Visitor, headers: dict[str, str], path: str) -> None:
    for text in ("%00", "a%00b", "x" * 30_000, "%ff", "%ED%A0%80", "..%2f..%2fetc%2fpasswd"):
        answer = await arcade.http.get(path.format(text), headers=headers)
        assert 400 <= answer.status_code < 500, (text[:20], answer.text)
