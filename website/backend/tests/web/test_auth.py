"""Signing in: by e-mail, once a person, for a time."""

import asyncio
from typing import Any

import pytest
from fastapi.security import HTTPAuthorizationCredentials
from sqlalchemy import text

from skill_arcade.errors import InvalidRequest, NotAllowed
from skill_arcade.settings import Settings
from skill_arcade.web.current_user import authenticate, require_researcher
from skill_arcade.web.roles import find_roles
from skill_arcade.web.users import normalise_email
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio


async def test_the_arcade_says_how_one_signs_in(arcade: Visitor) -> None:
    assert (await arcade.http.get("/auth/login")).json() == {"method": "email"}


async def test_who_signs_in_is_a_user_with_a_token_that_says_so(arcade: Visitor) -> None:
    answer = await arcade.http.post("/auth/login", json={"email": "ada@example.org"})
    assert answer.status_code == 200
    session = answer.json()
    assert set(session) == {"token", "user_id", "email", "roles", "expires_at"}
    me = await arcade.http.get("/auth/me", headers={"authorization": f"Bearer {session['token']}"})
    assert me.json() == {"user_id": session["user_id"], "email": "ada@example.org", "roles": []}
    async with arcade.state.engine.connect() as connection:
        rows = (await connection.execute(text('SELECT id, email FROM "user"'))).all()
    assert rows == [(session["user_id"], "ada@example.org")]
    assert "ada@" not in session["user_id"] + session["token"]  # three letters alone come about by chance


async def test_one_person_is_one_user_however_the_email_is_spelled(arcade: Visitor) -> None:
    spellings = ["ada@example.org", " Ada@Example.ORG ", "ADA@EXAMPLE.ORG"]
    answers = [await arcade.http.post("/auth/login", json={"email": spelling}) for spelling in spellings]
    assert len({answer.json()["user_id"] for answer in answers}) == 1


async def test_many_who_sign_in_at_once_as_one_are_one(arcade: Visitor) -> None:
    await asyncio.gather(*(arcade.sign_in("ada@example.org") for _ in range(20)))
    async with arcade.state.engine.connect() as connection:
        assert (await connection.execute(text('SELECT count(*) FROM "user"'))).scalar() == 1


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@localhost", "\x00@e.org"])
async def test_what_is_no_email_is_refused_in_words(arcade: Visitor, email: str) -> None:
    answer = await arcade.http.post("/auth/login", json={"email": email})
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("This is not an e-mail address: ")


@pytest.mark.parametrize("body", [b'{"email": "\\ud800@example.org"}', b'{"email": "' + b"a" * 5000 + b'@e.org"}'])
async def test_an_email_that_breaks_encoders_is_refused_too(arcade: Visitor, body: bytes) -> None:
    answer = await arcade.http.post("/auth/login", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_addresses_of_other_scripts_have_one_spelling_too() -> None:
    assert normalise_email("JOSÉ@Bücher.example.org") == normalise_email("jose\u0301@xn--bcher-kva.example.org")
    with pytest.raises(InvalidRequest):
        normalise_email("ada@exa\u2028mple.org")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic YWRhOng=", "bearer ä"])
async def test_a_missing_or_wrong_token_is_401_in_words(arcade: Visitor, header: str | None) -> None:
    headers = {} if header is None else {b"authorization": header.encode()}
    answer = await arcade.http.get("/auth/me", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"] == "NotSignedIn"
    assert "ign in" in answer.json()["message"]


async def test_a_token_of_another_server_is_refused(arcade: Visitor, settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"auth_secret": "another secret " * 4})) as other:
        foreign = await other.sign_in()
    assert (await arcade.http.get("/auth/me", headers=foreign)).status_code == 401


async def test_an_erased_user_is_signed_out(arcade: Visitor) -> None:
    mine = await arcade.sign_in()
    async with arcade.state.engine.begin() as connection:
        await connection.execute(text('UPDATE "user" SET email = NULL'))
    answer = await arcade.http.get("/auth/me", headers=mine)
    assert answer.status_code == 401
    assert "sign in again" in answer.json()["message"]


async def test_a_token_of_firebase_is_no_way_in_here(arcade: Visitor) -> None:
    answer = await arcade.http.post("/auth/login", json={"id_token": "a.b.c"})
    assert answer.status_code == 422
    assert "One signs in by e-mail here" in answer.json()["message"]


@pytest.mark.parametrize("body", [{}, [], "a@b.org", {"email": 1}, {"id_token": 1}, {"email": "a@b.org", "x": 1}])
async def test_a_body_that_signs_nobody_in_is_refused_in_words(arcade: Visitor, body: object) -> None:
    answer = await arcade.http.post("/auth/login", json=body)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("The request does not fit. body")


def test_an_email_that_nobody_proved_gives_a_role_on_a_laptop_only() -> None:
    named: dict[str, Any] = {"researcher_emails": "Ada@example.org", "auth_method": "email", "_env_file": None}
    assert find_roles(Settings(**named), "ada@example.org") == ("researcher",)
    assert find_roles(Settings(**named), "eve@example.org") == ()
    for place in ("preview", "production"):
        assert find_roles(Settings(**named, skill_arcade_environment=place), "ada@example.org") == ()


@pytest.mark.parametrize(("role", "opens"), [("", False), ("researcher", True), ("admin", False)])
async def test_what_needs_a_role_is_closed_to_others(arcade: Visitor, role: str, opens: bool) -> None:
    await arcade.state.users.sign_in("somebody", None)
    token = arcade.state.tokens.issue_session("somebody", [role] if role else []).token
    identity = await authenticate(arcade.state, HTTPAuthorizationCredentials(scheme="Bearer", credentials=token))
    if opens:
        assert await require_researcher(identity) == "somebody"
    else:
        with pytest.raises(NotAllowed, match="This needs the role researcher"):
            await require_researcher(identity)
