"""An arcade on a database of its own, and an HTTP client for it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL
from starlette.types import Receive, Scope, Send

from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.lifespan import open_parts
from skill_arcade.web.state import AppState
from tests.support.cloud.storage import StorageServer, storage_server
from tests.support.consent import give_consent

PONG = """\
name: Pong
summary: Let the ball past the other paddle, and not past yours.
environment: {id: ALE/Pong-v5, kwargs: {frameskip: 1}}
options: {difficulty: [0, 1]}
pace: {kind: real-time, hz: 60, speeds: [0.5, 1]}
noop: 0
controls:
  - {name: up, label: Up, keys: [ArrowUp, KeyW]}
  - {name: down, label: Down, keys: [ArrowDown]}
actions:
  - {press: [up], action: 2}
  - {press: [down], action: 3, label: Go down}
show: {pixel_aspect: 1.75}
tags: [atari]
"""
LAKE = """\
name: Frozen Lake
summary: Cross the ice to the present.
environment: {id: FrozenLake-v1}
options: {map: {4x4: {}, 8x8: {kwargs: {map_name: 8x8}, alias: frozen-lake-8x8}}}
pace: {kind: turn-based}
controls: [{name: left, label: Left, keys: [ArrowLeft]}]
actions: [{press: [left], action: 0}]
"""


class Visitor:
    """An HTTP client of an arcade, with access to its state."""

    def __init__(self, http: httpx.AsyncClient, state: AppState) -> None:
        self.http = http
        self.state = state

    async def sign_in(self, email: str = "ada@example.org", *, consents: bool = True) -> dict[str, str]:
        """Sign in, and allow everything if `consents`. Return the request headers with the session token."""
        answer = await self.http.post("/auth/login", json={"email": email})
        assert answer.status_code == 200, answer.text
        headers = {"authorization": f"Bearer {answer.json()['token']}"}
        if consents:
            (await give_consent(self.http, headers)).raise_for_status()
        return headers


@pytest.fixture
def settings(database_url: URL, tmp_path: Path) -> Settings:
    """Settings of an empty arcade."""
    address = database_url.render_as_string(hide_password=False)
    games = tmp_path / "games"
    (games / "covers").mkdir(parents=True)
    (games / "pong.yaml").write_text(PONG)
    (games / "frozen-lake.yaml").write_text(LAKE)
    (games / "covers" / "pong.webp").write_bytes(b"RIFF....WEBPVP8 ")
    return Settings(
        _env_file=None,
        skill_arcade_home=tmp_path / "home",
        database_url=address,
        games_folder=games,
        page_folder=tmp_path / "dist",
        games_per_process=4,
    )


@asynccontextmanager
async def open_arcade(settings: Settings) -> AsyncIterator[Visitor]:
    """Open an arcade without game processes and child processes."""
    app = create_app(settings)
    async with AsyncExitStack() as stack:
        state = await open_parts(settings, stack)

        async def started(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": {"arcade": state}}, receive, send)

        transport: Any = httpx.ASGITransport(started, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Visitor(http, state)


@pytest.fixture
async def arcade(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    """An empty arcade."""
    async with open_arcade(settings) as visitor:
        yield visitor


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    """The stand-in of Cloud Storage, to which the server is directed."""
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        yield server
