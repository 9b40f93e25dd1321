"""Queries of agents: accounts, versions, tokens, and which of their episodes may be seen."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.agent_version import VersionFacts
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.ids import new_episode_id
from skill_arcade.storage.database.consents import check_consent
from skill_arcade.storage.database.queries import sign_out_user, upsert_user
from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_user, _agent, _version, _token = (_table[name] for name in ("user", "agent", "agent_version", "agent_token"))
EMAIL_SUFFIX = "@programs.example.org"
"""E-mail addresses of agents and other programs. Nobody can receive mail there (RFC 2606)."""
TOKEN_PREFIX = "agent-"
"""Begins each token, so that people and scanners of secrets recognise it."""
MAX_VERSIONS = 100
"""Versions in a list, the newest ones."""
MAX_STORED_VERSIONS = 1_000
"""Versions that an agent can have."""
MAX_TOKENS = 10
"""Valid tokens of an agent."""


async def add_version(
    connection: AsyncConnection, name: str, facts: VersionFacts, *, summary: str | None = None, owner: str | None = None
) -> tuple[str, int]:
    """Add an agent, or a version to it. Return the agent's user id and the number of the version.

    Facts that equal those of a version add none. `owner` is an e-mail address or a user id; None keeps the owner of an
    agent that exists.

    Raises:
        NotFound: there is no user `owner`.
        InvalidRequest: a person has the account of this name, or the agent has as many versions as it may.
    """
    owner_id = None if owner is None else await _find_owner(connection, owner)
    known = select(_agent).where(_agent.c.name == name).with_for_update()
    if (agent := (await connection.execute(known)).one_or_none()) is None:
        new = {"user_id": await _make_account(connection, name), "name": name, "summary": "", "owner_id": None}
        await connection.execute(insert(_agent).values(**new).on_conflict_do_nothing())
        agent = (await connection.execute(known)).one()
    stated = {"summary": summary, "owner_id": owner_id}
    if changed := {key: value for key, value in stated.items() if value not in (None, agent._mapping[key])}:
        await connection.execute(update(_agent).where(_agent.c.user_id == agent.user_id).values(**changed))
    versions = select(_version).where(_version.c.user_id == agent.user_id).order_by(_version.c.number.desc())
    stored, values = (await connection.execute(versions)).all(), _write_facts(facts)
    for version in stored:
        if all(version._mapping[key] == value for key, value in values.items()):
            return agent.user_id, int(version.number)
    number = stored[0].number + 1 if stored else 1
    if number > MAX_STORED_VERSIONS:
        raise InvalidRequest(f"{name} has {MAX_STORED_VERSIONS} versions, the most that an agent can have.")
    row = {"id": new_episode_id(), "user_id": agent.user_id, "number": number, **values}
    await connection.execute(insert(_version).values(**row))
    return agent.user_id, number


def _write_facts(facts: VersionFacts) -> dict[str, Any]:
    values = asdict(facts)
    action_map = facts.action_map
    return values | {"games": list(facts.games), "action_map": None if action_map is None else list(action_map)}


async def _make_account(connection: AsyncConnection, name: str) -> str:
    """Return the id of the account of a new agent. A program that has played under this name becomes the agent."""
    email = f"{name}{EMAIL_SUFFIX}"
    known = (await connection.execute(select(_user.c.is_synthetic).where(_user.c.email == email))).scalar()
    if known is False:
        raise InvalidRequest(f"A person has signed in as {email}. Choose another name for the agent.")
    return await upsert_user(connection, secrets.token_hex(16), email, is_synthetic=True)


async def _find_owner(connection: AsyncConnection, owner: str) -> str:
    query = select(_user.c.id).where(or_(_user.c.id == owner, _user.c.email == owner.lower()), ~_user.c.is_synthetic)
    if (found := (await connection.execute(query)).scalar()) is None:
        raise NotFound(f"No person has signed in as {owner!r}. Name the owner by the e-mail address of their account.")
    return str(found)


async def find_agent(connection: AsyncConnection, name: str) -> Row[Any]:
    """Return the row of an agent. Raises NotFound."""
    found = (await connection.execute(select(_agent).where(_agent.c.name == name))).one_or_none()
    if found is None:
        raise NotFound(f"There is no agent {name!r}. `skill-arcade agents list` lists the agents.")
    return found


async def find_account(connection: AsyncConnection, user_id: str) -> Row[Any] | None:
    """Return the row of the agent that has this account, or None if it is not that of an agent."""
    return (await connection.execute(select(_agent).where(_agent.c.user_id == user_id))).one_or_none()


async def find_version(connection: AsyncConnection, user_id: str, number: int | None = None) -> Row[Any] | None:
    """Return a version of an agent by its number, the newest one if that is None; or None if there is none."""
    query = select(_version).where(_version.c.user_id == user_id).order_by(_version.c.number.desc()).limit(1)
    if number is not None:
        query = query.where(_version.c.number == number)
    return (await connection.execute(query)).one_or_none()


async def list_versions(connection: AsyncConnection, user_id: str) -> Sequence[Row[Any]]:
    """Return up to `MAX_VERSIONS` versions of an agent, newest first."""
    query = select(_version).where(_version.c.user_id == user_id).order_by(_version.c.number.desc())
    return (await connection.execute(query.limit(MAX_VERSIONS))).all()


async def check_agent_version(connection: AsyncConnection, version_id: UUID, user_id: str) -> UUID | None:
    """Return the version that an episode of this user names, or None if the user has no such version."""
    query = select(_version.c.id).where(_version.c.id == version_id, _version.c.user_id == user_id)
    found: UUID | None = (await connection.execute(query)).scalar()
    return found


async def check_references(connection: AsyncConnection, episode: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a new episode, with null in place of a consent or a version that is not its player's own.

    Raises:
        ConsentWithdrawn: nothing of its consent is allowed any more.
    """
    consent_id, version_id, user_id = episode["consent_id"], episode["agent_version_id"], episode["user_id"]
    return {
        **episode,
        "consent_id": None if consent_id is None else await check_consent(connection, consent_id, user_id),
        "agent_version_id": None if version_id is None else await check_agent_version(connection, version_id, user_id),
    }


