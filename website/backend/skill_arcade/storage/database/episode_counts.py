"""Counts of episodes that can be exported."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Row, Select, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.consent.documents import SCOPES
from skill_arcade.storage.database.consents import RESEARCH, is_allowed
from skill_arcade.storage.database.queries import filter_episodes
from skill_arcade.storage.database.tables import Table

_episode = Table.metadata.tables["episode"]

# Question 1 in docs/questions.md, with former ids of a game counted for it. `certified` uses the newest certificate.
GAMES = """
SELECT now.id AS game_id, coalesce(now.config ->> 'name', now.id) AS game_name, count(*) AS episodes,
    count(DISTINCT s.player_id) AS players, sum(s.steps)::bigint AS steps,
    (sum(s.duration_seconds) / 3600)::float8 AS hours, count(*) FILTER (WHERE s.certified) AS certified
FROM episode_summary s JOIN game g ON g.id = s.game_id JOIN game now ON now.id = coalesce(g.alias_of, g.id)
WHERE s.time_ended IS NOT NULL
    AND EXISTS (
        SELECT FROM episode_consent c WHERE c.episode_id = s.episode_id AND c.scope = 'research' AND c.is_allowed
    )
GROUP BY now.id, now.config ->> 'name'
ORDER BY episodes DESC, now.id
"""


async def count_by_game(connection: AsyncConnection) -> list[Row[Any]]:
    """Return one row per game with ended episodes that research may use.

    It has the numbers of episodes, players, steps, hours and certified episodes.
    """
    return list(await connection.execute(text(GAMES)))


async def count_without(connection: AsyncConnection, scope: str, where: str) -> int:
    """Return the number of episodes that match a condition on `episode_summary` and may not be used for `scope`."""
    query = select(func.count()).select_from(_episode).where(filter_episodes(where), ~is_allowed(scope))
    return int((await connection.execute(query)).scalar_one())


def _allows(scope: str) -> ColumnElement[bool]:
    assert scope in SCOPES
    return literal_column(
        "EXISTS (SELECT FROM episode_consent c WHERE c.episode_id = episode_summary.episode_id "
        f"AND c.scope = '{scope}' AND c.is_allowed)",
        Boolean,
    )


async def count_chosen(connection: AsyncConnection, where: str, user_id: str | None, scope: str = RESEARCH) -> Row[Any]:
    """Return the numbers of `episodes`, `steps` and `players` that match a condition on `episode_summary`.

    `user_id` limits the count to one player. None counts all players who allow `scope`.
    """
    columns = "count(*) AS episodes, coalesce(sum(steps), 0)::bigint AS steps, count(DISTINCT player_id) AS players"
    # `literal_column` passes the condition on as written; `text` would read bind parameters and escapes in it.
    query: Select[Any] = select(literal_column(columns)).select_from(text("episode_summary"))
    query = query.where(literal_column(f"({where})"))
    is_chosen = _allows(scope) if user_id is None else literal_column("player_id") == user_id
    query = query.where(is_chosen)
    row: Row[Any] = (await connection.execute(query)).one()
    return row
