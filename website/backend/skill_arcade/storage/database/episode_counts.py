"""Counts of episodes that can be exported."""

from typing import Any

from sqlalchemy import Row, Select, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

# The query of question 1 in docs/questions.md. `certified` uses the newest certificate only.
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
    """Return one row per game with ended episodes: counts of episodes, players, steps, hours, certified episodes."""
    return list(await connection.execute(text(GAMES)))


async def count_chosen(connection: AsyncConnection, where: str, user_id: str | None) -> Row[Any]:
    """Return the numbers of `episodes`, `steps` and `players` that match a condition on `episode_summary`.

    `user_id` limits the count to one player; None counts all players.
    """
    columns = "count(*) AS episodes, coalesce(sum(steps), 0)::bigint AS steps, count(DISTINCT player_id) AS players"
    # `literal_column` passes the condition on as written; `text` would read bind parameters and escapes in it.
    query: Select[Any] = select(literal_column(columns)).select_from(text("episode_summary"))
    query = query.where(literal_column(f"({where})"))
    if user_id is not None:
        query = query.where(literal_column("player_id") == user_id)
    row: Row[Any] = (await connection.execute(query)).one()
    return row
