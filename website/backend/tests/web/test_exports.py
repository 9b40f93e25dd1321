"""Recordings as a download, from the real server: whole, one's own or as a researcher, and refused in words."""

import asyncio
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import minari
import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal
from sqlalchemy import URL, text

import skill_arcade.dataset as sa
from skill_arcade.errors import TooManyExports
from skill_arcade.export.selection import ExportSelection
from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import upsert_games, upsert_user
from skill_arcade.web.exports import Exports
from tests.conftest import fresh_database, opened_engine
from tests.support import session_harness as played
from tests.support.arcade import running_arcade

EVERYTHING = {"games": [], "certified": False, "min_steps": 0, "since": None, "until": None}


@dataclass(frozen=True, slots=True)
class House:
    """A running server with two people's play in it."""

    http: httpx.Client
    settings: Settings
    url: URL

    def sign_in(self, email: str) -> dict[str, str]:
        answer = self.http.post("/auth/login", json={"email": email})
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def ask(self, email: str, path: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(path, json=body, headers=self.sign_in(email))
        assert answer.status_code == 200, answer.text
        ticket: dict[str, Any] = answer.json()
        return ticket


@pytest.fixture(scope="module")
def house(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("house")
    with fresh_database(postgres) as url:
        address = url.render_as_string(hide_password=False)
        given = {"DATABASE_URL": address, "RESEARCHER_EMAILS": "rosa@example.org"}
        with running_arcade(home, None, **given) as arcade, httpx.Client(base_url=arcade.url, timeout=60) as http:
            house = House(http, Settings(skill_arcade_home=home, database_url=address), url)
            ids = []
            for email in ("ada@example.org", "bob@example.org"):
                ids.append(http.post("/auth/login", json={"email": email}).json()["user_id"])
            asyncio.run(fill(url, home, *ids))
            yield house


async def fill(url: URL, home: Path, ada: str, bob: str) -> None:
    journal = home / "played"
    played.play_breakout(journal, 60, user_id=ada)
    played.play_hanoi(journal, user_id=ada)
    played.play_cart_pole(journal, user_id=bob)
    async with opened_engine(url) as engine:
        async with engine.begin() as connection:
            await upsert_user(connection, ada, "ada@example.org")
            await upsert_games(connection, {})
        await played.upload_all(journal, home / "objects", engine)


def unpack(answer: httpx.Response, folder: Path) -> Path:
    """Where the export is, once it is out of its ZIP."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    (top,) = folder.iterdir()
    return top


def test_players_take_away_their_own_play_and_it_loads(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = house.ask("ada@example.org", "/me/exports", format="minari")
    assert (ticket["episodes"], ticket["players"]) == (2, 1)
    answer = house.http.get(ticket["address"])
    assert answer.headers["content-disposition"].startswith('attachment; filename="my-skill-arcade-minari-')
    top = unpack(answer, tmp_path)
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(top))
    with sa.open(settings=house.settings) as dataset:
        for game in ("breakout", "tower-of-hanoi"):
            (found,) = minari.load_dataset(f"skill-arcade/{game}/human-v0").iterate_episodes()
            (source,) = dataset.episodes(game=game)
            assert_array_equal(found.observations, np.asarray(source.observations))
            assert_array_equal(found.actions, source.actions)
        assert ticket["steps"] == sum(len(one) for one in dataset.episodes() if one.game_id != "cart-pole")
    manifest = json.loads((top / "manifest.json").read_text())
    files = {file.relative_to(top).as_posix() for file in top.rglob("*") if file.is_file()}
    assert files == {*manifest["files"], "manifest.json"}
    progress = house.http.get(ticket["progress"]).json()
    wanted = {"state": "done", "episodes": 2, "of": 2, "bytes": len(answer.content), "message": ""}
    assert progress == wanted


def test_researchers_choose_from_everybodys_play(house: House, tmp_path: Path) -> None:
    headers = house.sign_in("rosa@example.org")
    listed = house.http.get("/research/games", headers=headers).json()
    assert {one["game_id"]: (one["episodes"], one["players"]) for one in listed} == dict.fromkeys(
        ("breakout", "cart-pole", "tower-of-hanoi"), (1, 1)
    )
    chosen = {**EVERYTHING, "format": "parquet", "games": ["cart-pole", "tower-of-hanoi"], "since": "2026-01-01"}
    ticket = house.ask("rosa@example.org", "/research/exports", **chosen)
    assert (ticket["episodes"], ticket["players"]) == (2, 2)
    top = unpack(house.http.get(ticket["address"]), tmp_path)
    episodes = pq.read_table(top / "episodes.parquet").to_pylist()
    assert [one["game_id"] for one in episodes] == ["cart-pole", "tower-of-hanoi"]
    assert "game_id IN ('cart-pole', 'tower-of-hanoi')" in json.loads((top / "manifest.json").read_text())["query"]


@pytest.mark.parametrize(
    ("email", "path", "body", "status", "reason"),
    [
        ("ada@example.org", "/research/exports", {**EVERYTHING, "format": "hf"}, 403, "needs the role researcher"),
        ("new@example.org", "/me/exports", {"format": "hf"}, 422, "None of your games has ended yet"),
        ("ada@example.org", "/me/exports", {"format": "pickle"}, 422, "does not fit"),
        (
            "rosa@example.org",
            "/research/exports",
            {**EVERYTHING, "format": "hf", "games": ["x' OR 'a' = 'a"]},
            422,
            "No episode that has ended is like that",
        ),
    ],
)
def test_what_can_not_be_had_is_refused_in_a_sentence(
    house: House, email: str, path: str, body: dict[str, Any], status: int, reason: str
) -> None:
    answer = house.http.post(path, json=body, headers=house.sign_in(email))
    assert (answer.status_code, reason in answer.json()["message"]) == (status, True), answer.text


def test_a_ticket_of_something_else_opens_no_download(house: House) -> None:
    token = house.sign_in("ada@example.org")["authorization"].removeprefix("Bearer ")
    for path in ("/exports", "/exports/progress"):
        answer = house.http.get(path, params={"ticket": token})
        assert (answer.status_code, answer.json()["error"]) == (401, "NotSignedIn")


def test_a_download_that_breaks_is_not_taken_for_a_whole_one(house: House) -> None:
    ticket = house.ask("rosa@example.org", "/research/exports", **EVERYTHING, format="parquet")
    lost = asyncio.run(hide_object(house, "tower-of-hanoi"))
    try:
        # Breakout comes first and is whole, so by then the answer has begun.
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            house.http.get(ticket["address"])
        progress = house.http.get(ticket["progress"]).json()
        assert (progress["state"], progress["episodes"]) == ("failed", 2)
        assert "not whole" in progress["message"]
    finally:
        lost.with_suffix(".hidden").rename(lost)


async def hide_object(house: House, game: str) -> Path:
    query = text("SELECT s.objects FROM segment s JOIN episode e ON e.id = s.episode_id WHERE e.game_id = :game")
    async with opened_engine(house.url) as engine, engine.connect() as connection:
        objects: dict[str, str] = (await connection.execute(query, {"game": game})).scalars().first() or {}
    path: Path = house.settings.objects_folder / next(iter(objects))
    path.rename(path.with_suffix(".hidden"))
    return path


def test_one_at_a_time_for_each_and_a_stopped_one_makes_room(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ExportSelection.model_validate({"format": "parquet", "ended_before": "2100-01-01T00:00:00Z"})
    monkeypatch.setattr("skill_arcade.web.exports.MAX_CONCURRENT_EXPORTS", 1)

    async def download() -> None:
        exports = Exports(house.settings)
        first = await exports.open("one", wanted, "ada")
        with pytest.raises(TooManyExports, match="of yours"):
            await exports.open("two", wanted, "ada")
        with pytest.raises(TooManyExports, match="Others are downloading"):
            await exports.open("three", wanted, "bob")
        await first.close()
        assert (first.state, "stopped" in exports.progress("one").message) == ("failed", True)
        second = await exports.open("four", wanted, "bob")
        assert zipfile.is_zipfile(io.BytesIO(b"".join([piece async for piece in second.chunks()])))
        await exports.stop()
        assert (second.state, exports.progress("never").state) == ("done", "unknown")

    asyncio.run(download())
