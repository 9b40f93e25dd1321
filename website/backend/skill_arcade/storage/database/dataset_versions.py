"""Queries about saved datasets and their versions. The caller owns the transaction.

A version never changes. Its episodes may be erased, lose the consent that the version needs, or get late data; then the
version cannot be exported any more, and `add_successors` or a new save makes another one.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.ids import new_episode_id
from skill_arcade.storage.database.consents import is_allowed
from skill_arcade.storage.database.episode_counts import count_without
from skill_arcade.storage.database.queries import filter_episodes
from skill_arcade.storage.database.tables import Table

_table = Table.metadata.tables
_dataset, _version, _member = _table["saved_dataset"], _table["dataset_version"], _table["dataset_episode"]
_episode, _user = _table["episode"], _table["user"]

BATCH = 500
"""Episodes whose digests are computed by one query."""
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
_WORD = re.compile(r"[\w-]+")
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_USER_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_EPISODE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
A_PLAYER, AN_EPISODE = "(a player)", "(an episode)"
SAVED, REMOVAL = "saved", "removal"
ERASED_MEANWHILE = "Recordings were erased or withdrawn while the dataset was saved. Save it again."

# The digest has everything that an export of the episode reads, except certificates, which the member row has. The
# checksum of a segment's rows leaves out `shown_us`, which may arrive later, so it is added. JSONB has one text for
# equal values, whatever the order of keys was.
_DIGESTS = """
WITH shown AS (
  SELECT episode_id, md5(string_agg(coalesce(shown_us::text, ''), ',' ORDER BY step)) AS md5
  FROM transition WHERE episode_id = ANY(:ids) GROUP BY episode_id
), segments AS (
  SELECT episode_id, jsonb_agg(jsonb_build_array(number, objects, rows_sha256) ORDER BY number) AS parts
  FROM segment WHERE episode_id = ANY(:ids) GROUP BY episode_id
), notes AS (
  SELECT episode_id, jsonb_agg(jsonb_build_array(step_from, step_to, tag, vocabulary, text, user_id, author_role,
      extract(epoch FROM time_created),
      extract(epoch FROM CASE WHEN time_retracted <= :as_of THEN time_retracted END))
    ORDER BY step_from, step_to, time_created, id) AS parts
  FROM note WHERE episode_id = ANY(:ids) AND time_created <= :as_of GROUP BY episode_id
)
SELECT e.id, encode(sha256(convert_to(jsonb_build_array(
    e.id, e.user_id, e.game_id, e.seed, e.n_steps, e.status, e.score, e.end_reason, e.environment, e.provenance,
    e.reset_info, extract(epoch FROM e.time_created), extract(epoch FROM e.time_ended),
    coalesce(shown.md5, archived.shown_md5), segments.parts, notes.parts)::text, 'UTF8')), 'hex') AS digest
