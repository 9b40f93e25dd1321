"""The log of a played session: JSON lines for Cloud Logging, without personal data and secrets."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.support.arcade import Player, issue_ticket, running_arcade, sign_in, ticket_subprotocols, wait_until_uploaded

EMAIL = "ada.lovelace@example.org"
SECRET = "a-secret-of-this-server-that-signs-tokens"


@pytest.mark.anyio
async def test_log_of_played_session_has_labels_and_no_secrets(tmp_path: Path, database_url: URL) -> None:
    log = tmp_path / "log"
    address = database_url.render_as_string(hide_password=False)
    environment = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", "DATABASE_URL": address, "AUTH_SECRET": SECRET}
    with running_arcade(tmp_path / "home", log, **environment) as arcade:
        token = await sign_in(arcade.url, EMAIL)
        async with httpx.AsyncClient(base_url=arcade.url, timeout=60) as http:
            bearer = {"authorization": f"Bearer {token}"}
            me = await http.get(f"/auth/me?token={token}&email={EMAIL}", headers=bearer)
            await http.post("/auth/login", json={"email": "not an e-mail"})
        ticket = await issue_ticket(arcade.url, token, "breakout")
        socket, offered = f"ws://127.0.0.1:{arcade.port}/ws/breakout", ticket_subprotocols(ticket)
        async with connect(socket, subprotocols=offered, compression=None) as connection:
            player = Player(connection)
            await player.hello()
            await player.send("start")
            await player.tap("fire")
            await player.read_until_frame(100)
            await player.send("leave")
            await player.read_until("ended")
        with pytest.raises(ConnectionClosed):
            async with connect(socket, subprotocols=offered, compression=None) as connection:
                await connection.recv()
        await wait_until_uploaded(arcade)
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["severity"] for line in lines} <= {"DEBUG", "INFO", "WARNING"}
    assert all(line["time"] and line["message"] for line in lines)

    text = log.read_text().lower()
    for secret in (EMAIL, "lovelace", token, ticket, SECRET, me.json()["user_id"]):
        assert secret.lower() not in text
    assert [line for line in lines if "request" in line and "127.0.0.1" in json.dumps(line)] == []

    attached, detached, rejected = (
        next(line for line in lines if line["message"].startswith(prefix))
        for prefix in ("client attached", "client detached", "connection rejected")
    )
    assert attached["session"] == detached["session"]
    assert attached["request"] == detached["request"] != rejected["request"]
    assert attached["game"] == "breakout"
    assert any(line.get("request") == me.headers["x-request-id"] for line in lines if "httpRequest" in line)
