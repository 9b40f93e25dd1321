"""Precomputed game list, covers and previews. The catalogue does not change while the server runs."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter

import skill_arcade.games
from skill_arcade.agents.catalogue import AGENTS
from skill_arcade.games.catalogue import Catalogue, list_aliases
from skill_arcade.games.manifest import Manifest, Variant, format_label
from skill_arcade.games.texts import label_option
from skill_arcade.web.assets import Asset, make_asset, read_asset
from skill_arcade.web.models.games import Game

DEFAULT_FOLDER = Path(skill_arcade.games.__file__).parent
# In order of preference.
SUFFIXES = (".webp", ".png")


class GameAssets:
    """All games as the API describes them, their pictures, and the serialized list: some kilobytes per game."""

    def __init__(self, catalogue: Catalogue, folder: Path | None = None) -> None:
        """Read `covers/{game_id}` and `previews/{game_id}` in `folder`, or in this package's folder if it is None."""
        self._covers = _read_pictures((folder or DEFAULT_FOLDER) / "covers", catalogue.games)
        self._previews = _read_pictures((folder or DEFAULT_FOLDER) / "previews", catalogue.games)
        self._games = {id_: self._describe(manifest) for id_, manifest in catalogue.games.items()}
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

    def write(self, folder: Path) -> int:
        """Write the list and all pictures into the folder of a built page, and return the number of pictures.

        A page whose config.json has `gamesUrl` reads them from its own site instead of this server. The pictures are
        named after their content, in the folder whose files may be cached for ever.
        """
        listing, n_pictures = [], 0
        (folder / "assets").mkdir(parents=True, exist_ok=True)
        for id_, game in self._games.items():
            names: dict[str, str] = {}
            for kind, pictures in (("cover", self._covers), ("preview", self._previews)):
                if (picture := pictures.get(id_)) is not None:
                    names[kind] = f"/assets/{id_}-{kind}-{picture.tag[:8]}.{picture.kind.removeprefix('image/')}"
                    (folder / names[kind].removeprefix("/")).write_bytes(picture.plain)
                    n_pictures += 1
            listing.append(game.model_copy(update=names))
        (folder / "games.json").write_bytes(TypeAdapter(list[Game]).dump_json(listing))
        return n_pictures

    def _describe(self, manifest: Manifest) -> Game:
        """Convert a manifest for the API. The URL of a picture changes with its content."""
        pictures = {"cover": self._covers.get(manifest.id), "preview": self._previews.get(manifest.id)}
        urls = {
            kind: None if picture is None else f"/games/{manifest.id}/{kind}?v={picture.tag[:8]}"
            for kind, picture in pictures.items()
        }
        aliases = [{"id": id_, "options": alias.options} for id_, alias in list_aliases(manifest).items()]
        described = {**manifest.model_dump(), "options": list(_describe_options(manifest)), "aliases": aliases}
        described["agents"] = [
            {"name": agent.name, "summary": agent.summary}
            for agent in AGENTS
            if agent.plays(manifest) and agent.missing_package is None
        ]
        return Game.model_validate({**described, **urls})


def _describe_options(manifest: Manifest) -> Iterable[dict[str, object]]:
    for name, values in manifest.choices().items():
        variants = manifest.variants().get(name, {})
        yield {
            "name": name,
            "label": label_option(name),
            "values": list(values),
            "labels": [_describe_value(value, variants.get(value)) for value in values],
            "default": manifest.default_value(name),
        }


def _describe_value(value: str, variant: Variant | None) -> str:
    return (variant and variant.label) or format_label(value)


def _read_pictures(folder: Path, game_ids: Iterable[str]) -> dict[str, Asset]:
    assets = {}
    for game_id in game_ids:
        candidates = (folder / f"{game_id}{suffix}" for suffix in SUFFIXES)
        path = next((candidate for candidate in candidates if candidate.is_file()), None)
        if path is not None:
            assets[game_id] = read_asset(path)
    return assets
