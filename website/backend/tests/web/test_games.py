"""Which games there are, and what they look like."""

import pytest
from sqlalchemy import text

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.settings import Settings
from skill_arcade.web.game_assets import GameAssets
from skill_arcade.web.models import Game
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio


async def test_every_game_of_the_catalogue_is_listed_as_its_manifest_says(arcade: Visitor) -> None:
    games = {game["id"]: game for game in (await arcade.http.get("/games")).json()}
    assert list(games) == list(arcade.state.catalogue.games) == ["frozen-lake", "pong"]
    assert games["pong"]["pace"] == {"kind": "real-time", "hz": 60}
    assert games["frozen-lake"]["pace"] == {"kind": "turn-based"}
    assert games["pong"]["options"] == [
        {"name": "difficulty", "label": "Difficulty", "values": ["0", "1"]},
        {"name": "speed", "label": "Speed", "values": ["0.5", "1"]},
    ]
    for id_, manifest in arcade.state.catalogue.games.items():
        assert set(games[id_]) == set(Game.model_fields)
        said = manifest.model_dump(mode="json")
        same = [key for key in Game.model_fields if key not in ("cover", "preview", "pace", "options")]
        assert {key: games[id_][key] for key in same} == {key: said[key] for key in same}
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


async def test_the_list_is_sent_shrunk_and_only_when_it_changed(arcade: Visitor) -> None:
    answer = await arcade.http.get("/games")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "application/json"
    known = {"if-none-match": answer.headers["etag"]}
    assert (await arcade.http.get("/games", headers=known)).status_code == 304
    plain = await arcade.http.get("/games", headers={"accept-encoding": "identity"})
    assert plain.json() == answer.json()


def test_a_cover_is_webp_before_png_and_its_address_follows_from_its_bytes(settings: Settings) -> None:
    manifests = load_catalogue(settings.games_folder).games
    assert settings.games_folder is not None
    folder = settings.games_folder / "covers"
    (folder / "pong.png").write_bytes(b"png")
    found = GameAssets(manifests, settings.games_folder).cover("pong")
    assert found is not None
    assert found.kind == "image/webp"
    (folder / "frozen-lake.png").write_bytes(b"ice")
    before = GameAssets(manifests, settings.games_folder).game("frozen-lake")
    (folder / "frozen-lake.png").write_bytes(b"ICE")
    after = GameAssets(manifests, settings.games_folder).game("frozen-lake")
    assert before is not None
    assert after is not None
    assert before.cover != after.cover
