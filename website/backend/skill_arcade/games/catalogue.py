"""Loads and validates the manifests of a folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from pydantic import ValidationError

from skill_arcade.errors import ManifestError
from skill_arcade.games.families import expand_family, is_family
from skill_arcade.games.manifest import Manifest

MANIFESTS = Path(__file__).parent / "manifests"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml if PyYAML was built with it: 0.03 s for the whole catalogue instead of 0.26 s."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A former id of a game, with the options that give the game that it named."""

    game_id: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Games by id, in the order of their ids, and their former ids."""

    games: Mapping[str, Manifest]
    aliases: Mapping[str, Alias] = field(default_factory=dict)

    def current_id(self, game_id: str) -> str:
        """Return the id of the game with this id or former id; an unknown id is returned as it is."""
        return self.aliases[game_id].game_id if game_id in self.aliases else game_id

    def resolve(self, game_id: str, options: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Return id and options under which a recorded episode counts today. Unknown ids and options are kept."""
        alias = self.aliases.get(game_id)
        return (game_id, dict(options)) if alias is None else (alias.game_id, {**alias.options, **options})

    def find(self, game_id: str, options: Mapping[str, str] | None = None) -> tuple[Manifest, dict[str, str]] | None:
        """Return the game with this id or former id and its chosen options, or None if there is none.

        The options of a former id hold where `options` chooses nothing else. They are normalized.

        Raises:
            InvalidRequest: the game has no such option or value.
        """
        alias = self.aliases.get(game_id) or Alias(game_id, {})
        game = self.games.get(alias.game_id)
        return None if game is None else (game, game.normalize_options({**alias.options, **(options or {})}))


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Load every `*.yaml` of a folder, by default the games of this package.

    Raises:
        ManifestError: a manifest is invalid, or an id or alias is used twice; the message names file, field and reason.
    """
    games: dict[str, Manifest] = {}
    for path in sorted((folder or MANIFESTS).glob("*.yaml")):
        for game, manifest in load_manifests(path).items():
            if game in games:
                raise ManifestError(f"{path}: {game}: another file has a game with this id.")
            games[game] = manifest
    return Catalogue(MappingProxyType({game: games[game] for game in sorted(games)}), _collect_aliases(games))


def list_aliases(game: Manifest) -> dict[str, Alias]:
    """Return the former ids of a game."""
    return {
        variant.alias: Alias(game.id, game.normalize_options({option: value}))
        for option, variants in game.variants().items()
        for value, variant in variants.items()
        if variant.alias is not None
    }


def _collect_aliases(games: Mapping[str, Manifest]) -> Mapping[str, Alias]:
    aliases: dict[str, Alias] = {}
    for game in games.values():
        given = [variant.alias for variants in game.variants().values() for variant in variants.values()]
        for alias in given:
            if alias is not None and (alias in games or alias in aliases or given.count(alias) > 1):
                raise ManifestError(f"{game.id}: alias: {alias!r} is already the id or the former id of a game.")
        aliases |= list_aliases(game)
    return MappingProxyType({alias: aliases[alias] for alias in sorted(aliases)})


def load_manifests(path: Path) -> dict[str, Manifest]:
    """Load the games of one file, by id: a family, or one game whose id is the file's name.

    Raises:
        ManifestError: it is invalid.
    """
    content = read_manifest_file(path)
    if is_family(content):
        games = expand_family(path, content)
        return {game: _validate(f"{path}: {game}", game, fields) for game, fields in games.items()}
    return {path.stem: _validate(str(path), path.stem, content)}


def read_manifest_file(path: Path) -> dict[str, Any]:
    """Return the content of a file of manifests.

    Raises:
        ManifestError: it is no YAML, or not a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), LOADER)  # both are safe loaders
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: invalid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ManifestError(f"{path}: not a mapping of fields to values.")
    return content


def _validate(place: str, game: str, fields: Mapping[str, Any]) -> Manifest:
    if "id" in fields:
        raise ManifestError(f"{place}: id: the id is the name {game!r}; remove the field.")
    try:
        return Manifest.model_validate({"id": game, **fields})
    except ValidationError as error:
        raise ManifestError(f"{place}: {'; '.join(_format_error(fault) for fault in error.errors())}") from error


def _format_error(fault: Mapping[str, object]) -> str:
    """Return one error as `field: reason`."""
    where = fault["loc"]
    assert isinstance(where, tuple)
    field = ".".join(str(step) for step in where)
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return f"{field}: {reason}" if field else reason