FROM episode e
LEFT JOIN shown ON shown.episode_id = e.id
LEFT JOIN archived_episode archived ON archived.episode_id = e.id
LEFT JOIN segments ON segments.episode_id = e.id
LEFT JOIN notes ON notes.episode_id = e.id
WHERE e.id = ANY(:ids)
"""
_CERTIFIED = """
SELECT DISTINCT ON (episode_id) episode_id, result = 'certified' AS is_certified
FROM certificate WHERE episode_id = ANY(:ids) ORDER BY episode_id, time_created DESC
"""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a researcher saves. `query` is a condition on `episode_summary`."""

    name: str
    query: str
    filters: Mapping[str, Any] | None
    scope: str
    description: Mapping[str, Any]
    software: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Loss:
    """How many episodes of a version cannot be exported any more.

    * `removed`: erased, or the consent that the version needs was withdrawn.
    * `changed`: late data or notes of an erased author changed the recording.
    """

    removed: int
    changed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many episodes two versions share, and how many only one of them has.

    * `changed`: in both, with different recordings or certificates.
    * `erased`: erased since; they count in none of the other numbers.
    """

    same: int
    changed: int
    only_first: int
    only_second: int
    erased_first: int
    erased_second: int
    games: list[Row[Any]]


def check_name(name: str) -> None:
    """Check the name of a dataset. Raises InvalidRequest."""
    if not NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} is no name of a dataset: use 1 to 60 of the characters a to z, 0 to 9 and hyphens, such as "
            "breakout-people."
        )


async def save_version(connection: AsyncConnection, new: NewVersion) -> Row[Any]:
    """Save the ended episodes that match a query and have the scope, as the next version of a dataset.

    Raises:
        InvalidRequest: the name is none, the database rejects the query, nothing matches, the query names a player, or
            selected episodes were erased or withdrawn at the same time.
    """
    check_name(new.name)
    condition = f"time_ended IS NOT NULL AND (\n{new.query}\n)"
    chosen = select(_episode.c.id, _episode.c.user_id, _episode.c.n_steps).order_by(_episode.c.id)
    # The condition is arbitrary SQL. The end of the savepoint lifts the limits again.
    savepoint = await connection.begin_nested()
    try:
        await connection.execute(text("SET LOCAL transaction_read_only = on"))
        await connection.execute(text("SET LOCAL enable_nestloop = off"))
        rows = (await connection.execute(chosen.where(filter_episodes(condition), is_allowed(new.scope)))).all()
        n_without = await count_without(connection, new.scope, condition)
    except DBAPIError as error:
        raise InvalidRequest(f"The database rejects the condition {new.query!r}: {error.orig}") from error
    finally:
        await savepoint.rollback()
    if not rows:
        without = f" {n_without} match, and their players do not allow {new.scope}." if n_without else ""
        raise InvalidRequest(f"No ended episode can be saved.{without} Use fewer filters.")
    await _check_anonymous(connection, new.query)
    key = await _lock_dataset(connection, new.name)
    as_of = (await connection.execute(select(func.now()))).scalar_one()
    ids = [row.id for row in rows]
    digests, certified = await _read_digests(connection, ids, as_of), await _read_certified(connection, ids)
    if digests.keys() != set(ids):
        raise InvalidRequest(ERASED_MEANWHILE)
    members = [
        {
            "pseudonym": make_pseudonym(key, "episode", str(id_)),
            "episode_id": id_,
            "digest": digests[id_],
            "is_certified": certified.get(id_, False),
        }
        for id_ in ids
    ]
    values = {
        "cause": SAVED,
        "query": new.query,
        "filters": new.filters,
        "scope": new.scope,
        "description": dict(new.description),
        "consent_documents": await _describe_documents(connection, ids),
        "schema_version": await connection.scalar(text("SELECT version_num FROM alembic_version")),
        "software": dict(new.software),
        "as_of": as_of,
        "n_steps": sum(row.n_steps for row in rows),
        "n_players": len({row.user_id for row in rows}),
        "n_without_consent": n_without,
    }
    try:
        saved = await _add_version(connection, new.name, values, members)
    except IntegrityError as error:  # an episode does not exist any more
        raise InvalidRequest(ERASED_MEANWHILE) from error
    # The eraser makes successors of the versions that it sees, and this one is not committed yet.
    if await count_removed(connection, saved):
        raise InvalidRequest(ERASED_MEANWHILE)
    return saved


def make_pseudonym(key: str, kind: str, id_: str) -> str:
    """Return the pseudonym of an id: constant for a key, different for others, and secret without the key."""
    return hmac.digest(bytes.fromhex(key), f"{kind}:{id_}".encode(), hashlib.sha256).hex()[:16]


async def list_versions(connection: AsyncConnection) -> list[Row[Any]]:
    """Return all versions of all datasets, by name and with the newest version first."""
    return list(await connection.execute(select(_version).order_by(_version.c.dataset_name, _version.c.number.desc())))


async def find_newest(connection: AsyncConnection, name: str) -> Row[Any] | None:
    """Return the newest version of a dataset, or None if there is no such dataset."""
    query = select(_version).where(_version.c.dataset_name == name).order_by(_version.c.number.desc()).limit(1)
    return (await connection.execute(query)).one_or_none()


async def get_version(connection: AsyncConnection, name: str, number: int | None = None) -> Row[Any]:
    """Return a version with the `key` of its dataset; `number` None means the newest one. Raises NotFound."""
    query = select(_version, _dataset.c.key).join(_dataset, _dataset.c.name == _version.c.dataset_name)
    query = query.where(_version.c.dataset_name == name).order_by(_version.c.number.desc()).limit(1)
    if number is not None:
        query = query.where(_version.c.number == number)
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    if found is None:
        which = name if number is None else f"{name}@{number}"
        raise NotFound(f"There is no saved dataset {which}. `skill-arcade datasets list` shows all.")
    return found


async def list_members(connection: AsyncConnection, version_id: UUID) -> dict[UUID, bool]:
    """Return the episodes of a version that are not erased, and whether each counts as certified."""
    query = select(_member.c.episode_id, _member.c.is_certified)
    query = query.where(_member.c.version_id == version_id, _member.c.episode_id.is_not(None))
    return {row.episode_id: row.is_certified for row in await connection.execute(query)}


async def count_removed(connection: AsyncConnection, version: Row[Any]) -> int:
    """Return how many episodes of a version were erased or lack its scope now."""
    kept = select(func.count()).select_from(_member.join(_episode, _member.c.episode_id == _episode.c.id))
    kept = kept.where(_member.c.version_id == version.id, is_allowed(version.scope))
    return int(version.n_episodes - (await connection.execute(kept)).scalar_one())


async def find_loss(connection: AsyncConnection, version: Row[Any]) -> Loss:
    """Return what keeps a version from being exported. This computes the digest of every episode again."""
    query = select(_member.c.episode_id, _member.c.digest).where(
        _member.c.version_id == version.id, _member.c.episode_id.is_not(None)
    )
    saved = {row.episode_id: row.digest for row in await connection.execute(query)}
    now = await _read_digests(connection, sorted(saved), version.as_of)
    changed = sum(now.get(id_) != digest for id_, digest in saved.items())
    return Loss(await count_removed(connection, version), changed)


async def describe_games(connection: AsyncConnection, version_id: UUID) -> list[Row[Any]]:
    """Return the numbers of episodes, steps, players and certified episodes of each game, of what is not erased."""
    query = text(
        """
        SELECT e.game_id, count(*) AS episodes, sum(e.n_steps)::bigint AS steps,
          count(DISTINCT e.user_id) AS players, count(*) FILTER (WHERE d.is_certified) AS certified,
          min(e.time_created) AS first, max(e.time_created) AS last
        FROM dataset_episode d JOIN episode e ON e.id = d.episode_id WHERE d.version_id = :version
        GROUP BY e.game_id ORDER BY e.game_id
        """
    )
    return list(await connection.execute(query, {"version": version_id}))


async def _describe_documents(connection: AsyncConnection, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return version, language, SHA-256 and number of episodes of the consent documents that players answered.

    An entry with nulls counts the episodes that the owner has decided about, which have no consent on record.
    """
    query = text(
        """
        SELECT d.version, d.language, d.sha256, count(*) AS episodes
        FROM episode e
        LEFT JOIN consent c ON c.id = e.consent_id LEFT JOIN consent_document d ON d.sha256 = c.document_sha256
        WHERE e.id = ANY(:ids) GROUP BY d.version, d.language, d.sha256 ORDER BY 1, 2, 3
        """
    )
    return [dict(row._mapping) for row in await connection.execute(query, {"ids": list(ids)})]


