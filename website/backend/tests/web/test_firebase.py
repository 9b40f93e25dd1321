"""Signing in with Firebase: valid tokens of this project only."""

import base64
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import firebase_admin
import pytest
from sqlalchemy import text

from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import sign_out_user
from skill_arcade.web.security import page_policy
from tests.support.cloud.firebase import PROJECT, Issuer, issuer
from tests.support.cloud.sql import write_account
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio


@pytest.fixture
def firebase(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Issuer]:
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    with issuer() as (made, address):
        root = address.removesuffix("/keys")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", os.fspath(write_account(tmp_path, root)))
        monkeypatch.setattr("firebase_admin._token_gen.ID_TOKEN_CERT_URI", address)
        monkeypatch.setattr("firebase_admin._user_mgt.UserManager.ID_TOOLKIT_URL", f"{root}/v1")
        yield made


@pytest.fixture
def cloud(settings: Settings) -> Settings:
    """Settings of an arcade whose users sign in with Firebase."""
    return settings.model_copy(
        update={
            "firebase_project_id": PROJECT,
            "firebase_api_key": "public-key",
            "firebase_google_client_id": "client.apps.googleusercontent.com",
            "researcher_emails": ("ada@example.org",),
            "admin_emails": ("Grace@example.org",),
        }
    )


@pytest.fixture
async def arcade(cloud: Settings, firebase: Issuer, anyio_backend: str) -> AsyncIterator[Visitor]:
    async with open_arcade(cloud) as visitor:
        yield visitor


async def sign_in(arcade: Visitor, token: str) -> dict[str, Any]:
    answer = await arcade.http.post("/auth/login", json={"id_token": token})
    assert answer.status_code == 200, answer.text
    session: dict[str, Any] = answer.json()
    return session


async def read_users(arcade: Visitor) -> list[tuple[str, str | None]]:
    async with arcade.state.engine.connect() as connection:
        query = 'SELECT id, email FROM "user" WHERE NOT is_synthetic ORDER BY time_created'
        rows = await connection.execute(text(query))
        return [(row.id, row.email) for row in rows]


async def test_login_method_has_firebase_configuration(arcade: Visitor) -> None:
    assert (await arcade.http.get("/auth/login")).json() == {
        "method": "firebase",
        "project_id": PROJECT,
        "api_key": "public-key",
        "providers": ["google", "email-link", "anonymous"],
        "google_client_id": "client.apps.googleusercontent.com",
        "emulator": None,
    }


async def test_firebase_google_account_is_user_with_email(arcade: Visitor, firebase: Issuer) -> None:
    session = await sign_in(arcade, firebase.token())
    assert session["email"] == "ada@example.org"
    assert await read_users(arcade) == [(session["user_id"], "ada@example.org")]
    me = await arcade.http.get("/auth/me", headers={"authorization": f"Bearer {session['token']}"})
    assert me.json() == {"user_id": session["user_id"], "email": "ada@example.org", "roles": ["researcher"]}


async def test_firebase_guest_who_adds_email_keeps_user_id(arcade: Visitor, firebase: Issuer) -> None:
    guest = await sign_in(arcade, firebase.guest("uid-7"))
    assert guest["email"] is None
    me = await arcade.http.get("/auth/me", headers={"authorization": f"Bearer {guest['token']}"})
    assert me.json()["email"] is None
    account = await sign_in(arcade, firebase.token(sub="uid-7", email="new@example.org"))
    assert account["user_id"] == guest["user_id"]
    assert await read_users(arcade) == [(guest["user_id"], "new@example.org")]


async def test_firebase_guests_are_separate_users(arcade: Visitor, firebase: Issuer) -> None:
    first, second = [await sign_in(arcade, firebase.guest(uid)) for uid in ("uid-1", "uid-2")]
    assert first["user_id"] != second["user_id"]
    bearer = {"authorization": f"Bearer {first['token']}"}
    assert (await arcade.http.post("/play/tickets", json={"game_id": "nothing"}, headers=bearer)).status_code == 404


async def test_firebase_token_from_before_a_sign_out_is_rejected(arcade: Visitor, firebase: Issuer) -> None:
    old = firebase.token(iat=int(time.time()) - 60)
    session = await sign_in(arcade, old)
    async with arcade.state.engine.begin() as connection:
        await sign_out_user(connection, session["user_id"])
    answer = await arcade.http.post("/auth/login", json={"id_token": old})
    assert (answer.status_code, answer.json()["message"]) == (401, "You were signed out. Sign in again.")
    await sign_in(arcade, firebase.token(iat=int(time.time()) + 5))


async def erase(arcade: Visitor, session: dict[str, Any], **body: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {session['token']}"}
    answer = await arcade.http.post("/me/erasure", json={"word": "erase", **body}, headers=headers)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def test_erasure_deletes_the_firebase_account(arcade: Visitor, firebase: Issuer) -> None:
    """Signed in hours ago, when Google lets the page delete nothing."""
    token = firebase.token(auth_time=int(time.time()) - 36_000)
    result = await erase(arcade, await sign_in(arcade, token), id_token=token)
    assert (result["sign_in_deleted"], firebase.deleted) == (True, ["uid-of-ada"])
    assert {email for _, email in await read_users(arcade)} <= {None}


async def test_erasure_without_the_permission_leaves_the_firebase_account_to_the_page(
    arcade: Visitor, firebase: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    firebase.may_delete = False
    session = await sign_in(arcade, firebase.token())
    result = await erase(arcade, session, id_token=firebase.token())
    assert (result["sign_in_deleted"], firebase.deleted) == (False, [])
    assert "cannot delete the Firebase account of an erased user" in caplog.text
    me = await arcade.http.get("/auth/me", headers={"authorization": f"Bearer {session['token']}"})
    assert me.status_code == 401


async def test_erasure_with_an_invalid_id_token_erases_nothing(arcade: Visitor, firebase: Issuer) -> None:
    session = await sign_in(arcade, firebase.token())
    headers = {"authorization": f"Bearer {session['token']}"}
    body = {"word": "erase", "id_token": firebase.token(key="another")}
    assert (await arcade.http.post("/me/erasure", json=body, headers=headers)).status_code == 401
    assert (await arcade.http.get("/auth/me", headers=headers)).status_code == 200
    assert firebase.deleted == []


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "1"}).encode()).rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


