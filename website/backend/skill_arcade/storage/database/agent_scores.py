"""Scores of agents, of people and of one user, in games with equal settings. Each query reads a bounded number of rows.

Only whole episodes count: from a reset to the end by the game's own rules, without ghost, branch, study or daily
challenge.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

MAX_SCORED_VERSIONS = 5
"""Versions of an agent whose scores are read, the newest ones."""
MAX_SCORED_EPISODES = 300
"""Episodes that are read of each version, of the people of a game, and of one user: the newest ones."""

# Postgres writes equal values of the type jsonb as equal texts.
_FACTS = """e.id, e.user_id, e.game_id, e.score, e.n_steps, e.end_reason, e.time_created,
    CAST(coalesce(e.provenance -> 'options', '{}') AS text) AS options,
    coalesce(e.provenance #>> '{program,pace}', 'realtime') AS pace,
    e.environment ->> 'id' AS environment,
    CAST(coalesce(e.environment #> '{gymnasium,kwargs}', '{}') || coalesce(e.environment -> 'kwargs', '{}') AS text)
        AS kwargs,
    e.end_reason IN ('terminated', 'truncated')
        AND NOT e.provenance ?| ARRAY['branch', 'study', 'ghost', 'daily']
        AND e.score NOT IN ('NaN', 'Infinity', '-Infinity') AS is_whole"""
_OF_VERSIONS = text(f"""
SELECT v.number AS version, e.* FROM unnest(CAST(:versions AS uuid[]), CAST(:numbers AS int[])) AS v (id, number)
CROSS JOIN LATERAL (
    SELECT {_FACTS} FROM episode e WHERE e.agent_version_id = v.id ORDER BY e.id DESC LIMIT {MAX_SCORED_EPISODES}
) AS e
WHERE e.is_whole ORDER BY e.id DESC""")
# A consent on record that allows replays and leaderboards: the player's scores may be shown to others.
_OF_PEOPLE = text(f"""
SELECT e.game_id, e.options, e.environment, e.kwargs, e.user_id, array_agg(e.score) AS scores
FROM unnest(CAST(:games AS text[])) AS g (id)
CROSS JOIN LATERAL (
    SELECT {_FACTS}, e.consent_id FROM episode e
    WHERE e.game_id = g.id AND e.agent_version_id IS NULL ORDER BY e.id DESC LIMIT {MAX_SCORED_EPISODES}
) AS e
JOIN consent c ON c.id = e.consent_id AND c.scopes ? 'boards' AND NOT c.withdrawn ? 'boards'
JOIN "user" u ON u.id = e.user_id AND NOT u.is_synthetic
WHERE e.is_whole GROUP BY 1, 2, 3, 4, 5""")
_OF_USER = text(f"""
SELECT e.* FROM (
    SELECT {_FACTS} FROM episode e WHERE e.user_id = :user ORDER BY e.id DESC LIMIT {MAX_SCORED_EPISODES}
) AS e
JOIN "user" u ON u.id = e.user_id AND NOT u.is_synthetic
WHERE e.is_whole""")


@dataclass(frozen=True, slots=True)
class Settings:
    """What must be equal for scores to be compared, except the pace: game, options, environment and its arguments."""

    game_id: str
    options: str
    environment: str
    kwargs: str

    def read_options(self) -> dict[str, str]:
        """Return the options."""
        return dict(json.loads(self.options))

    def read_kwargs(self) -> dict[str, Any]:
        """Return the arguments of the environment."""
        return dict(json.loads(self.kwargs))


@dataclass(frozen=True, slots=True)
class ScoredEpisode:
    """A finished episode. `version` is None for people."""

    id: UUID
    user_id: str
    settings: Settings
    pace: str
    version: int | None
    score: float
    n_steps: int


async def read_agent_episodes(connection: AsyncConnection, versions: Mapping[UUID, int]) -> list[ScoredEpisode]:
    """Return the newest finished episodes of versions of an agent (id to number), newest first."""
    newest = sorted(versions.items(), key=lambda one: -one[1])[:MAX_SCORED_VERSIONS]
    query = _OF_VERSIONS.bindparams(
        bindparam("versions", [id_ for id_, _ in newest]), bindparam("numbers", [number for _, number in newest])
    )
    return [_read(row, row.version) for row in await connection.execute(query)]


async def read_people_scores(
    connection: AsyncConnection, games: Sequence[str]
) -> dict[Settings, dict[str, list[float]]]:
    """Return the scores of people who allow that others see them, by settings and player.

    They are those of finished episodes among the newest ones of these games.
    """
    found: dict[Settings, dict[str, list[float]]] = defaultdict(dict)
    for row in await connection.execute(_OF_PEOPLE, {"games": list(games)}):
        found[_read_settings(row)][row.user_id] = [float(score) for score in row.scores]
    return dict(found)


async def read_user_episodes(connection: AsyncConnection, user_id: str) -> list[ScoredEpisode]:
    """Return finished episodes among the newest ones of a user; none for a program."""
    return [_read(row) for row in await connection.execute(_OF_USER, {"user": user_id})]


def group_by_settings(episodes: Iterable[ScoredEpisode]) -> dict[Settings, list[ScoredEpisode]]:
    """Return episodes by their settings."""
    groups: dict[Settings, list[ScoredEpisode]] = defaultdict(list)
    for episode in episodes:
        groups[episode.settings].append(episode)
    return dict(groups)


def _read(row: Any, version: int | None = None) -> ScoredEpisode:
    return ScoredEpisode(row.id, row.user_id, _read_settings(row), row.pace, version, float(row.score), row.n_steps)


def _read_settings(row: Any) -> Settings:
    return Settings(row.game_id, row.options, row.environment or "", row.kwargs)
