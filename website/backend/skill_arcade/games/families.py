"""Families of games: one file for games that share most of their fields.

A family is a mapping with `games` (fields by the game's id), `family` (fields that all of them have) and `facts` (name
of a JSON file beside it, which a program wrote, with fields by the game's id). A game's own fields come last. Its tags
are added to those of the family.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from skill_arcade.errors import ManifestError


def is_family(content: Mapping[str, Any]) -> bool:
    """Return whether a file's content is a family rather than one game."""
    return "games" in content


def expand_family(path: Path, content: Mapping[str, Any], *, with_facts: bool = True) -> dict[str, dict[str, Any]]:
    """Return the fields of each game of a family, by its id.

    Raises:
        ManifestError: the file is not a family, or its facts cannot be read.
    """
    if unknown := content.keys() - {"family", "facts", "games"}:
        raise ManifestError(f"{path}: unknown field {', '.join(sorted(map(str, unknown)))} beside games.")
    shared, games = content.get("family") or {}, content["games"]
    if not isinstance(shared, Mapping) or not isinstance(games, Mapping):
        raise ManifestError(f"{path}: family and games are mappings.")
    facts = _read_facts(path.parent / content["facts"]) if with_facts and "facts" in content else {}
    expanded = {}
    for game, fields in games.items():
        if not isinstance(fields, Mapping):
            raise ManifestError(f"{path}: {game}: not a mapping of fields to values.")
        tags = [*shared.get("tags", ()), *fields.get("tags", ())]
        expanded[str(game)] = {**merge(merge(shared, facts.get(game, {})), fields), "tags": tags}
    if without := facts.keys() - expanded.keys():
        raise ManifestError(f"{path}: {content['facts']} has {', '.join(sorted(without))}, which is no game here.")
    return expanded


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes`: mappings are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(cast(Mapping[str, Any], old), value) if both else value
    return merged


def format_facts(facts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a file of facts: a line for each game."""
    lines = (f"  {json.dumps(game)}: {json.dumps(fields)}" for game, fields in facts.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _read_facts(path: Path) -> dict[str, dict[str, Any]]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: cannot read the facts of the family: {error}") from error
    if not isinstance(facts, dict) or not all(isinstance(one, dict) for one in facts.values()):
        raise ManifestError(f"{path}: not a mapping of games to fields.")
    return facts
