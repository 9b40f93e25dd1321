"""Saved datasets over HTTP, from a real server: save the filters in view, list, compare, download twice."""

import asyncio
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import URL

from skill_arcade.storage.database.queries import upsert_games, upsert_user
from tests.support import session_harness
from tests.support.arcade import running_arcade
from tests.support.database import execute, fresh_database, opened_engine

MEASURE_SECONDS = 60


@pytest.fixture(scope="module")
def server(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, URL]]:
    """A client of a researcher at a server with three measured episodes of two players."""
    home = tmp_path_factory.mktemp("datasets")
    with fresh_database(postgres) as url:
        environment = {
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "RESEARCHER_EMAILS": "rosa@example.org",
            "CERTIFIER": "false",
        }
        asyncio.run(upload_episodes(url, home))
        with running_arcade(home, None, **environment) as arcade, httpx.Client(base_url=arcade.url, timeout=60) as http:
            token = http.post("/auth/login", json={"email": "rosa@example.org"}).json()["token"]
            http.headers["authorization"] = f"Bearer {token}"
            end = time.monotonic() + MEASURE_SECONDS
            while http.get("/research/measures").json()["unmeasured"]:
                assert time.monotonic() < end
                time.sleep(0.1)
            yield http, url


async def upload_episodes(url: URL, home: Path) -> None:
    journal = home / "played"
    session_harness.play_breakout(journal, 30, user_id="ada")
    session_harness.play_hanoi(journal, user_id="ada")
    session_harness.play_cart_pole(journal, user_id="bob")
    async with opened_engine(url) as engine:
        async with engine.begin() as connection:
            await upsert_user(connection, "ada", "ada@example.org")
            await upsert_user(connection, "bob", "bob@example.org")
            await upsert_games(connection, {name: {} for name in ("breakout", "tower-of-hanoi", "cart-pole")})
        await session_harness.upload_all(journal, home / "objects", engine)


def save(http: httpx.Client, name: str, **filters: Any) -> dict[str, Any]:
    body = {"name": name, "title": f"About {name}", "scope": "research", "filters": urlencode(filters)}
    answer = http.post("/research/datasets", json=body)
    assert answer.status_code == 200, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


def test_saved_filters_become_versions_that_are_listed_and_compared(server: tuple[httpx.Client, URL]) -> None:
    http, _ = server
    first = save(http, "listed", game="breakout")
    assert (first["number"], first["n_episodes"], first["removed_since"]) == (1, 1, 0)
    assert [game["game_id"] for game in first["games"]] == ["breakout"]
    assert "title: About listed" in first["citation"]
    second = save(http, "listed")
    assert (second["number"], second["n_episodes"], second["n_players"]) == (2, 3, 2)
    assert http.get("/research/datasets/listed/1").json() == first
    listed = [one["number"] for one in http.get("/research/datasets").json() if one["dataset_name"] == "listed"]
    assert listed == [2, 1]
    compared = http.get("/research/datasets/listed/1/comparison", params={"other": "listed@2"}).json()
    assert (compared["same"], compared["only_first"], compared["only_second"]) == (1, 0, 2)


def test_downloads_of_a_version_have_same_bytes(server: tuple[httpx.Client, URL]) -> None:
    http, _ = server
    save(http, "twice")
    digests = set()
    for _ in range(2):
        ticket = http.post("/research/datasets/twice/1/exports", json={"format": "parquet"}).json()
        assert (ticket["episodes"], ticket["players"]) == (3, 2)
        answer = http.get(ticket["address"])
        assert answer.headers["content-disposition"] == 'attachment; filename="twice-1-parquet.zip"'
        digests.add(hashlib.sha256(answer.content).hexdigest())
        assert http.get(ticket["progress"]).json()["state"] == "done"
    assert len(digests) == 1
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        manifest = json.loads(archive.read("twice-1-parquet/manifest.json"))
        assert "twice-1-parquet/CITATION.cff" in archive.namelist()
    assert (manifest["dataset"]["name"], manifest["dataset"]["version"]) == ("twice", 1)


def test_download_of_a_version_that_lost_an_episode_is_refused(server: tuple[httpx.Client, URL]) -> None:
    http, url = server
    save(http, "lost")
    change = "UPDATE transition SET shown_us = coalesce(shown_us, 0) + {} WHERE step = 1"
    asyncio.run(execute(url, change.format(1)))
    try:
        ticket = http.post("/research/datasets/lost/1/exports", json={"format": "parquet"}).json()
        answer = http.get(ticket["address"])
        assert (answer.status_code, "have changed since" in answer.json()["message"]) == (422, True)
    finally:
        asyncio.run(execute(url, change.format(-1)))


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"name": "No Name"}, 422, "name"),
        ({"scope": "boards"}, 422, "scope"),
        ({"filters": "game=x' OR 'a' = 'a"}, 422, "game"),
        ({"filters": "players=programs"}, 422, "recordings of people"),
        ({"filters": "game=pong"}, 422, "No ended episode"),
    ],
)
def test_invalid_save_is_rejected(
    server: tuple[httpx.Client, URL], changes: dict[str, Any], status: int, reason: str
) -> None:
    body = {"name": "wrong", "title": "", "scope": "research", "filters": "", **changes}
    answer = server[0].post("/research/datasets", json=body)
    assert answer.status_code == status
    assert reason in answer.text


def test_datasets_are_for_researchers_only(server: tuple[httpx.Client, URL]) -> None:
    http, _ = server
    token = http.post("/auth/login", json={"email": "ada@example.org"}).json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    body = {"name": "mine", "title": "", "scope": "research", "filters": ""}
    assert http.post("/research/datasets", json=body, headers=headers).status_code == 403
    for path in ("/research/datasets", "/research/datasets/twice/1"):
        assert http.get(path, headers=headers).status_code == 403
    assert http.get("/research/datasets/absent/1").status_code == 404
