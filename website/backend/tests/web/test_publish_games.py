"""The catalogue and its pictures as files beside the page."""

import json
from pathlib import Path

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.web.game_assets import GameAssets


def test_published_games_equal_listing_except_pictures(tmp_path: Path) -> None:
    assets = GameAssets(load_catalogue(None))
    assets.write(tmp_path)
    listed, published = json.loads(assets.listing.plain), json.loads((tmp_path / "games.json").read_bytes())
    pictures = ("cover", "preview")
    for one, other in zip(listed, published, strict=True):
        assert {**one, **dict.fromkeys(pictures)} == {**other, **dict.fromkeys(pictures)}
        for kind in pictures:
            assert (one[kind] is None) == (other[kind] is None)


def test_published_pictures_are_the_files_that_the_server_sends(tmp_path: Path) -> None:
    assets = GameAssets(load_catalogue(None))
    n_pictures = assets.write(tmp_path)
    published = json.loads((tmp_path / "games.json").read_bytes())
    files = {game[kind] for game in published for kind in ("cover", "preview") if game[kind]}
    assert len(files) == n_pictures > 100
    for game in published:
        cover = assets.cover(game["id"])
        if cover is not None:
            assert (tmp_path / game["cover"].removeprefix("/")).read_bytes() == cover.plain
