"""A picture of each game, for the page's cards."""

from collections.abc import Iterable
from pathlib import Path

import skill_arcade.games
from skill_arcade.web.assets import Asset, read_asset

GAMES = Path(skill_arcade.games.__file__).parent
# The first that is there is taken.
SUFFIXES = (".webp", ".png")


class Covers:
    """The covers of these games, in memory: a few kilobytes each."""

    def __init__(self, game_ids: Iterable[str], folder: Path | None = None) -> None:
        """Read the files `covers/{game_id}.webp` or `.png` of the games' folder; none given: this package's."""
        covers = (folder or GAMES) / "covers"
        self._assets: dict[str, Asset] = {}
        for game_id in game_ids:
            paths = [covers / f"{game_id}{suffix}" for suffix in SUFFIXES]
            there = [path for path in paths if path.is_file()]
            if there:
                self._assets[game_id] = read_asset(there[0])

    def find(self, game_id: str) -> Asset | None:
        """Return a game's picture; None when none was made."""
        return self._assets.get(game_id)

    def path(self, game_id: str) -> str | None:
        """Return where the server has the picture; the address changes when the picture does."""
        asset = self._assets.get(game_id)
        return None if asset is None else f"/games/{game_id}/cover?v={asset.tag[:8]}"
