"""Makes sets: draws items from the database, and stores them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.games.manifest import RealTime
from skill_arcade.judgements.draw import Candidate, Clip, draw_items, hash_set
from skill_arcade.judgements.schema import TURN_BASED_FRAMES_PER_SECOND, SetSpecification
from skill_arcade.storage.database.dataset_versions import get_version
from skill_arcade.storage.database.judgements import SCOPES_OF_AUDIENCE, add_set, list_candidates, read_rewards
from skill_arcade.storage.objects import ObjectStore

MIN_FRAMES = 2
"""Least number of frames of a clip: one step."""


async def make_set(
    connection: AsyncConnection, objects: ObjectStore, catalogue: Catalogue, name: str, specification: SetSpecification
) -> Row[Any]:
    """Draw a set and store it. Return its row.

    Raises:
        InvalidRequest: too few recordings may be used for it, or clips are too short.
        NameTaken: a set has this name.
        NotFound: there is no such game or dataset.
    """
    found = catalogue.find(specification.game)
    if found is None:
        raise NotFound(f"There is no game {specification.game!r}. `skill-arcade games list` lists the games.")
    game = found[0]
    pace = game.pace
    own_pace = pace.hz if isinstance(pace, RealTime) else TURN_BASED_FRAMES_PER_SECOND
    frames_per_second = specification.frames_per_second or own_pace
    n_frames = round(specification.seconds * frames_per_second)
    if n_frames < MIN_FRAMES:
        raise InvalidRequest(
            f"Clips of {specification.seconds:g} s have {n_frames} frames at {frames_per_second:g} frames per second, "
            f"and need {MIN_FRAMES}. Choose longer clips."
        )
    version_id, reference = None, specification.dataset
    if reference is not None:
        version_id, reference = await _find_version(connection, reference)
    rows = await list_candidates(
        connection,
        game=game.id,
        n_frames=n_frames,
        sources=specification.sources,
        has_branches=specification.branches,
        version_id=version_id,
        scopes=SCOPES_OF_AUDIENCE[specification.audience],
    )
    candidates = [Candidate(row.id, row.n_steps) for row in rows]
    rewards: dict[UUID, list[float]] = {}
    if specification.n_gold:
        for candidate in candidates:
            rewards[candidate.episode_id] = await read_rewards(connection, objects, candidate.episode_id)

    def sum_rewards(clip: Clip) -> float:
        return sum(rewards[clip.episode_id][clip.frame_from : clip.frame_to - 1])

    items = draw_items(specification.model_copy(update={"game": game.id}), candidates, n_frames, sum_rewards)
    content = specification.model_dump(mode="json") | {"game": game.id, "dataset": reference}
    values = {
        "name": name,
        "sha256": hash_set(content, items),
        "kind": specification.kind,
        "audience": specification.audience,
        "content": content,
        "game_id": game.id,
        "n_items": specification.items,
        "n_repeats": specification.n_repeats,
        "n_frames": n_frames,
        "frames_per_second": frames_per_second,
    }
    stored = [
        {
            "gold": item.gold,
            "repeat_of": item.repeat_of,
            "clips": [
                {"episode_id": clip.episode_id, "frame_from": clip.frame_from, "frame_to": clip.frame_to}
                for clip in item.clips
            ],
        }
        for item in items
    ]
    return await add_set(connection, values, stored)


async def _find_version(connection: AsyncConnection, reference: str) -> tuple[UUID, str]:
    """Return the id of a version of a saved dataset, and its name with its number."""
    name, at, number = reference.partition("@")
    if not name or (at and not number.isdecimal()):
        raise InvalidRequest(f"{reference!r} is no version of a dataset. Write NAME, or NAME@2 for version 2.")
    version = await get_version(connection, name, int(number) if at else None)
    return version.id, f"{name}@{version.number}"