async def list_agents(connection: AsyncConnection, limit: int) -> Sequence[Row[Any]]:
    """Return agents by name with their newest version: the columns of `agent_version`, `name` and `summary`."""
    newest = select(_version).where(_version.c.user_id == _agent.c.user_id).order_by(_version.c.number.desc()).limit(1)
    version = newest.lateral("newest")
    query = select(_agent.c.name, _agent.c.summary, version).join_from(_agent, version, true())
    return (await connection.execute(query.order_by(_agent.c.name).limit(limit))).all()


async def issue_token(connection: AsyncConnection, user_id: str) -> str:
    """Make a token of an agent, and return it. It is stored as a hash, so it cannot be read again.

    Raises:
        InvalidRequest: the agent has as many valid tokens as it may.
    """
    await connection.execute(select(_agent.c.user_id).where(_agent.c.user_id == user_id).with_for_update())
    valid = select(func.count()).where(_token.c.user_id == user_id, _token.c.time_revoked.is_(None))
    if (await connection.execute(valid)).scalar_one() >= MAX_TOKENS:
        raise InvalidRequest(f"An agent has at most {MAX_TOKENS} valid tokens. Revoke them first.")
    token = f"{TOKEN_PREFIX}{secrets.token_urlsafe(32)}"
    await connection.execute(insert(_token).values(sha256=_hash(token), user_id=user_id))
    return token


async def revoke_tokens(connection: AsyncConnection, user_id: str) -> int:
    """Reject all tokens of an agent from now on, and sign it out. Return the number of tokens that were valid."""
    valid = (_token.c.user_id == user_id) & _token.c.time_revoked.is_(None)
    revoked = await connection.execute(update(_token).where(valid).values(time_revoked=func.now()))
    await sign_out_user(connection, user_id)
    return int(revoked.rowcount)


async def find_token_owner(connection: AsyncConnection, token: str) -> str | None:
    """Return the user id of the agent that a token belongs to, or None if there is no such valid token."""
    if not token.startswith(TOKEN_PREFIX):
        return None
    query = select(_token.c.user_id).where(_token.c.sha256 == _hash(token), _token.c.time_revoked.is_(None))
    found: str | None = (await connection.execute(query)).scalar()
    return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
