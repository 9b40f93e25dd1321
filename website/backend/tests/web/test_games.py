"""Which games there are, and what they look like."""

from pathlib import Path

import pytest
from sqlalchemy import text

from skill_arcade.games.manifest import Manifest
from skill_arcade.web.covers import Covers
from skill_arcade.web.models import Game
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio


async def test_every_game_of_the_catalogue_is_listed_as_its_manifest_says(arcade: Visitor) -> None:
    games = {game["id"]: game for game in (await arcade.http.get("/games")).json()}
    assert list(games) == list(arcade.state.catalogue.games) == ["frozen-lake", "pong"]
    assert games["pong"]["pace"] == {"kind": "real-time", "hz": 60}
    assert games["frozen-lake"]["pace"] == {"kind": "turn-based"}
    for id_, manifest in arcade.state.catalogue.games.items():
        assert set(games[id_]) == set(Game.model_fields)
        said = manifest.model_dump(mode="json")
        assert {key: games[id_][key] for key in Game.model_fields if key != "cover"} == {
            key: said[key] for key in Game.model_fields if key != "cover"
        }
        assert (await arcade.http.get(f"/games/{id_}")).json() == games[id_]


async def test_the_list_needs_no_sign_in_and_an_unknown_game_is_404_in_words(arcade: Visitor) -> None:
    answer = await arcade.http.get("/games/%00..%2f")
    assert answer.status_code == 404
    answer = await arcade.http.get("/games/tennis-for-two")
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "NotFound",
        "message": "There is no game 'tennis-for-two' here; GET /games lists them.",
    }


async def test_the_catalogue_is_written_down_at_the_start(arcade: Visitor) -> None:
    async with arcade.state.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT id, config FROM game"))).all()
    assert {row.id: Manifest.model_validate(row.config) for row in rows} == arcade.state.catalogue.games


async def test_a_cover_may_be_kept_for_good_at_the_address_that_the_list_gives(arcade: Visitor) -> None:
    address = (await arcade.http.get("/games/pong")).json()["cover"]
    answer = await arcade.http.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    bare = await arcade.http.get("/games/pong/cover")
    assert bare.content == answer.content
    assert bare.headers["cache-control"] == "no-cache"
    known = {"if-none-match": bare.headers["etag"]}
    assert (await arcade.http.get("/games/pong/cover", headers=known)).status_code == 304


async def test_a_game_without_a_picture_says_so(arcade: Visitor) -> None:
    assert (await arcade.http.get("/games/frozen-lake")).json()["cover"] is None
    for game, message in {
        "frozen-lake": "No picture was made of the game 'frozen-lake'.",
        "tennis-for-two": "There is no game 'tennis-for-two' here; GET /games lists them.",
    }.items():
        answer = await arcade.http.get(f"/games/{game}/cover")
        assert answer.status_code == 404
        assert answer.json()["message"] == message


def test_a_cover_is_webp_before_png_and_its_address_follows_from_its_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "covers"
    folder.mkdir()
    (folder / "pong.png").write_bytes(b"png")
    (folder / "pong.webp").write_bytes(b"webp")
    (folder / "hanoi.png").write_bytes(b"hanoi")
    covers = Covers(["pong", "hanoi", "chess"], tmp_path)
    found = covers.find("pong")
    assert found is not None
    assert (found.kind, found.plain, found.small) == ("image/webp", b"webp", None)
    assert covers.find("chess") is None
    assert covers.path("chess") is None
    before = covers.path("hanoi")
    (folder / "hanoi.png").write_bytes(b"HANOI")
    assert before != Covers(["hanoi"], tmp_path).path("hanoi")
