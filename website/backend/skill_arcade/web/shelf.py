"""The games as the page shows them, made ready once: the catalogue does not change while the server runs."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

import skill_arcade.games
from skill_arcade.games.manifest import Manifest
from skill_arcade.web.assets import Asset, make_asset, read_asset
from skill_arcade.web.models import Game

GAMES = Path(skill_arcade.games.__file__).parent
# The first that is there is taken.
SUFFIXES = (".webp", ".png")


class Shelf:
    """Every game in words, its cover, and the whole list as it is sent: a few kilobytes a game."""

    def __init__(self, manifests: Mapping[str, Manifest], folder: Path | None = None) -> None:
        """Read the files `covers/{game_id}.webp` or `.png` of the games' folder; none given: this package's."""
        covers = (folder or GAMES) / "covers"
        self._covers = {id_: cover for id_ in manifests if (cover := _read_cover(covers, id_)) is not None}
        self._games = {id_: self._describe(manifest) for id_, manifest in manifests.items()}
        self.listing = make_asset(TypeAdapter(list[Game]).dump_json([*self._games.values()]), "application/json")

    def game(self, game_id: str) -> Game | None:
        """Return a game in words; None when there is none by this id."""
        return self._games.get(game_id)

    def cover(self, game_id: str) -> Asset | None:
        """Return a game's picture; None when none was made."""
        return self._covers.get(game_id)

    def _describe(self, manifest: Manifest) -> Game:
        """Put a manifest as the page needs it. The cover's address changes when the picture does."""
        cover = self._covers.get(manifest.id)
        address = None if cover is None else f"/games/{manifest.id}/cover?v={cover.tag[:8]}"
        return Game.model_validate({**manifest.model_dump(), "cover": address})


def _read_cover(folder: Path, game_id: str) -> Asset | None:
    paths = (folder / f"{game_id}{suffix}" for suffix in SUFFIXES)
    there = next((path for path in paths if path.is_file()), None)
    return None if there is None else read_asset(there)