async def compare_versions(connection: AsyncConnection, first: UUID, second: UUID) -> Comparison:
    """Count what two versions share, of one dataset or of two."""
    query = text(
        """
        WITH a AS (SELECT * FROM dataset_episode WHERE version_id = :first AND episode_id IS NOT NULL),
        b AS (SELECT * FROM dataset_episode WHERE version_id = :second AND episode_id IS NOT NULL),
        joined AS (
          SELECT e.game_id, a.episode_id IS NOT NULL AS is_first, b.episode_id IS NOT NULL AS is_second,
            (a.digest, a.is_certified) IS NOT DISTINCT FROM (b.digest, b.is_certified) AS is_same
          FROM a FULL JOIN b ON b.episode_id = a.episode_id
          JOIN episode e ON e.id = coalesce(a.episode_id, b.episode_id)
        )
        SELECT game_id, count(*) FILTER (WHERE is_first AND is_second AND is_same) AS same,
          count(*) FILTER (WHERE is_first AND is_second AND NOT is_same) AS changed,
          count(*) FILTER (WHERE is_first AND NOT is_second) AS only_first,
          count(*) FILTER (WHERE is_second AND NOT is_first) AS only_second
        FROM joined GROUP BY game_id ORDER BY game_id
        """
    )
    games = list(await connection.execute(query, {"first": first, "second": second}))
    erased = select(_member.c.version_id, func.count()).where(
        _member.c.version_id.in_([first, second]), _member.c.episode_id.is_(None)
    )
    counts = {row[0]: row[1] for row in await connection.execute(erased.group_by(_member.c.version_id))}
    totals = {
        name: sum(getattr(row, name) for row in games) for name in ("same", "changed", "only_first", "only_second")
    }
    return Comparison(**totals, erased_first=counts.get(first, 0), erased_second=counts.get(second, 0), games=games)


async def add_successors(connection: AsyncConnection) -> list[Row[Any]]:
    """Add a version without them to each dataset whose newest version has lost episodes; return the new versions.

    An episode is lost if it was erased or lacks the version's scope. The new version names the lost ones by the
    pseudonyms that they have in exports, so that holders of an export can delete them.
    """
    newest = select(_version.c.dataset_name, func.max(_version.c.number)).group_by(_version.c.dataset_name)
    added = []
    for name, number in (await connection.execute(newest.order_by(_version.c.dataset_name))).all():
        version = await get_version(connection, name, number)
        if not await count_removed(connection, version):
            continue
        await _lock_dataset(connection, name)
        if (await get_version(connection, name)).number == number:  # no other server was faster
            added.append(await _add_successor(connection, version))
    return added


