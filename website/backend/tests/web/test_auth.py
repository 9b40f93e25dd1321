"""Signing in by e-mail: users, session tokens and roles."""

import asyncio
import time
from typing import Any

import pytest
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy import text

from skill_arcade.errors import InvalidRequest, NotAllowed
from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import sign_out_user
from skill_arcade.web.current_user import authenticate, require_researcher
from skill_arcade.web.roles import find_roles
from skill_arcade.web.users import CACHE_SECONDS, normalise_email
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio


async def test_login_method_is_email_by_default(arcade: Visitor) -> None:
    assert (await arcade.http.get("/auth/login")).json() == {"method": "email"}


async def test_login_returns_session_token_of_new_user(arcade: Visitor) -> None:
    answer = await arcade.http.post("/auth/login", json={"email": "ada@example.org"})
    assert answer.status_code == 200
    session = answer.json()
    assert set(session) == {"token", "user_id", "email", "roles", "expires_at"}
    me = await arcade.http.get("/auth/me", headers={"authorization": f"Bearer {session['token']}"})
    assert me.json() == {"user_id": session["user_id"], "email": "ada@example.org", "roles": []}
    async with arcade.state.engine.connect() as connection:
        rows = (await connection.execute(text('SELECT id, email FROM "user" WHERE NOT is_synthetic'))).all()
    assert rows == [(session["user_id"], "ada@example.org")]
    assert "ada@" not in session["user_id"] + session["token"]  # with `@`, because three letters alone occur by chance


async def test_login_with_other_spelling_is_the_same_user(arcade: Visitor) -> None:
    spellings = ["ada@example.org", " Ada@Example.ORG ", "ADA@EXAMPLE.ORG"]
    answers = [await arcade.http.post("/auth/login", json={"email": spelling}) for spelling in spellings]
    assert len({answer.json()["user_id"] for answer in answers}) == 1


async def test_concurrent_logins_create_one_user(arcade: Visitor) -> None:
    await asyncio.gather(*(arcade.sign_in("ada@example.org") for _ in range(20)))
    async with arcade.state.engine.connect() as connection:
        assert (await connection.execute(text('SELECT count(*) FROM "user" WHERE NOT is_synthetic'))).scalar() == 1


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@localhost", "\x00@e.org"])
async def test_login_rejects_invalid_email(arcade: Visitor, email: str) -> None:
    answer = await arcade.http.post("/auth/login", json={"email": email})
    assert answer.status_code == 422
    assert answer.json()["error"] == "InvalidRequest"


@pytest.mark.parametrize("body", [b'{"email": "\\ud800@example.org"}', b'{"email": "' + b"a" * 5000 + b'@e.org"}'])
async def test_login_rejects_unencodable_and_long_emails(arcade: Visitor, body: bytes) -> None:
    answer = await arcade.http.post("/auth/login", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_normalise_email_unifies_unicode_and_punycode() -> None:
    assert normalise_email("JOSÉ@Bücher.example.org") == normalise_email("jose\u0301@xn--bcher-kva.example.org")
    with pytest.raises(InvalidRequest):
        normalise_email("ada@exa\u2028mple.org")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic YWRhOng=", "bearer ä"])
async def test_missing_or_invalid_token_answers_401(arcade: Visitor, header: str | None) -> None:
    headers = {} if header is None else {b"authorization": header.encode()}
    answer = await arcade.http.get("/auth/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"] == "NotSignedIn"


async def test_token_of_another_secret_answers_401(arcade: Visitor, settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"auth_secret": "another secret " * 4})) as other:
        foreign_headers = await other.sign_in()
    assert (await arcade.http.get("/auth/me", headers=foreign_headers)).status_code == 401


async def test_token_of_erased_user_answers_401(arcade: Visitor) -> None:
    headers_of_user = await arcade.sign_in()
    async with arcade.state.engine.begin() as connection:
        await connection.execute(text('UPDATE "user" SET email = NULL'))
    answer = await arcade.http.get("/auth/me", headers=headers_of_user)
    assert answer.status_code == 401
    assert answer.json()["error"] == "NotSignedIn"


async def test_login_by_email_server_rejects_firebase_token(arcade: Visitor) -> None:
    answer = await arcade.http.post("/auth/login", json={"id_token": "a.b.c"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "InvalidRequest"


@pytest.mark.parametrize("body", [{}, [], "a@b.org", {"email": 1}, {"id_token": 1}, {"email": "a@b.org", "x": 1}])
async def test_login_rejects_invalid_bodies(arcade: Visitor, body: object) -> None:
    answer = await arcade.http.post("/auth/login", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"] == "InvalidRequest"


def test_unverified_email_gives_role_in_local_environment_only() -> None:
    fields: dict[str, Any] = {"researcher_emails": "Ada@example.org", "auth_method": "email", "_env_file": None}
    assert find_roles(Settings(**fields), "ada@example.org") == ("researcher",)
    assert find_roles(Settings(**fields), "eve@example.org") == ()
    for environment in ("preview", "production"):
        assert find_roles(Settings(**fields, skill_arcade_environment=environment), "ada@example.org") == ()


@pytest.mark.parametrize(("role", "is_allowed"), [("", False), ("researcher", True), ("admin", False)])
async def test_require_researcher_rejects_other_roles(arcade: Visitor, role: str, is_allowed: bool) -> None:
    await arcade.state.users.sign_in("somebody", None)
    token = arcade.state.tokens.issue_session("somebody", [role] if role else []).token
    identity = await authenticate(arcade.state, HTTPAuthorizationCredentials(scheme="Bearer", credentials=token))
    if is_allowed:
        assert await require_researcher(identity) == "somebody"
    else:
        with pytest.raises(NotAllowed):
            await require_researcher(identity)


async def read_me(arcade: Visitor, session: dict[str, str]) -> int:
    return (await arcade.http.get("/auth/me", headers=session)).status_code


async def sign_out(arcade: Visitor, user: str) -> bool:
    """Sign a user out, as if a second had passed since their last sign-in."""
    async with arcade.state.engine.begin() as connection:
        is_known = await sign_out_user(connection, user)
        await connection.execute(text("UPDATE \"user\" SET time_signed_out = time_signed_out + interval '1 second'"))
    return is_known


async def test_sign_out_rejects_earlier_sessions_of_one_user(arcade: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, eva = [await arcade.sign_in(f"{name}@example.org") for name in ("ada", "eva")]
    assert [await read_me(arcade, session) for session in (ada, eva)] == [200, 200]
    assert not await sign_out(arcade, "nobody@example.org")
    assert await sign_out(arcade, "Ada@example.org")
    # Another server knows from its cache that the user exists, for a minute at most.
    monkeypatch.setattr(arcade.state.users, "_now", lambda: time.monotonic() + CACHE_SECONDS)
    assert [await read_me(arcade, session) for session in (ada, eva)] == [401, 200]
    ticket = await arcade.http.post("/play/tickets", json={"game_id": "breakout"}, headers=ada)
    assert (ticket.status_code, ticket.json()["message"]) == (401, "You were signed out. Sign in again.")
    monkeypatch.setattr(arcade.state.tokens, "_now", lambda: time.time() + 5)
    again = await arcade.sign_in("ada@example.org")
    assert [await read_me(arcade, session) for session in (ada, again)] == [401, 200]
