"""Routes of agents: which there are, how they score beside people, and which of their games can be watched."""

import asyncio
import json
from statistics import median
from typing import Annotated, Any

from fastapi import APIRouter, Path
from sqlalchemy import Row

from skill_arcade.agent_version import VersionFacts, find_unmatched, matches
from skill_arcade.agents.added import read_env_spec
from skill_arcade.errors import InvalidRequest
from skill_arcade.games.catalogue import Catalogue
from skill_arcade.games.manifest import RealTime
from skill_arcade.storage.database import agents as stored
from skill_arcade.storage.database.agent_scores import (
    ScoredEpisode,
    Settings,
    group_by_settings,
    read_agent_episodes,
    read_people_scores,
    read_user_episodes,
)
from skill_arcade.web.current_user import CurrentUser, UserId
from skill_arcade.web.live_games import find_live_games
from skill_arcade.web.models.agents import (
    AgentDetails,
    AgentEpisode,
    AgentScore,
    AgentSummary,
    AgentToken,
    AgentVersion,
    LiveGame,
    NewAgentVersion,
    RevokedTokens,
    ScoreSummary,
)
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import State

router = APIRouter(tags=["agents"])
MAX_AGENTS = 200
"""Agents in the list."""
MAX_SCORED_GAMES = 30
"""Combinations of game, settings and version whose scores are returned, those that were played last."""
MAX_REPLAYS = 3
"""Episodes of each of them that are named."""
MIN_PEOPLE = 3
"""People without whom no scores of people are shown, because they would be those of known persons."""


AgentName = Annotated[str, Path(max_length=40, pattern=r"^[a-z0-9-]+$")]


@router.get("/players/agents", responses=problem_answers(401, 503))
async def list_agents(_: UserId, state: State) -> list[AgentSummary]:
    """List the agents by name, with the games that they play now and that can be watched."""
    async with request_transaction(state.engine) as connection:
        rows = await stored.list_agents(connection, MAX_AGENTS)
        live = await find_live_games(connection, state)
    return [_summarise(row, state.catalogue, live.get(row.name, [])) for row in rows]


@router.get("/players/agents/{name}", responses=problem_answers(401, 404, 422, 503))
async def read_agent(name: AgentName, user_id: UserId, state: State) -> AgentDetails:
    """Return an agent with its versions and the scores of its newest episodes, beside those of people."""
    async with request_transaction(state.engine) as connection:
        agent = await stored.find_agent(connection, name)
        versions = await stored.list_versions(connection, agent.user_id)
        played = await read_agent_episodes(connection, {version.id: version.number for version in versions})
        groups = _group_newest(played, state.catalogue)
        games = sorted({settings.game_id for settings, pace, _ in groups if pace not in _PACES_OF_PROGRAMS})
        people = await read_people_scores(connection, games) if games else {}
        own = group_by_settings(await read_user_episodes(connection, user_id)) if games else {}
        live = await find_live_games(connection, state)
    return AgentDetails(
        name=agent.name,
        summary=agent.summary,
        versions=[AgentVersion.model_validate(version) for version in versions],
        live=live.get(name, []),
        scores=[_describe(key, episodes, people, own, state.catalogue) for key, episodes in groups.items()],
    )


@router.post("/players/agents/{name}/versions", status_code=201, responses=problem_answers(401, 403, 404, 422, 503))
async def add_agent_version(name: AgentName, body: NewAgentVersion, user: CurrentUser, state: State) -> AgentVersion:
    """Add a version of an agent, as its owner or signed in with a token of it.

    Facts that equal those of a version add none; that version is returned.
    """
    if (pattern := find_unmatched(body.games, state.catalogue.games)) is not None:
        raise InvalidRequest(f"No game has an id like {pattern}. GET /games lists the games.")
    if body.env_spec is not None:
        await asyncio.to_thread(read_env_spec, json.dumps(body.env_spec))
    fields = body.model_dump() | {"games": tuple(body.games)}
    action_map = None if body.action_map is None else tuple(body.action_map)
    facts = VersionFacts(**fields | {"action_map": action_map})
    return AgentVersion.model_validate(await state.agents.add_version(user, name, facts))


