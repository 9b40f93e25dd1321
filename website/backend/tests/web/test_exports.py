"""Export downloads from a real server, by players and researchers."""

import asyncio
import io
import json
import socket
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import minari
import numpy as np
import pyarrow.parquet as pq
import pytest
import uvicorn
from numpy.testing import assert_array_equal
from sqlalchemy import URL, text
from starlette.types import Receive, Scope, Send

import skill_arcade.dataset as sa
from skill_arcade.errors import TooManyExports
from skill_arcade.export.selection import ExportSelection
from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import upsert_games, upsert_user
from skill_arcade.web.exports import STOPPED_MESSAGE, TOO_SLOW_MESSAGE, ExportDownload, Exports
from skill_arcade.web.routes.exports import AbortingStreamResponse
from skill_arcade.web.uvicorn_protocols import http as http_protocol
from skill_arcade.web.uvicorn_protocols.http import limited_http_protocol
from tests.support import session_harness
from tests.support.arcade import running_arcade
from tests.support.database import fresh_database, opened_engine

NO_FILTERS = {"games": [], "certified": False, "min_steps": 0, "since": None, "until": None}


@dataclass(frozen=True, slots=True)
class ExportServer:
    """A running server with episodes of two players."""

    http: httpx.Client
    settings: Settings
    url: URL

    def sign_in(self, email: str) -> dict[str, str]:
        answer = self.http.post("/auth/login", json={"email": email})
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def request_export(self, email: str, path: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(path, json=body, headers=self.sign_in(email))
        assert answer.status_code == 200, answer.text
        ticket: dict[str, Any] = answer.json()
        return ticket


@pytest.fixture(scope="module")
def server(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExportServer]:
    home = tmp_path_factory.mktemp("export")
    with fresh_database(postgres) as url:
        address = url.render_as_string(hide_password=False)
        environment = {"DATABASE_URL": address, "RESEARCHER_EMAILS": "rosa@example.org", "CERTIFIER": "false"}
        with running_arcade(home, None, **environment) as arcade, httpx.Client(base_url=arcade.url, timeout=60) as http:
            server = ExportServer(http, Settings(skill_arcade_home=home, database_url=address), url)
            ids = []
            for email in ("ada@example.org", "bob@example.org"):
                ids.append(http.post("/auth/login", json={"email": email}).json()["user_id"])
            asyncio.run(upload_episodes(url, home, *ids))
            yield server


async def upload_episodes(url: URL, home: Path, ada: str, bob: str) -> None:
    journal = home / "played"
    session_harness.play_breakout(journal, 60, user_id=ada)
    session_harness.play_hanoi(journal, user_id=ada)
    session_harness.play_cart_pole(journal, user_id=bob)
    async with opened_engine(url) as engine:
        async with engine.begin() as connection:
            await upsert_user(connection, ada, "ada@example.org")
            await upsert_games(connection, {})
        await session_harness.upload_all(journal, home / "objects", engine)


def unpack(answer: httpx.Response, folder: Path) -> Path:
    """Extract the ZIP of an export; return its top folder."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    (top,) = folder.iterdir()
    return top


def test_export_of_own_episodes_loads_in_minari(
    server: ExportServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = server.request_export("ada@example.org", "/me/exports", format="minari")
    assert (ticket["episodes"], ticket["players"]) == (2, 1)
    answer = server.http.get(ticket["address"])
    assert answer.headers["content-disposition"].startswith('attachment; filename="my-skill-arcade-minari-')
    top = unpack(answer, tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(top))
    with sa.open(settings=server.settings) as dataset:
        for game in ("breakout", "tower-of-hanoi"):
            (loaded_episode,) = minari.load_dataset(f"skill-arcade/{game}/human-v0").iterate_episodes()
            (source,) = dataset.episodes(game=game)
            assert_array_equal(loaded_episode.observations, np.asarray(source.observations))
            assert_array_equal(loaded_episode.actions, source.actions)
        assert ticket["steps"] == sum(len(episode) for episode in dataset.episodes() if episode.game_id != "cart-pole")
    manifest = json.loads((top / "manifest.json").read_text())
    files = {file.relative_to(top).as_posix() for file in top.rglob("*") if file.is_file()}
    assert files == {*manifest["files"], "manifest.json"}
    assert server.http.get(ticket["address"]).status_code == 401  # a ticket downloads once
    progress = server.http.get(ticket["progress"]).json()
    expected = {"state": "done", "episodes": 2, "of": 2, "bytes": len(answer.content), "message": ""}
    assert progress == expected


def test_export_of_researcher_applies_filters(server: ExportServer, tmp_path: Path) -> None:
    headers = server.sign_in("rosa@example.org")
    listed = server.http.get("/research/games", headers=headers).json()
    assert {game["game_id"]: (game["episodes"], game["players"]) for game in listed} == dict.fromkeys(
        ("breakout", "cart-pole", "tower-of-hanoi"), (1, 1)
    )
    chosen = {**NO_FILTERS, "format": "parquet", "games": ["cart-pole", "tower-of-hanoi"], "since": "2026-01-01"}
    ticket = server.request_export("rosa@example.org", "/research/exports", **chosen)
    assert (ticket["episodes"], ticket["players"]) == (2, 2)
    top = unpack(server.http.get(ticket["address"]), tmp_path)
    episodes = pq.read_table(top / "episodes.parquet").to_pylist()
    assert [episode["game_id"] for episode in episodes] == ["cart-pole", "tower-of-hanoi"]
    assert "id IN ('cart-pole', 'tower-of-hanoi')" in json.loads((top / "manifest.json").read_text())["query"]


@pytest.mark.parametrize(
    ("email", "path", "body", "status"),
    [
        ("ada@example.org", "/research/exports", {**NO_FILTERS, "format": "hf"}, 403),
        ("new@example.org", "/me/exports", {"format": "hf"}, 422),
        ("ada@example.org", "/me/exports", {"format": "pickle"}, 422),
        (
            "rosa@example.org",
            "/research/exports",
            {**NO_FILTERS, "format": "hf", "games": ["x' OR 'a' = 'a"]},
            422,
        ),
    ],
)
def test_export_request_is_rejected(
    server: ExportServer, email: str, path: str, body: dict[str, Any], status: int
) -> None:
    answer = server.http.post(path, json=body, headers=server.sign_in(email))
    assert answer.status_code == status, answer.text


def test_export_rejects_session_token_as_ticket(server: ExportServer) -> None:
    token = server.sign_in("ada@example.org")["authorization"].removeprefix("Bearer ")
    for path in ("/exports", "/exports/progress"):
        answer = server.http.get(path, params={"ticket": token})
        assert (answer.status_code, answer.json()["error"]) == (401, "NotSignedIn")


@pytest.mark.parametrize("game", ["breakout", "tower-of-hanoi"])
def test_download_with_damaged_episode_leaves_it_out_and_says_so(
    game: str, server: ExportServer, tmp_path: Path
) -> None:
    ticket = server.request_export("rosa@example.org", "/research/exports", **NO_FILTERS, format="parquet")
    hidden_path = asyncio.run(hide_object(server, game))
    try:
        top = unpack(server.http.get(ticket["address"]), tmp_path)
        progress = server.http.get(ticket["progress"]).json()
    finally:
        hidden_path.with_suffix(".hidden").rename(hidden_path)
    assert (progress["state"], progress["episodes"], progress["of"]) == ("done", 2, 3)
    assert progress["message"].startswith("1 of 3 episodes is left out")
    manifest = json.loads((top / "manifest.json").read_text())
    (entry,) = manifest["left_out"]["reasons"]
    assert (manifest["episodes"], entry["group"]) == (2, game)
    assert "is missing" in entry["reason"]
    assert f"| {game} | {entry['episode_id']} |" in (top / "README.md").read_text()
    assert game not in pq.read_table(top / "episodes.parquet")["game_id"].to_pylist()


def test_failed_export_aborts_the_download(server: ExportServer) -> None:
    ticket = server.request_export("rosa@example.org", "/research/exports", **NO_FILTERS, format="parquet")
    path = asyncio.run(hide_object(server, "tower-of-hanoi", is_last=True))
    path.symlink_to(path)  # A loop: the folder cannot be read, so the store is unavailable.
    try:
        # Breakout is written first and is complete, so the response has begun by then.
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            server.http.get(ticket["address"])
        progress = server.http.get(ticket["progress"]).json()
        assert (progress["state"], progress["episodes"]) == ("failed", 2)
        assert "Cannot use the object folder" in progress["message"]
    finally:
        path.unlink()
        path.with_suffix(".hidden").rename(path)


async def hide_object(server: ExportServer, game: str, *, is_last: bool = False) -> Path:
    """Hide the pictures of the game's first segment or of its last one, which no plan of an export reads."""
    query = text(
        "SELECT s.objects FROM segment s JOIN episode e ON e.id = s.episode_id "
        "WHERE e.game_id = :game AND s.n_frames > 0 ORDER BY s.number"
    )
    async with opened_engine(server.url) as engine, engine.connect() as connection:
        segments = (await connection.execute(query, {"game": game})).scalars().all()
    objects: dict[str, str] = segments[-1 if is_last else 0]
    path: Path = server.settings.objects_folder / next(key for key in objects if key.endswith(".png"))
    path.rename(path.with_suffix(".hidden"))
    return path


def test_exports_are_limited_per_user_and_in_total(server: ExportServer, monkeypatch: pytest.MonkeyPatch) -> None:
    selection = ExportSelection.model_validate({"format": "parquet", "ended_before": "2100-01-01T00:00:00Z"})
    monkeypatch.setattr("skill_arcade.web.exports.MAX_CONCURRENT_EXPORTS", 1)

    async def download() -> None:
        exports = Exports(server.settings)
        first = await exports.open("one", selection, "ada")
        with pytest.raises(TooManyExports, match="You already have"):
            await exports.open("two", selection, "ada")
        with pytest.raises(TooManyExports, match="The server is busy"):
            await exports.open("three", selection, "bob")
        await first.close()
        assert (first.state, exports.progress("one").message) == ("failed", STOPPED_MESSAGE)
        second = await exports.open("four", selection, "bob")
        assert zipfile.is_zipfile(io.BytesIO(b"".join([chunk async for chunk in second.chunks()])))
        await exports.stop()
        assert (second.state, exports.progress("never").state) == ("done", "unknown")

    asyncio.run(download())


def test_slow_download_ends_when_another_user_waits(server: ExportServer, monkeypatch: pytest.MonkeyPatch) -> None:
    selection = ExportSelection.model_validate({"format": "parquet", "ended_before": "2100-01-01T00:00:00Z"})
    monkeypatch.setattr("skill_arcade.web.exports.MAX_CONCURRENT_EXPORTS", 1)
    monkeypatch.setattr("skill_arcade.web.exports.MIN_CLIENT_SECONDS", 0.2)
    monkeypatch.setattr("skill_arcade.web.exports.MIN_SHARED_BYTES_PER_SECOND", 1 << 40)

    async def download() -> None:
        exports = Exports(server.settings)
        slow = await exports.open("slow", selection, "ada")
        chunks = slow.chunks()
        await anext(chunks)
        with pytest.raises(TooManyExports, match="The server is busy"):
            await exports.open("early", selection, "bob")
        await asyncio.sleep(0.3)  # the client does not read
        waiting = await exports.open("waiting", selection, "bob")
        assert (slow.state, exports.progress("slow").message) == ("failed", TOO_SLOW_MESSAGE)
        assert [chunk async for chunk in chunks] == []
        assert slow.state == "failed"
        assert zipfile.is_zipfile(io.BytesIO(b"".join([chunk async for chunk in waiting.chunks()])))
        await exports.stop()

    asyncio.run(download())


@pytest.mark.anyio
async def test_download_that_is_not_read_ends_and_frees_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "READ_TIMEOUT_SECONDS", 0.5)
    closed = asyncio.Event()

    class Endless(ExportDownload):
        async def chunks(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0)
                yield bytes(1 << 16)

        def close(self, message: str = "") -> asyncio.Task[None]:
            closed.set()
            return asyncio.create_task(asyncio.sleep(0))

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await AbortingStreamResponse(Endless("ada"), {})(scope, receive, send)

    config = uvicorn.Config(answer, http=limited_http_protocol(9, 9), lifespan="off", log_level="error")
    web_server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        running = asyncio.create_task(web_server.serve([listener]))
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, listener.getsockname())
        await asyncio.get_running_loop().sock_sendall(client, b"GET /exports HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await closed.wait()
        web_server.should_exit = True
        await running
