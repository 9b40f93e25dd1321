"""Sets of clips for tests, drawn from recorded episodes."""

from pathlib import Path
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.games.catalogue import Catalogue
from skill_arcade.judgements.schema import parse_specification
from skill_arcade.judgements.sets import make_set
from skill_arcade.storage.database.judgements import add_judgement
from skill_arcade.storage.objects.disk import DiskObjects

OBJECTS = DiskObjects(Path("/nonexistent"))
"""No episode of these tests is archived."""


async def draw_set(connection: AsyncConnection, catalogue: Catalogue, name: str, **fields: Any) -> Row[Any]:
    """Draw and store a set of pong, by default of four pairs of six frames."""
    specification = {"game": "pong", "items": 4, "seconds": 0.1, "gold": 0.25, "repeats": 0.25, **fields}
    return await make_set(connection, OBJECTS, catalogue, name, parse_specification(specification))


async def write_answer(
    connection: AsyncConnection, name: str, number: int, user_id: str, answer: str = "left", **fields: Any
) -> bool:
    """Write the answer of a judge, who must exist."""
    values = {
        "set_name": name,
        "number": number,
        "user_id": user_id,
        "position": number,
        "is_swapped": False,
        "answer": answer,
        "rating": None,
        "reaction_ms": 1000,
        "n_plays": 1,
        "build": "test",
    }
    return await add_judgement(connection, values | fields)


async def count_rows(connection: AsyncConnection) -> dict[str, int]:
    """Count the rows of the tables of judgements."""
    names = ("judgement_set", "judgement_item", "judgement_clip", "judgement")
    return {name: (await connection.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one() for name in names}
