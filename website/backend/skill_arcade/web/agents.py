"""Agents on the server: sign-in by token, and which version of an agent an episode is played by (rule O33)."""

import logging
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.agent_version import VersionFacts, matches
from skill_arcade.agents.catalogue import AGENTS, describe_version
from skill_arcade.errors import InvalidRequest, NotAllowed, NotSignedIn
from skill_arcade.play.assignment import PlayConsent, PlayingAgent
from skill_arcade.storage.database.agents import (
    add_version,
    find_account,
    find_agent,
    find_token_owner,
    find_version,
    issue_token,
    revoke_tokens,
)
from skill_arcade.web.rate_limiting.table import AGENT_TICKETS
from skill_arcade.web.rate_limiting.token_bucket import KeyedRateLimiter
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.tokens import Identity

log = logging.getLogger(__name__)
AGENT_ROLE = "agent"
"""Role of a session that began with an agent's token. It is no role of people (`web/roles.py`)."""


class AgentService:
    """Checks agents. `has_program_play`: programs may sign in by e-mail, and play as the agent of that name."""

    def __init__(self, engine: AsyncEngine, *, has_program_play: bool) -> None:
        self._engine, self._has_program_play = engine, has_program_play
        self._tickets = KeyedRateLimiter(AGENT_TICKETS)

    async def sign_in(self, token: str) -> str:
        """Return the user id of the agent that a token belongs to. Raises NotSignedIn."""
        async with request_transaction(self._engine) as connection:
            user_id = await find_token_owner(connection, token)
        if user_id is None:
            raise NotSignedIn(
                "This agent token is invalid or was revoked. Make another one with `skill-arcade agents token NAME`."
            )
        return user_id

    async def check(self, user: Identity, number: int, game_id: str) -> None:
        """Check that a user may have a ticket for a version of an agent, before it is issued.

        Raises:
            NotAllowed: the session is not that of an agent.
            InvalidRequest: the agent has no such version, or the version does not play this game.
            TooManyRequests: the agent has opened too many games in a short time.
        """
        if AGENT_ROLE not in user.roles and not self._has_program_play:
            raise NotAllowed("Only an agent can name its version. Sign in with the token of the agent.")
        self._tickets.check(user.user_id)
        async with request_transaction(self._engine) as connection:
            await _find_playing(connection, user.user_id, number, game_id)

    async def add_version(self, user: Identity, name: str, facts: VersionFacts) -> Row[Any]:
        """Add a version of an agent, and return its row. Facts that equal those of a version add none.

        Raises:
            NotFound: there is no such agent.
            NotAllowed: the user neither owns the agent nor has signed in with a token of it.
            InvalidRequest: the agent has too many versions.
        """
        async with request_transaction(self._engine) as connection:
            agent = await find_agent(connection, name)
            if user.user_id != agent.user_id or AGENT_ROLE not in user.roles:
                _require_owner(agent, user)
            _, number = await add_version(connection, name, facts)
            version = await find_version(connection, agent.user_id, number)
        assert version is not None
        return version

    async def issue_token(self, user: Identity, name: str) -> str:
        """Make a token of an agent, for its owner. Raises NotFound, NotAllowed, and InvalidRequest for too many."""
        async with request_transaction(self._engine) as connection:
            agent = await find_agent(connection, name)
            _require_owner(agent, user)
            return await issue_token(connection, agent.user_id)

    async def revoke_tokens(self, user: Identity, name: str) -> int:
        """Reject all tokens of an agent, for its owner. Return their number. Raises NotFound and NotAllowed."""
        async with request_transaction(self._engine) as connection:
            agent = await find_agent(connection, name)
            _require_owner(agent, user)
            return await revoke_tokens(connection, agent.user_id)

    async def join(self, consent: PlayConsent, user_id: str, number: int, game_id: str) -> PlayConsent:
        """Return what an agent may do whose ticket names a version: play as a program, and be watched.

        Raises:
            InvalidRequest: as `check` does.
        """
        async with request_transaction(self._engine) as connection:
            agent, version = await _find_playing(connection, user_id, number, game_id)
        playing = PlayingAgent(version_id=version.id, name=agent.name, version=version.number, sha256=version.sha256)
        return consent.model_copy(update={"is_program": True, "is_watchable": True, "agent": playing})


def _require_owner(agent: Row[Any], user: Identity) -> None:
    if agent.owner_id is None or user.user_id != agent.owner_id:
        raise NotAllowed(
            f"Only the owner of {agent.name} may do this. The operator makes you its owner: `skill-arcade agents add "
            "... --owner ADDRESS`."
        )


async def _find_playing(
    connection: AsyncConnection, user_id: str, number: int, game_id: str
) -> tuple[Row[Any], Row[Any]]:
    agent = await find_account(connection, user_id)
    if agent is None:
        raise NotAllowed("This account is not that of an agent. Leave out agent_version, or sign in as the agent.")
    version = await find_version(connection, user_id, number)
    if version is None:
        raise InvalidRequest(f"The agent {agent.name} has no version {number}. Add it: `skill-arcade agents add`.")
    if not matches(version.games, game_id):
        games = ", ".join(version.games)
        raise InvalidRequest(f"Version {number} of {agent.name} does not play {game_id}. It plays: {games}.")
    return agent, version


async def register_built_in_agents(connection: AsyncConnection) -> None:
    """Store the agents that are part of Skill Arcade, and a new version of each whose source has changed.

    An account of a person that has the name of one is left alone.
    """
    for agent in AGENTS:
        try:
            await add_version(connection, agent.name, describe_version(agent), summary=agent.summary)
        except InvalidRequest as error:
            log.warning("cannot register built-in agent name=%s: %s", agent.name, error)
