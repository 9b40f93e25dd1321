"""Artificial certified episodes of players on leaderboards."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.ids import new_episode_id, transition_id
from skill_arcade.storage.database.tables import Table

PACKAGES = {"gymnasium": "1.4.0", "ale-py": "0.12.1"}
HZ = 10.0
CONFIGS: dict[str, dict[str, Any]] = {
    "lake": {"name": "Frozen Lake", "pace": {"kind": "turn-based"}},
    "frozen-lake": {"name": "Frozen Lake", "pace": {"kind": "turn-based"}},
    "pong": {"name": "Pong", "pace": {"kind": "real-time", "hz": HZ}},
}
TABLES = Table.metadata.tables


async def add_user(connection: AsyncConnection, user: str, *, is_synthetic: bool = False) -> None:
    """Insert a player unless they exist."""
    values = {"id": user, "email": f"{user}@example.org", "is_synthetic": is_synthetic}
    await connection.execute(upsert(TABLES["user"]).values(**values).on_conflict_do_nothing())


async def add_episode(
    connection: AsyncConnection,
    user: str,
    score: float,
    *,
    game: str = "lake",
    at: datetime | None = None,
    certificate: str | None = "certified",
    version: str = "1.4.0",
    certified_version: str | None = None,
    speed: float = 1.0,
    provenance: Mapping[str, Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    presses: int = 0,
    **columns: Any,
) -> UUID:
    """Insert an episode that ended at `at` (now), with its player, game and certificate."""
    at = at or datetime.now(UTC)
    id_, n_steps = new_episode_id(round(at.timestamp() * 1000)), 21
    await add_user(connection, user)
    await connection.execute(upsert(TABLES["game"]).values(id=game, config=CONFIGS[game]).on_conflict_do_nothing())
    environment = {
        "id": "FrozenLake-v1",
        "kwargs": dict(kwargs or {}),
        "gymnasium": {"entry_point": "gymnasium.envs.toy_text.frozen_lake:FrozenLakeEnv", "kwargs": {}},
        "rom": None,
        "packages": {**PACKAGES, "gymnasium": version},
    }
    facts = {"skill_arcade": "0.1.0", "mode": "streamed", "options": {}, "player": {"browser": "Firefox"}}
    row = {
        "id": id_,
        "user_id": user,
        "game_id": game,
        "seed": 7,
        "n_steps": n_steps,
        "status": "won",
        "score": score,
        "end_reason": "terminated",
        "environment": environment,
        "provenance": {**facts, **(provenance or {})},
        "reset_info": {},
        "time_created": at - timedelta(seconds=2),
        "time_ended": at,
        **columns,
    }
    await connection.execute(insert(TABLES["episode"]).values(**row))
    steps = [_transition(id_, step, round(step * 1e6 / HZ / speed), at) for step in range(n_steps)]
    await connection.execute(insert(TABLES["transition"]), steps)
    if presses:
        await connection.execute(insert(TABLES["event"]), [_press(id_, number) for number in range(2 * presses)])
    if certificate is not None:
        packages = {**PACKAGES, "gymnasium": certified_version or version}
        verdict = {"result": certificate, "reason": "", "n_steps": n_steps, "seconds": 0.1}
        values = {"episode_id": id_, **verdict, "versions": {"packages": packages}}
        await connection.execute(insert(TABLES["certificate"]).values(**values))
    return id_


def _transition(id_: UUID, step: int, server_us: int, at: datetime) -> dict[str, Any]:
    return {
        "id": transition_id(id_, step),
        "episode_id": id_,
        "step": step,
        "action": 0,
        "reward": 0.0,
        "time_created": at,
        "server_us": server_us,
        "terminated": False,
        "truncated": False,
        "obs_key": f"0/{step}",
        "next_obs_key": f"0/{step + 1}",
    }


def _press(id_: UUID, number: int) -> dict[str, Any]:
    """A press, or its release, of a program that never varies."""
    data = {"control": "left", "down": number % 2 == 0, "device": "keyboard", "code": "ArrowLeft", "frame": None}
    at_us = number // 2 * 500_000 + number % 2 * 80_000
    return {
        "episode_id": id_,
        "number": number,
        "kind": "input",
        "server_us": at_us,
        "client_us": at_us,
        "step": 0,
        "data": data,
    }
