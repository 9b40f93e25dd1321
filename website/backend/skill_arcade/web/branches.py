"""Lets players begin a new episode at a frame of a recorded one (rule R31)."""

import asyncio
from collections.abc import Mapping
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.frames.apng import read_pictures
from skill_arcade.frames.picture import digest_picture
from skill_arcade.games.manifest import Manifest
from skill_arcade.play.assignment import Branch
from skill_arcade.storage.database.branches import find_frame, read_line
from skill_arcade.storage.database.queries import get_episode
from skill_arcade.web.ghosts import has_same_settings
from skill_arcade.web.models.replay import BranchRefusal
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState
from skill_arcade.web.viewer import Viewer, find_visible_episode

_ENDS = ("terminated", "truncated")
_REFUSALS: Mapping[BranchRefusal, str] = {
    "daily": "Nothing can be played from a round of a daily challenge.",
    "incomplete": "This round has not ended yet, or is not uploaded yet. Try again in a moment.",
    "changed": "This round cannot be repeated here, because it was played with another version of the game, of its "
    "packages or of this machine.",
}


async def check_branch(
    connection: AsyncConnection, state: AppState, episode_id: UUID, step: int, game_id: str, viewer: Viewer
) -> None:
    """Check that a user may play from this frame of an episode.

    Raises:
        NotFound, LinkRevoked: the user may not see the episode, or an episode that it branches from was erased.
        InvalidRequest: it is of another game or of a daily challenge, is not complete, or cannot be repeated.
    """
    episode, _ = await find_visible_episode(connection, episode_id, viewer)
    if state.catalogue.current_id(episode.game_id) != game_id:
        raise InvalidRequest(f"Episode {episode_id} is of another game ({episode.game_id}).")
    refusal = find_refusal(state, episode)
    if refusal is not None:
        raise InvalidRequest(_REFUSALS[refusal])
    _check_step(episode, step)
    await find_frame(connection, episode, step)
    await read_line(connection, state.objects, episode_id, step)


def find_refusal(state: AppState, episode: Row[Any]) -> BranchRefusal | None:
    """Return why nobody can play from any frame of an episode, or None if they can."""
    if "daily" in episode.provenance:  # its settings are its own
        return "daily"
    if episode.time_ended is None:
        return "incomplete"
    game = state.catalogue.games.get(state.catalogue.current_id(episode.game_id))
    try:
        is_same = game is not None and _can_repeat(state, episode, game, find_options(state, episode))
    except InvalidRequest:  # the game has lost an option that the round was played with
        is_same = False
    return None if is_same else "changed"


def find_options(state: AppState, episode: Row[Any]) -> dict[str, str]:
    """Return the options with which an episode was played, as the game has them today."""
    _, options = state.catalogue.resolve(episode.game_id, episode.provenance.get("options") or {})
    return dict(options)


async def find_branch(state: AppState, episode_id: UUID, step: int, game: Manifest) -> tuple[Branch, dict[str, str]]:
    """Return the branch that a ticket names, and the options of its game.

    Raises:
        NotFound: the episode, or one that it branches from, was erased since the ticket was issued.
        InvalidRequest: the game has changed since.
    """
    async with request_transaction(state.engine) as connection:
        episode = await get_episode(connection, episode_id)
        options = find_options(state, episode)
        if not _can_repeat(state, episode, game, options):
            raise InvalidRequest("The game has changed. Reload the page.")
        line = await read_line(connection, state.objects, episode_id, step)
        frame = await find_frame(connection, episode, step)
    key = next(key for key in sorted(frame.objects) if key.endswith(".png"))
    data = await state.objects.get(key)
    branch = Branch(
        parent=episode_id,
        step=step,
        root=line.root,
        seed=episode.seed,
        actions=line.actions,
        environment=episode.environment,
        score=line.score,
        picture_sha256=await asyncio.to_thread(_digest, data, frame.position),
    )
    return branch, options


def _can_repeat(state: AppState, episode: Row[Any], game: Manifest, options: dict[str, str]) -> bool:
    """Return whether the episode's steps would lead to the same frames today.

    A trial of a study may have ended after fewer steps than the game does, which changes none before (rule O36).
    """
    limit = (episode.environment.get("kwargs") or {}).get("max_episode_steps")
    if "study" in episode.provenance and limit is not None:
        game = game.limit_steps(limit)
    return has_same_settings(episode, state.catalogue, game, options)


def _check_step(episode: Row[Any], step: int) -> None:
    """Raise InvalidRequest if no step follows this frame."""
    if step > episode.n_steps or (step == episode.n_steps and episode.end_reason in _ENDS):
        last = episode.n_steps - (episode.end_reason in _ENDS)
        raise InvalidRequest(f"Nothing follows frame {step} of this round. Choose one from 0 to {last}.")


def _digest(data: bytes, position: int) -> str:
    picture = next(islice(read_pictures(data), position, None), None)
    if picture is None:
        raise NotFound("The frame is not stored.")
    return digest_picture(picture)
