"""The games of the catalogue, for tests that only read them."""

from collections.abc import Mapping
from functools import cache

from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.games.manifest import Manifest


@cache
def load_games() -> Mapping[str, Manifest]:
    """Return the games by id, loaded once in this process, which takes 0.1 s. They are immutable."""
    return load_catalogue().games
