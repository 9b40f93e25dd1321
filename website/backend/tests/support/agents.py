"""Agents in a database, with versions that nothing can play."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.agent_version import VersionFacts
from skill_arcade.storage.database.agents import add_version
from tests.support.board_data import add_episode

SHA256 = "ab" * 32


def make_facts(**changes: Any) -> VersionFacts:
    """Return the facts of a version."""
    facts: dict[str, Any] = {"sha256": SHA256, "format": "onnx", "games": ("frozen-lake", "pong"), "licence": "MIT"}
    return VersionFacts(**facts | changes)


async def add_agent(connection: AsyncConnection, name: str = "deep-red", **changes: Any) -> tuple[str, UUID]:
    """Add an agent, or a version to it. Return its user id and the id of the version."""
    user_id, number = await add_version(connection, name, make_facts(**changes), summary="Plays.")
    query = text("SELECT id FROM agent_version WHERE user_id = :user AND number = :number")
    return user_id, (await connection.execute(query, {"user": user_id, "number": number})).scalar_one()


async def add_agent_episode(
    connection: AsyncConnection, agent: tuple[str, UUID], score: float, *, pace: str = "realtime", **more: Any
) -> UUID:
    """Insert a certified episode of an agent."""
    user_id, version_id = agent
    provenance = {
        "agent": {"version_id": str(version_id), "name": "deep-red", "version": 1, "sha256": SHA256},
        "program": {"pace": pace, "seed": None},
        **more.pop("provenance", {}),
    }
    return await add_episode(
        connection,
        user_id,
        score,
        agent_version_id=version_id,
        provenance=provenance,
        **{"game": "frozen-lake", **more},
    )
