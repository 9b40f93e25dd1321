"""Ghosts: episodes that the page shows while a player plays the same game (rule O17)."""

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.environments.provenance import version_differences
from skill_arcade.errors import NotFound
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.games.manifest import Manifest, hash_manifest
from skill_arcade.play.assignment import Ghost
from skill_arcade.storage.database.queries import get_episode


async def find_ghost(
    connection: AsyncConnection, episode_id: UUID, catalogue: Catalogue, game: Manifest, options: Mapping[str, str]
) -> Ghost:
    """Return the ghost of a game with these options, with the seed of its episode if the settings of both agree.

    Raises:
        NotFound: the episode was erased since the ticket was issued.
    """
    try:
        episode = await get_episode(connection, episode_id)
    except NotFound:
        raise NotFound("The episode to race does not exist any more. Open the game without it.") from None
    # A daily challenge has settings of its own, and its seed is secret until its day is over.
    is_same = "daily" not in episode.provenance and has_same_settings(episode, catalogue, game, options)
    return Ghost(episode=episode_id, seed=episode.seed if is_same else None)


def has_same_settings(episode: Row[Any], catalogue: Catalogue, game: Manifest, options: Mapping[str, str]) -> bool:
    """Return whether the episode's seed would give the same game today: same manifest, options and packages."""
    then, provenance = episode.environment, episode.provenance
    alias = catalogue.aliases.get(episode.game_id)
    if alias is None:
        is_same_game = provenance.get("manifest_sha256") == hash_manifest(game, options)
    else:  # its manifest had another id, so only the environment can be compared
        environment = game.choose(options).environment
        is_same_game = (then.get("id"), then.get("kwargs") or {}) == (environment.id, environment.kwargs)
    recorded = {**({} if alias is None else alias.options), **(provenance.get("options") or {})}
    if not is_same_game or recorded != dict(options):
        return False
    if not {"packages", "python", "machine"} <= set(then):
        return False
    now = {
        "packages": {name: _find_version(name) for name in then["packages"]},
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
    }
    return not version_differences(then, now)


@cache
def _find_version(package: str) -> str | None:
    """Return the version of a package. It is read from its files once, because it does not change in this process."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
