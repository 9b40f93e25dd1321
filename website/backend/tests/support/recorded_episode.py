"""Writes recorded episodes to a database and an object store, to be read back."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import URL, insert

from skill_arcade.frames.apng import write_apng
from skill_arcade.frames.encoder import Encoder
from skill_arcade.frames.picture import Picture
from skill_arcade.ids import new_episode_id, transition_id
from skill_arcade.recording.observation import describe_leaves, pack_observation, write_npz
from skill_arcade.storage.database.queries import upsert_games, upsert_user
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.objects.disk import DiskObjects
from tests.support.database import opened_engine

STARTED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RecordedEpisode:
    id: UUID
    frames: NDArray[np.uint8]
    observations: list[Any]
    keys: list[str]


def record_episode(
    url: URL,
    folder: Path,
    segments: Sequence[int] = (4, 3, 5),
    *,
    observe: Callable[[int], Any] | None = None,
    game: str = "pong",
    user: str = "u1",
    status: str = "won",
) -> RecordedEpisode:
    """Record an episode with `segments[i]` steps in segment i.

    `observe` makes observation i, or is None if the observations are the pictures.
    """
    arguments: dict[str, Any] = {"segments": segments, "observe": observe, "game": game, "user": user, "status": status}
    return asyncio.run(_record(url, DiskObjects(folder), **arguments))


async def _record(
    url: URL,
    objects: DiskObjects,
    *,
    segments: Sequence[int],
    observe: Callable[[int], Any] | None,
    game: str,
    user: str,
    status: str,
) -> RecordedEpisode:
    id_, n_steps = new_episode_id(), sum(segments)
    frames = np.random.default_rng(7).integers(0, 250, (n_steps + 1, 6, 8, 3), np.uint8)
    observations = [observe(i) for i in range(n_steps + 1)] if observe else []
    rows: dict[str, list[dict[str, Any]]] = {"segment": [], "transition": [], "event": []}
    frame_keys: list[str] = []
    keys: list[str] = []
    for number, n in enumerate(segments):
        first = len(frame_keys)
        n_frames = n + (number == 0)
        frame_keys += [f"{number}/{i}" for i in range(n_frames)]
        bodies = _objects(id_, number, frames[first : first + n_frames], observations[first : first + n_frames])
        for key, data in bodies.items():
            await objects.put(key, data)
        keys += bodies
        rows["segment"].append(
            {
                "episode_id": id_,
                "number": number,
                "first_step": max(first - 1, 0),
                "n_steps": n,
                "n_frames": n_frames,
                "n_bytes": sum(map(len, bodies.values())),
                "objects": {key: hashlib.sha256(data).hexdigest() for key, data in bodies.items()},
            }
        )
    rows["transition"] = [_transition(id_, step, n_steps, frame_keys) for step in range(n_steps)]
    rows["event"] = [
        {"episode_id": id_, "number": 0, "kind": "input", "server_us": 5, "client_us": 9, "step": 0, "data": {"a": 1}}
    ]
    episode = {
        "id": id_,
        "user_id": user,
        "game_id": game,
        "seed": 123,
        "n_steps": n_steps,
        "status": status,
        "score": 3.0,
        "end_reason": "terminated",
        "environment": {"id": "ALE/Pong-v5"},
        "provenance": {"package": "0.1.0"},
        "reset_info": {"lives": 5},
        "time_created": STARTED,
        "time_ended": STARTED + timedelta(seconds=1),
    }
    async with opened_engine(url) as engine, engine.begin() as connection:
        await upsert_user(connection, user, f"{user}@example.org")
        await upsert_games(connection, {game: {"name": game.title()}})
        for name, values in {"episode": [episode], **rows}.items():
            if values:
                await connection.execute(insert(Table.metadata.tables[name]), values)
    return RecordedEpisode(id_, frames, observations, keys)


def _objects(id_: UUID, number: int, frames: NDArray[np.uint8], observations: list[Any]) -> dict[str, bytes]:
    if not len(frames):
        return {}
    encoder = Encoder()
    encoded_frames = [encoder.encode(Picture(frame)) for frame in frames]
    name = f"episodes/{id_}/{number:06d}"
    objects = {f"{name}.png": write_apng(encoded_frames, (8, 6), [17] * len(encoded_frames))}
    if observations:
        leaves = describe_leaves(observations[0])
        objects[f"{name}.npz"] = write_npz([pack_observation(part, leaves) for part in observations], leaves)
    return objects


def _transition(id_: UUID, step: int, n_steps: int, frame_keys: list[str]) -> dict[str, Any]:
    return {
        "id": transition_id(id_, step),
        "episode_id": id_,
        "step": step,
        "action": step % 3,
        "reward": step / 4,
        "time_created": STARTED + timedelta(microseconds=16_667 * step),
        "server_us": 16_667 * step,
        "shown_us": None if step == 2 else 10_000_000_000 + step,
        "input_us": None if step < 3 else 9_000_000_000,
        "input_received_us": None if step < 3 else 40_000,
        "late_us": 7,
        "input_frame": None if step < 3 else 1,
        "terminated": step == n_steps - 1,
        "truncated": False,
        "obs_key": frame_keys[step],
        "next_obs_key": frame_keys[step + 1],
        "info": {"lives": 4} if step == 5 else None,
    }