@router.post("/players/agents/{name}/tokens", status_code=201, responses=problem_answers(401, 403, 404, 422, 503))
async def issue_agent_token(name: AgentName, user: CurrentUser, state: State) -> AgentToken:
    """Make a token of an agent, as its owner."""
    return AgentToken(token=await state.agents.issue_token(user, name))


@router.delete("/players/agents/{name}/tokens", responses=problem_answers(401, 403, 404, 422, 503))
async def revoke_agent_tokens(name: AgentName, user: CurrentUser, state: State) -> RevokedTokens:
    """Reject all tokens of an agent, as its owner, and end its sessions within a minute."""
    return RevokedTokens(revoked=await state.agents.revoke_tokens(user, name))


_PACES_OF_PROGRAMS = ("stepped", "lockstep")
"""Paces at which the agent has time that people do not have."""
_Key = tuple[Settings, str, int]
"""Settings, pace, and number of the version."""


def _group_newest(episodes: list[ScoredEpisode], catalogue: Catalogue) -> dict[_Key, list[ScoredEpisode]]:
    """Return episodes by settings, pace and version, those that were played last, without games that are gone."""
    groups: dict[_Key, list[ScoredEpisode]] = {}
    for episode in episodes:
        if (game := catalogue.games.get(episode.settings.game_id)) is None:
            continue
        pace = episode.pace if isinstance(game.pace, RealTime) else "turn-based"
        key = episode.settings, pace, episode.version or 0
        if key in groups or len(groups) < MAX_SCORED_GAMES:
            groups.setdefault(key, []).append(episode)
    return groups


def _describe(
    key: _Key,
    episodes: list[ScoredEpisode],
    people: dict[Settings, dict[str, list[float]]],
    own: dict[Settings, list[ScoredEpisode]],
    catalogue: Catalogue,
) -> AgentScore:
    settings, pace, version = key
    equal, kwargs, reason = people.get(settings, {}), settings.read_kwargs(), None
    if pace in _PACES_OF_PROGRAMS:
        reason = pace
    elif not equal:
        is_played = any(one.game_id == settings.game_id for one in people)
        reason = "other-settings" if is_played else "no-people"
    elif len(equal) < MIN_PEOPLE:
        reason = "too-few-people"
    mine = [] if pace in _PACES_OF_PROGRAMS else own.get(settings, [])
    skip = kwargs.get("frameskip")
    return AgentScore(
        game_id=settings.game_id,
        game_name=catalogue.games[settings.game_id].name,
        options=settings.read_options(),
        version=version,
        pace=pace,
        sticky_probability=kwargs.get("repeat_action_probability"),
        frame_skip=skip if isinstance(skip, int) else None,
        agent=_sum_up([episode.score for episode in episodes], 1),
        people=None if reason else _sum_up([score for scores in equal.values() for score in scores], len(equal)),
        you=_sum_up([episode.score for episode in mine], 1) if mine else None,
        incomparable=reason,
        replays=[AgentEpisode(id=one.id, score=one.score, steps=one.n_steps) for one in episodes[:MAX_REPLAYS]],
    )


def _sum_up(scores: list[float], players: int) -> ScoreSummary:
    return ScoreSummary(episodes=len(scores), players=players, median=median(scores), best=max(scores))


def _summarise(row: Row[Any], catalogue: Catalogue, live: list[LiveGame]) -> AgentSummary:
    games = [game for id_, game in catalogue.games.items() if matches(row.games, id_)]
    only = games[0] if len(games) == 1 else None
    return AgentSummary(
        name=row.name,
        summary=row.summary,
        format=row.format,
        version=row.number,
        licence=row.licence,
        n_games=len(games),
        game_id=None if only is None else only.id,
        game_name=None if only is None else only.name,
        live=live,
    )
