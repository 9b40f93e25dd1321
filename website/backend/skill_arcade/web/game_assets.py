"""Precomputed game list, covers and previews. The catalogue does not change while the server runs."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import TypeAdapter

import skill_arcade.games
from skill_arcade.games.manifest import Manifest
from skill_arcade.web.assets import Asset, make_asset, read_asset
from skill_arcade.web.models import Game

DEFAULT_FOLDER = Path(skill_arcade.games.__file__).parent
# In order of preference.
SUFFIXES = (".webp", ".png")


class GameAssets:
    """All games as the API describes them, their pictures, and the serialized list: some kilobytes per game."""

    def __init__(self, manifests: Mapping[str, Manifest], folder: Path | None = None) -> None:
        """Read `covers/{game_id}` and `previews/{game_id}` in `folder`, or in this package's folder if it is None."""
        self._covers = _read_pictures((folder or DEFAULT_FOLDER) / "covers", manifests)
        self._previews = _read_pictures((folder or DEFAULT_FOLDER) / "previews", manifests)
        self._games = {id_: self._describe(manifest) for id_, manifest in manifests.items()}
        self.listing = make_asset(TypeAdapter(list[Game]).dump_json([*self._games.values()]), "application/json")

    def game(self, game_id: str) -> Game | None:
        """Return a game, or None if there is none with this id."""
        return self._games.get(game_id)

    def cover(self, game_id: str) -> Asset | None:
        """Return a game's picture, or None if it has none."""
        return self._covers.get(game_id)

    def preview(self, game_id: str) -> Asset | None:
        """Return a game's animated preview, or None if it has none."""
        return self._previews.get(game_id)

    def _describe(self, manifest: Manifest) -> Game:
        """Convert a manifest for the API. The URL of a picture changes with its content."""
        pictures = {"cover": self._covers.get(manifest.id), "preview": self._previews.get(manifest.id)}
        urls = {
            kind: None if picture is None else f"/games/{manifest.id}/{kind}?v={picture.tag[:8]}"
            for kind, picture in pictures.items()
        }
        options = [
            {"name": name, "label": name.replace("_", " ").capitalize(), "values": list(values)}
            for name, values in manifest.choices().items()
        ]
        return Game.model_validate({**manifest.model_dump(), "options": options, **urls})


def _read_pictures(folder: Path, game_ids: Iterable[str]) -> dict[str, Asset]:
    assets = {}
    for game_id in game_ids:
        candidates = (folder / f"{game_id}{suffix}" for suffix in SUFFIXES)
        path = next((candidate for candidate in candidates if candidate.is_file()), None)
        if path is not None:
            assets[game_id] = read_asset(path)
    return assets
