"""The game list, covers and previews."""

import pytest
from sqlalchemy import text

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest
from skill_arcade.settings import Settings
from skill_arcade.web.game_assets import GameAssets
from skill_arcade.web.models.games import Game
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio


async def test_list_games_equals_manifests(arcade: Visitor) -> None:
    games = {game["id"]: game for game in (await arcade.http.get("/games")).json()}
    assert list(games) == list(arcade.state.catalogue.games) == ["frozen-lake", "pong"]
    assert games["pong"]["pace"] == {"kind": "real-time", "hz": 60}
    assert games["frozen-lake"]["pace"] == {"kind": "turn-based"}
    assert games["pong"]["options"] == [
        {"name": "difficulty", "label": "Difficulty", "values": ["0", "1"], "labels": ["0", "1"], "default": None},
        {"name": "speed", "label": "Speed", "values": ["0.5", "1"], "labels": ["0.5", "1"], "default": None},
    ]
    for id_, manifest in arcade.state.catalogue.games.items():
        assert set(games[id_]) == set(Game.model_fields)
        manifest_fields = manifest.model_dump(mode="json")
        shared_fields = [
            key for key in Game.model_fields if key not in ("cover", "preview", "pace", "options", "aliases", "agents")
        ]
        assert {key: games[id_][key] for key in shared_fields} == {key: manifest_fields[key] for key in shared_fields}
        assert (await arcade.http.get(f"/games/{id_}")).json() == games[id_]


async def test_game_with_variants_names_them_its_default_and_its_former_ids(arcade: Visitor) -> None:
    lake = (await arcade.http.get("/games/frozen-lake")).json()
    labels = ["4 \N{MULTIPLICATION SIGN} 4", "8 \N{MULTIPLICATION SIGN} 8"]
    values = ["4x4", "8x8"]
    assert lake["options"] == [{"name": "map", "label": "Map", "values": values, "labels": labels, "default": "4x4"}]
    assert lake["aliases"] == [{"id": "frozen-lake-8x8", "options": {"map": "8x8"}}]
    assert (await arcade.http.get("/games/frozen-lake-8x8")).json() == lake


async def test_former_id_is_stored_with_its_game_and_options(arcade: Visitor) -> None:
    async with arcade.state.engine.connect() as connection:
        query = text("SELECT id, alias_of, alias_options, config FROM game WHERE alias_of IS NOT NULL")
        [row] = (await connection.execute(query)).all()
    assert (row.id, row.alias_of, row.alias_options) == ("frozen-lake-8x8", "frozen-lake", {"map": "8x8"})
    assert Manifest.model_validate(row.config).environment.kwargs == {"map_name": "8x8"}


async def test_unknown_game_answers_404(arcade: Visitor) -> None:
    answer = await arcade.http.get("/games/%00..%2f")
    assert answer.status_code == 404
    answer = await arcade.http.get("/games/tennis-for-two")
    assert answer.status_code == 404
    assert answer.json()["error"] == "NotFound"
    assert "tennis-for-two" in answer.json()["message"]


async def test_catalogue_is_stored_at_startup(arcade: Visitor) -> None:
    async with arcade.state.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT id, config FROM game WHERE alias_of IS NULL"))).all()
    assert {row.id: Manifest.model_validate(row.config) for row in rows} == arcade.state.catalogue.games


async def test_cover_with_version_is_immutable(arcade: Visitor) -> None:
    address = (await arcade.http.get("/games/pong")).json()["cover"]
    answer = await arcade.http.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert "immutable" in answer.headers["cache-control"]
    unversioned = await arcade.http.get("/games/pong/cover")
    assert unversioned.content == answer.content
    assert unversioned.headers["cache-control"] == "no-cache"
    cached_headers = {"if-none-match": unversioned.headers["etag"]}
    assert (await arcade.http.get("/games/pong/cover", headers=cached_headers)).status_code == 304


async def test_missing_cover_answers_404(arcade: Visitor) -> None:
    assert (await arcade.http.get("/games/frozen-lake")).json()["cover"] is None
    for game in ("frozen-lake", "tennis-for-two"):
        answer = await arcade.http.get(f"/games/{game}/cover")
        assert answer.status_code == 404
        assert game in answer.json()["message"]


async def test_list_games_is_compressed_and_has_etag(arcade: Visitor) -> None:
    answer = await arcade.http.get("/games")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "application/json"
    cached_headers = {"if-none-match": answer.headers["etag"]}
    assert (await arcade.http.get("/games", headers=cached_headers)).status_code == 304
    uncompressed = await arcade.http.get("/games", headers={"accept-encoding": "identity"})
    assert uncompressed.json() == answer.json()


def test_cover_prefers_webp_and_its_url_changes_with_content(settings: Settings) -> None:
    catalogue = load_catalogue(settings.games_folder)
    assert settings.games_folder is not None
    folder = settings.games_folder / "covers"
    (folder / "pong.png").write_bytes(b"png")
    cover = GameAssets(catalogue, settings.games_folder).cover("pong")
    assert cover is not None
    assert cover.kind == "image/webp"
    (folder / "frozen-lake.png").write_bytes(b"ice")
    before = GameAssets(catalogue, settings.games_folder).game("frozen-lake")
    (folder / "frozen-lake.png").write_bytes(b"ICE")
    after = GameAssets(catalogue, settings.games_folder).game("frozen-lake")
    assert before is not None
    assert after is not None
    assert before.cover != after.cover
