"""Asking for consent over HTTP, and what the server refuses without it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from skill_arcade.consent.documents import SCOPES
from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings
from skill_arcade.storage.database.consents import add_document, read_answer
from skill_arcade.storage.database.tables import Table
from skill_arcade.web.app import create_app
from skill_arcade.wire.close_codes import CloseCode
from tests.support.asgi_client import HELLO, calling
from tests.support.consent import give_consent
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
CONSENT = Table.metadata.tables["consent"]


async def ask_ticket(arcade: Visitor, headers: dict[str, str]) -> tuple[int, str]:
    answer = await arcade.http.post("/play/tickets", json={"game_id": "pong"}, headers=headers)
    return answer.status_code, answer.json().get("error", "")


async def read_rows(arcade: Visitor) -> list[Any]:
    async with arcade.state.engine.connect() as connection:
        return list(await connection.execute(select(CONSENT).order_by(CONSENT.c.id)))


async def test_document_is_public_and_hides_the_age(arcade: Visitor) -> None:
    answer = (await arcade.http.get("/consent/document", params={"language": "de-CH"})).json()
    assert (answer["language"], answer["languages"]) == ("de", ["en", "de"])
    assert [scope["id"] for scope in answer["scopes"]] == list(SCOPES)
    assert "minimum_age" not in answer


async def test_ticket_before_the_answer_is_refused(arcade: Visitor) -> None:
    headers = await arcade.sign_in(consents=False)
    assert (await arcade.http.get("/me/consent", headers=headers)).json()["needs_answer"] is True
    assert await ask_ticket(arcade, headers) == (403, "ConsentRequired")
    answer = await arcade.http.post(
        "/challenges/tickets", json={"day": datetime.now(UTC).date().isoformat()}, headers=headers
    )
    assert answer.json()["error"] == "ConsentRequired"


async def test_answer_is_stored_with_document_scopes_and_build_and_no_year(arcade: Visitor) -> None:
    headers = await arcade.sign_in(consents=False)
    answer = await give_consent(arcade.http, headers, ("boards", "research"), birth_year=1911)
    assert answer.json() | {"time_decided": None} == {
        "decision": "given",
        "needs_answer": False,
        "version": 2,
        "scopes": ["boards", "research"],
        "withdrawable": ["research", "boards"],
        "time_decided": None,
    }
    [row] = await read_rows(arcade)
    assert row.document_sha256 == (await arcade.http.get("/consent/document")).json()["sha256"]
    assert row.build.startswith("0.")
    assert "1911" not in str(row)
    assert await ask_ticket(arcade, headers) == (200, "")


async def test_answer_that_declines_needs_no_year_and_plays_unrecorded(arcade: Visitor) -> None:
    headers = await arcade.sign_in(consents=False)
    assert (await give_consent(arcade.http, headers, ())).json()["decision"] == "declined"
    assert await ask_ticket(arcade, headers) == (200, "")
    consent = await arcade.state.consents.check_play((await read_rows(arcade))[0].user_id)
    assert (consent.is_recorded, consent.is_watchable, consent.id) == (False, False, None)


async def test_unrecorded_play_switched_off_refuses_who_declines(settings: Settings) -> None:
    async with open_arcade(settings.model_copy(update={"unrecorded_play": False})) as arcade:
        headers = await arcade.sign_in(consents=False)
        await give_consent(arcade.http, headers, ())
        assert await ask_ticket(arcade, headers) == (403, "ConsentRequired")


async def test_daily_challenge_without_recording_is_refused(arcade: Visitor) -> None:
    headers = await arcade.sign_in(consents=False)
    await give_consent(arcade.http, headers, ())
    body = {"day": datetime.now(UTC).date().isoformat()}
    assert (await arcade.http.post("/challenges/tickets", json=body, headers=headers)).status_code == 403


async def test_young_player_is_refused_and_remembered(arcade: Visitor) -> None:
    headers = await arcade.sign_in(consents=False)
    young = await give_consent(arcade.http, headers, birth_year=datetime.now(UTC).year - 18)
    assert (young.status_code, young.json()["error"]) == (403, "TooYoung")
    assert "18" not in young.text
    again = await give_consent(arcade.http, headers, birth_year=1980)
    assert again.json()["error"] == "TooYoung"
    rows = await read_rows(arcade)
    assert [(row.decision, row.scopes) for row in rows] == [("underage", [])]
    assert (await arcade.http.get("/me/consent", headers=headers)).json()["needs_answer"] is False
    assert not (await arcade.state.consents.check_play(rows[0].user_id)).is_recorded


@pytest.mark.parametrize(
    "change", [{"document": "0" * 64}, {"birth_year": None}, {"birth_year": 3000}, {"scopes": ["x"]}]
)
async def test_answer_that_is_invalid_is_refused(arcade: Visitor, change: dict[str, Any]) -> None:
    headers = await arcade.sign_in(consents=False)
    assert (await give_consent(arcade.http, headers, **change)).status_code == 422
    assert await read_rows(arcade) == []


async def test_new_version_of_the_document_asks_again(arcade: Visitor) -> None:
    headers = await arcade.sign_in()
    async with arcade.state.engine.begin() as connection:
        content = {"version": 7, "language": "en", "text": {}}
        await add_document(connection, "7" * 64, content)
        await connection.execute(CONSENT.update().values(document_sha256="7" * 64))
    arcade.state.consents._cache.clear()
    assert (await arcade.http.get("/me/consent", headers=headers)).json()["needs_answer"] is True
    assert await ask_ticket(arcade, headers) == (403, "ConsentRequired")


async def test_changed_text_with_the_same_version_stops_the_start(arcade: Visitor) -> None:
    async with arcade.state.engine.begin() as connection:
        with pytest.raises(SettingsError, match="version 2 \\(en\\)"):
            await add_document(connection, "8" * 64, {"version": 2, "language": "en", "text": {}})


async def test_socket_without_an_answer_is_closed_with_consent_required(arcade: Visitor, settings: Settings) -> None:
    """The ticket may be older than a withdrawal or a new document, so the socket asks again."""
    headers = await arcade.sign_in()
    ticket = (await arcade.http.post("/play/tickets", json={"game_id": "pong"}, headers=headers)).json()["ticket"]
    async with arcade.state.engine.begin() as connection:
        await connection.execute(text("DELETE FROM consent"))
    arcade.state.consents._cache.clear()
    async with calling(arcade, create_app(settings), "/ws/pong", f"token={ticket}") as line:
        line.say(HELLO)
        assert (await line.closed)[0] == CloseCode.CONSENT_REQUIRED


async def test_program_is_recorded_without_an_answer(arcade: Visitor) -> None:
    answer = await arcade.http.post(
        "/auth/login", json={"email": "smoke@example.org"}, headers={"X-Skill-Arcade-Synthetic": "true"}
    )
    headers = {"authorization": f"Bearer {answer.json()['token']}"}
    assert await ask_ticket(arcade, headers) == (200, "")
    consent = await arcade.state.consents.check_play(answer.json()["user_id"])
    assert (consent.is_recorded, consent.id, consent.is_watchable) == (True, None, False)


async def test_withdrawal_of_one_scope_keeps_the_others(arcade: Visitor) -> None:
    headers = await arcade.sign_in()
    answer = await arcade.http.post("/me/consent/withdrawal", json={"scopes": ["boards"]}, headers=headers)
    assert answer.json()["withdrawable"] == ["research", "publication"]
    [row] = await read_rows(arcade)
    assert (list(row.withdrawn), row.time_withdrawn) == (["boards"], None)
    consent = await arcade.state.consents.check_play(row.user_id)
    assert (consent.id, consent.is_watchable) == (row.id, False)


async def test_withdrawal_of_everything_ends_recording(arcade: Visitor) -> None:
    headers = await arcade.sign_in()
    answer = await arcade.http.post("/me/consent/withdrawal", json={"scopes": list(SCOPES)}, headers=headers)
    assert (answer.json()["decision"], answer.json()["needs_answer"]) == ("declined", False)
    rows = await read_rows(arcade)
    assert [row.time_withdrawn is not None for row in rows] == [True, True]
    async with arcade.state.engine.connect() as connection:
        assert (await read_answer(connection, rows[0].user_id)).scopes == ()
    assert not (await arcade.state.consents.check_play(rows[0].user_id)).is_recorded
    assert (await give_consent(arcade.http, headers)).json()["scopes"] == sorted(SCOPES)
    assert (await arcade.state.consents.check_play(rows[0].user_id)).is_recorded