async def add_publication(connection: AsyncConnection, *, version_id: UUID, address: str) -> None:
    """Note that a version was uploaded to an address."""
    stored = select(_version.c.publications).where(_version.c.id == version_id).with_for_update()
    publications = (await connection.execute(stored)).scalar_one()
    now = (await connection.execute(select(func.now()))).scalar_one().isoformat(timespec="seconds")
    changed = update(_version).where(_version.c.id == version_id)
    await connection.execute(changed.values(publications={**publications, address: now}))


async def _add_successor(connection: AsyncConnection, version: Row[Any]) -> Row[Any]:
    joined = _member.outerjoin(_episode, _member.c.episode_id == _episode.c.id)
    query = select(_member, _episode.c.user_id, _episode.c.n_steps, is_allowed(version.scope).label("is_allowed"))
    rows = (await connection.execute(query.select_from(joined).where(_member.c.version_id == version.id))).all()
    kept = [row for row in rows if row.episode_id is not None and row.is_allowed]
    names = ("pseudonym", "episode_id", "digest", "is_certified")
    members = [{name: getattr(row, name) for name in names} for row in kept]
    copied = ("query", "filters", "scope", "description", "schema_version", "software", "as_of", "n_without_consent")
    values = {
        **{name: getattr(version, name) for name in copied},
        "cause": REMOVAL,
        "consent_documents": await _describe_documents(connection, [row.episode_id for row in kept]),
        "n_steps": sum(row.n_steps for row in kept),
        "n_players": len({row.user_id for row in kept}),
        "removed": sorted({row.pseudonym for row in rows} - {member["pseudonym"] for member in members}),
    }
    return await _add_version(connection, version.dataset_name, values, members)


async def _add_version(
    connection: AsyncConnection, name: str, values: Mapping[str, Any], members: Sequence[Mapping[str, Any]]
) -> Row[Any]:
    """Insert a version with the next number. The dataset is locked."""
    highest = select(func.coalesce(func.max(_version.c.number), 0)).where(_version.c.dataset_name == name)
    row = {
        **values,
        "id": new_episode_id(),
        "dataset_name": name,
        "number": (await connection.execute(highest)).scalar_one() + 1,
        "n_episodes": len(members),
        "digest": _digest_members(members),
    }
    await connection.execute(insert(_version).values(row))
    for start in range(0, len(members), BATCH):
        batch = [{**member, "version_id": row["id"]} for member in members[start : start + BATCH]]
        await connection.execute(insert(_member), batch)
    return await get_version(connection, name, row["number"])


def _digest_members(members: Iterable[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of lines `pseudonym digest certified`, sorted."""
    lines = sorted(f"{one['pseudonym']} {one['digest']} {one['is_certified']:d}" for one in members)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def _lock_dataset(connection: AsyncConnection, name: str) -> str:
    """Create the dataset if it is new, lock it until the transaction ends, and return its key."""
    stored = select(_dataset.c.key).where(_dataset.c.name == name).with_for_update()
    key: str | None = (await connection.execute(stored)).scalar()
    if key is None:
        key = secrets.token_hex(32)
        await connection.execute(insert(_dataset).values(name=name, key=key))
    return key


async def _read_digests(connection: AsyncConnection, ids: Sequence[UUID], as_of: datetime) -> dict[UUID, str]:
    found: dict[UUID, str] = {}
    for start in range(0, len(ids), BATCH):
        parameters = {"ids": list(ids[start : start + BATCH]), "as_of": as_of}
        found |= {row.id: row.digest for row in await connection.execute(text(_DIGESTS), parameters)}
    return found


async def _read_certified(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, bool]:
    rows = await connection.execute(text(_CERTIFIED), {"ids": list(ids)})
    return {row.episode_id: row.is_certified for row in rows}


async def find_named_ids(connection: AsyncConnection, query: str) -> dict[str, str]:
    """Return the ids of players and episodes in a condition, each with the text that an export publishes instead.

    An id is found whether or not the condition selects what it names: `player_id <> '...'` names a player too. What
    looks like the id of an episode (a UUID) or of a user (32 hexadecimal digits) counts even if it was erased.
    """
    named: dict[str, str] = {}
    for word in _WORD.findall(query):
        if _USER_ID.fullmatch(word):
            named[word] = A_PLAYER
        elif _EPISODE_ID.fullmatch(word):
            named[word] = AN_EPISODE
    quoted = {word for literal in _LITERAL.findall(query) for word in _WORD.findall(literal)}
    users = select(_user.c.id).where(_user.c.id.in_(sorted(quoted)))
    return named | dict.fromkeys((await connection.execute(users)).scalars(), A_PLAYER)


async def _check_anonymous(connection: AsyncConnection, query: str) -> None:
    """Check that the query, which exports publish, names no player or episode by the id in the database."""
    if await find_named_ids(connection, query):
        raise InvalidRequest(
            "The condition names a player or an episode by its id, and a dataset publishes its condition. Use other "
            "filters."
        )
