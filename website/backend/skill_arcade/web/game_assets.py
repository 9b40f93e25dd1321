"""The games as the page shows them, made ready once: the catalogue does not change while the server runs."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import TypeAdapter

import skill_arcade.games
from skill_arcade.games.manifest import Manifest
from skill_arcade.web.assets import Asset, make_asset, read_asset
from skill_arcade.web.models import Game

GAMES = Path(skill_arcade.games.__file__).parent
# The first that is there is taken.
SUFFIXES = (".webp", ".png")


class GameAssets:
    """Every game in words, its pictures, and the whole list as it is sent: some kilobytes a game."""

    def __init__(self, manifests: Mapping[str, Manifest], folder: Path | None = None) -> None:
        """Read `covers/{game_id}` and `previews/{game_id}` of the games' folder; none given: this package's."""
        self._covers = _read_pictures((folder or GAMES) / "covers", manifests)
        self._previews = _read_pictures((folder or GAMES) / "previews", manifests)
        self._games = {id_: self._describe(manifest) for id_, manifest in manifests.items()}
        self.listing = make_asset(TypeAdapter(list[Game]).dump_json([*self._games.values()]), "application/json")

    def game(self, game_id: str) -> Game | None:
        """Return a game in words; None when there is none by this id."""
        return self._games.get(game_id)

    def cover(self, game_id: str) -> Asset | None:
        """Return a game's picture; None when none was made."""
        return self._covers.get(game_id)

    def preview(self, game_id: str) -> Asset | None:
        """Return a game's moving picture; None when none was made."""
        return self._previews.get(game_id)

    def _describe(self, manifest: Manifest) -> Game:
        """Put a manifest as the page needs it. A picture's address changes when the picture does."""
        pictures = {"cover": self._covers.get(manifest.id), "preview": self._previews.get(manifest.id)}
        addresses = {
            kind: None if picture is None else f"/games/{manifest.id}/{kind}?v={picture.tag[:8]}"
            for kind, picture in pictures.items()
        }
        options = [
            {"name": name, "label": name.replace("_", " ").capitalize(), "values": list(values)}
            for name, values in manifest.choices().items()
        ]
        return Game.model_validate({**manifest.model_dump(), "options": options, **addresses})


def _read_pictures(folder: Path, game_ids: Iterable[str]) -> dict[str, Asset]:
    found = {}
    for game_id in game_ids:
        paths = (folder / f"{game_id}{suffix}" for suffix in SUFFIXES)
        there = next((path for path in paths if path.is_file()), None)
        if there is not None:
            found[game_id] = read_asset(there)
    return found