INVALID_TOKENS: dict[str, Any] = {
    "of another project": lambda made: made.token(aud="other", iss="https://securetoken.google.com/other"),
    "of another issuer": lambda made: made.token(iss="https://evil.example/arcade-test"),
    "past its end": lambda made: made.token(iat=int(time.time()) - 7200, exp=int(time.time()) - 3600),
    "from the future": lambda made: made.token(iat=int(time.time()) + 3600, exp=int(time.time()) + 7200),
    "signed by another key": lambda made: made.token(key="another"),
    "not signed": lambda made: unsigned(made.token()),
    "changed": lambda made: made.token()[:-6] + "AAAAAA",
    "of nobody": lambda made: made.token(without="sub"),
    "no token": lambda made: "nonsense",
    "empty": lambda made: "",
    "of a kind that is not offered": lambda made: made.token(firebase={"sign_in_provider": "custom"}),
    "with an e-mail that is not confirmed": lambda made: made.token(email_verified=False),
}


@pytest.mark.parametrize("kind", INVALID_TOKENS)
async def test_firebase_invalid_token_answers_401_and_creates_no_user(
    arcade: Visitor, firebase: Issuer, kind: str
) -> None:
    answer = await arcade.http.post("/auth/login", json={"id_token": INVALID_TOKENS[kind](firebase)})
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"] == "NotSignedIn"
    assert await read_users(arcade) == []


async def test_firebase_disabled_provider_answers_401(cloud: Settings, firebase: Issuer) -> None:
    async with open_arcade(cloud.model_copy(update={"firebase_providers": ("google",)})) as arcade:
        assert (await arcade.http.get("/auth/login")).json()["providers"] == ["google"]
        answer = await arcade.http.post("/auth/login", json={"id_token": firebase.guest()})
    assert answer.status_code == 401


async def test_firebase_server_rejects_login_by_email(arcade: Visitor) -> None:
    answer = await arcade.http.post("/auth/login", json={"email": "ada@example.org"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "InvalidRequest"


async def test_firebase_keys_unavailable_answers_503_until_retry(arcade: Visitor, firebase: Issuer) -> None:
    firebase.up = False
    answer = await arcade.http.post("/auth/login", json={"id_token": firebase.token()})
    assert answer.status_code == 503
    firebase.up = True
    await sign_in(arcade, firebase.token())


@pytest.mark.parametrize(
    ("claims", "roles"),
    [
        ({}, ["researcher"]),
        ({"email": "grace@example.org"}, ["researcher", "admin"]),
        ({"email": "eve@example.org"}, []),
        ({"email": "eve@example.org", "role": "researcher"}, ["researcher"]),
        ({"email": "eve@example.org", "roles": ["admin", "emperor", 7]}, ["researcher", "admin"]),
        ({"email": "eve@example.org", "role": {"admin": True}, "roles": "admin"}, []),
    ],
)
async def test_firebase_roles_come_from_settings_and_claims(
    arcade: Visitor, firebase: Issuer, claims: dict[str, Any], roles: list[str]
) -> None:
    assert (await sign_in(arcade, firebase.token(**claims)))["roles"] == roles


async def test_firebase_is_closed_at_shutdown(cloud: Settings, firebase: Issuer) -> None:
    async with open_arcade(cloud) as arcade:
        await sign_in(arcade, firebase.token())
        assert len(firebase_admin._apps) == 1
    assert firebase_admin._apps == {}


def test_page_policy_allows_firebase_only_if_enabled(cloud: Settings, settings: Settings) -> None:
    default_policy = page_policy(settings)
    assert "googleapis" not in default_policy
    firebase_policy = page_policy(cloud)
    assert (
        "connect-src 'self' https://identitytoolkit.googleapis.com https://securetoken.googleapis.com;"
        in firebase_policy
    )
    assert (
        firebase_policy.replace(" https://identitytoolkit.googleapis.com https://securetoken.googleapis.com", "")
        == default_policy
    )
    with_emulator = page_policy(cloud.model_copy(update={"firebase_auth_emulator_host": "127.0.0.1:9099"}))
    assert "connect-src 'self' http://127.0.0.1:9099;" in with_emulator


@pytest.mark.parametrize("ahead", [0, 11, 30, 58])
async def test_firebase_token_up_to_60_s_ahead_is_accepted(
    arcade: Visitor, firebase: Issuer, ahead: int, caplog: pytest.LogCaptureFixture
) -> None:
    await sign_in(arcade, firebase.token(iat=int(time.time()) + ahead))
    assert ("this server's clock is behind" in caplog.text) is (ahead > 0)


async def test_firebase_token_more_than_60_s_ahead_is_rejected(arcade: Visitor, firebase: Issuer) -> None:
    answer = await arcade.http.post("/auth/login", json={"id_token": firebase.token(iat=int(time.time()) + 75)})
    assert answer.status_code == 401
