"""Statistics of one player by game and options."""

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

# An episode without an end lasts until its last upload. The best score is the highest one of certified episodes that
# ended and began with a reset. NaN, which Postgres sorts above all numbers, is no best score.
BY_GAME = """
SELECT now.id AS game_id, coalesce(now.config ->> 'name', now.id) AS game_name,
    g.alias_options || coalesce(e.provenance -> 'options', '{}') AS options, count(*) AS episodes,
    count(*) FILTER (WHERE newest.result = 'certified') AS certified,
    count(*) FILTER (WHERE e.status = 'won') AS won, sum(e.n_steps)::bigint AS steps,
    sum(extract(epoch FROM coalesce(e.time_ended, e.time_updated) - e.time_created))::float8 AS seconds,
    max(e.score) FILTER (
        WHERE newest.result = 'certified' AND e.status <> 'incomplete' AND e.score <> 'NaN'
            AND NOT e.provenance ? 'branch'
    ) AS best, max(e.time_created) AS last_played
FROM episode e
JOIN game g ON g.id = e.game_id
JOIN game now ON now.id = coalesce(g.alias_of, g.id)
LEFT JOIN LATERAL (
    SELECT c.result FROM certificate c WHERE c.episode_id = e.id ORDER BY c.time_created DESC LIMIT 1
) AS newest ON true
WHERE e.user_id = :user_id
GROUP BY now.id, now.config ->> 'name', g.alias_options || coalesce(e.provenance -> 'options', '{}')
ORDER BY max(e.id::text) DESC
"""


async def count_played(connection: AsyncConnection, user_id: str) -> list[Row[Any]]:
    """Return one row per game and options of this player, with counts, the best score and the last time."""
    return list(await connection.execute(text(BY_GAME), {"user_id": user_id}))
