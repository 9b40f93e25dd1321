"""What there is to export: counts, for those who choose."""

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

# As question 1 of the docs asks it; `certified` looks at newest certificates only.
GAMES = """
SELECT s.game_id, coalesce(g.config ->> 'name', s.game_id) AS game_name, count(*) AS episodes,
    count(DISTINCT s.player_id) AS players, sum(s.steps)::bigint AS steps,
    (sum(s.duration_seconds) / 3600)::float8 AS hours, count(*) FILTER (WHERE s.certified) AS certified
FROM episode_summary s JOIN game g ON g.id = s.game_id
WHERE s.time_ended IS NOT NULL
GROUP BY s.game_id, g.config ->> 'name'
ORDER BY episodes DESC, s.game_id
"""


async def count_by_game(connection: AsyncConnection) -> list[Row[Any]]:
    """For each game that was played to an end: episodes, players, steps, hours, certified episodes."""
    return list(await connection.execute(text(GAMES)))


async def count_chosen(connection: AsyncConnection, where: str, user_id: str | None) -> Row[Any]:
    """How many `episodes`, `steps` and `players` fulfil this condition on `episode_summary`; of one player, or all."""
    condition = where.replace("\\", "\\\\").replace(":", r"\:")
    whose = "" if user_id is None else "AND player_id = :user_id"
    query = text(
        "SELECT count(*) AS episodes, coalesce(sum(steps), 0)::bigint AS steps, count(DISTINCT player_id) AS players "
        f"FROM episode_summary WHERE ({condition}) {whose}"
    )
    return (await connection.execute(query, {} if user_id is None else {"user_id": user_id})).one()
