"""Queries about judgements: sets of clips, what a judge may see, and answers. The caller owns the transaction.

Rule R38: a clip of a person is drawn, shown and exported only while the player allows it. Rule R39: an item goes with
the first of its episodes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, Row, String, Uuid, bindparam, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from skill_arcade.errors import NameTaken, NotFound
from skill_arcade.ids import new_episode_id
from skill_arcade.storage.archive.rows import show_archived
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.objects import ObjectStore

_table = Table.metadata.tables
_set, _item = _table["judgement_set"], _table["judgement_item"]
_consent = _table["consent"]
_clip, _judgement = _table["judgement_clip"], _table["judgement"]
Audience = Literal["researchers", "everyone"]
SCOPES_OF_AUDIENCE: dict[str, tuple[str, ...]] = {
    "researchers": ("research",),
    # Judges of this kind are other players: what they may see of a recording is what the scope `boards` opens.
    "everyone": ("research", "boards"),
}
"""Scopes that the player of a clip must allow, by who judges."""
# A program's recordings need no consent. The number of scopes that are allowed is compared, so that each is needed.
_ALLOWED = """
(u.is_synthetic OR (
    SELECT count(*) FROM episode_consent c
    WHERE c.episode_id = e.id AND c.scope = ANY(:scopes) AND c.is_allowed
) = cardinality(CAST(:scopes AS text[])))
"""
# Episodes that have ended, with the pictures of all observations, in which only the player has acted.
_CANDIDATES = f"""
SELECT e.id, e.n_steps
FROM episode e
JOIN "user" u ON u.id = e.user_id
JOIN game g ON g.id = e.game_id
WHERE coalesce(g.alias_of, g.id) = :game AND e.time_ended IS NOT NULL AND e.n_steps + 1 >= :n_frames
    AND (u.is_synthetic AND 'programs' = ANY(:sources) OR NOT u.is_synthetic AND 'people' = ANY(:sources))
    AND (:branches OR NOT e.provenance ? 'branch') AND NOT e.provenance ? 'takeover'
    AND (CAST(:version AS uuid) IS NULL
        OR e.id IN (SELECT d.episode_id FROM dataset_episode d WHERE d.version_id = :version))
    AND (SELECT sum(s.n_frames) FROM segment s WHERE s.episode_id = e.id) = e.n_steps + 1
    AND {_ALLOWED}
ORDER BY e.id
"""
# A set has many clips of few episodes, and asking for an episode is what takes time.
_REFUSED = f"""
WITH refused AS MATERIALIZED (
    SELECT e.id
    FROM (SELECT DISTINCT episode_id FROM judgement_clip WHERE set_name = :name) k
    JOIN episode e ON e.id = k.episode_id JOIN "user" u ON u.id = e.user_id
    WHERE NOT {_ALLOWED}
)
"""
# The role `researcher` does not see the clips of refused episodes, so clips are counted as well.
_IS_ALLOWED_ITEM = """
NOT EXISTS (
    SELECT FROM judgement_clip k JOIN refused ON refused.id = k.episode_id
    WHERE k.set_name = i.set_name AND k.number = i.number
)
AND (SELECT count(*) FROM judgement_clip k WHERE k.set_name = i.set_name AND k.number = i.number)
    = (SELECT CASE s.kind WHEN 'pair' THEN 2 ELSE 1 END FROM judgement_set s WHERE s.name = i.set_name)
"""
_ALLOWED_ITEMS = f"""
{_REFUSED}
SELECT i.number, i.repeat_of FROM judgement_item i WHERE i.set_name = :name AND {_IS_ALLOWED_ITEM}
"""
# Of people only, unless asked. A judge's withdrawal deletes their answers.
_RESULTS = f"""
{_REFUSED}
SELECT j.id, j.number, i.repeat_of, i.gold, j.user_id, judge.is_synthetic, j.position, j.is_swapped, j.answer,
    j.rating, j.reaction_ms, j.n_plays, j.build, j.time_created, j.time_retracted
FROM judgement j
JOIN judgement_item i ON i.set_name = j.set_name AND i.number = j.number
JOIN "user" judge ON judge.id = j.user_id
WHERE j.set_name = :name AND (:programs OR NOT judge.is_synthetic)
    AND (:with_retracted OR j.time_retracted IS NULL)
    AND {_IS_ALLOWED_ITEM}
ORDER BY j.id
"""


async def list_candidates(
    connection: AsyncConnection,
    *,
    game: str,
    n_frames: int,
    sources: Sequence[str],
    has_branches: bool,
    version_id: UUID | None,
    scopes: Sequence[str],
) -> list[Row[Any]]:
    """Return `id` and `n_steps` of the episodes that clips may be drawn from, by id.

    Args:
        connection: connection to the database.
        game: id of the game, also for episodes under its former ids.
        n_frames: least number of frames.
        sources: people, programs, or both.
        has_branches: include episodes that begin at a frame of another one.
        version_id: version of a saved dataset that the episodes are of, or None.
        scopes: scopes that players must allow.
    """
    values = {
        "game": game,
        "n_frames": n_frames,
        "sources": list(sources),
        "branches": has_branches,
        "version": version_id,
        "scopes": list(scopes),
    }
    return list(await connection.execute(_bind(_CANDIDATES), values))


async def read_rewards(connection: AsyncConnection, objects: ObjectStore, episode_id: UUID) -> list[float]:
    """Return the rewards of an episode's steps."""
    await show_archived(connection, objects, [episode_id])
    transition = _table["transition"]
    query = select(transition.c.reward).where(transition.c.episode_id == episode_id).order_by(transition.c.step)
    return [float(reward) for reward in (await connection.execute(query)).scalars()]


async def add_set(
    connection: AsyncConnection, values: Mapping[str, Any], items: Sequence[Mapping[str, Any]]
) -> Row[Any]:
    """Store a set with its items, and return its row. Each item has `gold`, `repeat_of` and `clips`, by number.

    Raises:
        NameTaken: a set has this name.
    """
    statement = insert(_set).values(dict(values)).on_conflict_do_nothing().returning(_set)
    added: Row[Any] | None = (await connection.execute(statement)).one_or_none()
    name = values["name"]
    if added is None:
        raise NameTaken(f"A set {name!r} exists. Sets never change: choose another name.")
    rows = [
        {"set_name": name, "number": number, "gold": item["gold"], "repeat_of": item["repeat_of"]}
        for number, item in enumerate(items)
    ]
    clips = [
        {"set_name": name, "number": number, "side": side, **clip}
        for number, item in enumerate(items)
        for side, clip in zip(("first", "second"), item["clips"], strict=False)
    ]
    await connection.execute(insert(_item), rows)
    await connection.execute(insert(_clip), clips)
    return added


async def list_sets(connection: AsyncConnection) -> list[Row[Any]]:
    """Return all sets, the newest first."""
    return list(await connection.execute(select(_set).order_by(_set.c.time_created.desc(), _set.c.name)))


async def get_set(connection: AsyncConnection, name: str) -> Row[Any]:
    """Return a set. Raises NotFound."""
    found = (await connection.execute(select(_set).where(_set.c.name == name))).one_or_none()
    if found is None:
        raise NotFound(f"There is no set of clips {name!r}.")
    return found


async def close_set(connection: AsyncConnection, name: str) -> Row[Any]:
    """Close a set, and return it; a second time changes nothing. Raises NotFound."""
    closed = func.coalesce(_set.c.time_closed, func.now())
    statement = update(_set).where(_set.c.name == name).values(time_closed=closed).returning(_set)
    found: Row[Any] | None = (await connection.execute(statement)).one_or_none()
    if found is None:
        raise NotFound(f"There is no set of clips {name!r}.")
    return found


async def list_allowed_items(connection: AsyncConnection, name: str, scopes: Sequence[str]) -> dict[int, int | None]:
    """Return the numbers of the items whose players allow these scopes now, each with what it repeats or None."""
    rows = await connection.execute(_bind(_ALLOWED_ITEMS), {"name": name, "scopes": list(scopes)})
    return {row.number: row.repeat_of for row in rows}


async def list_repeats(connection: AsyncConnection, name: str) -> dict[int, int]:
    """Return the number of each repeat with the number of the item that it repeats."""
    query = select(_item.c.number, _item.c.repeat_of).where(_item.c.set_name == name, _item.c.repeat_of.is_not(None))
    return {row.number: row.repeat_of for row in await connection.execute(query)}


async def read_clip(connection: AsyncConnection, name: str, number: int, side: str) -> Row[Any]:
    """Return a clip of an item. Raises NotFound."""
    query = select(_clip).where(_clip.c.set_name == name, _clip.c.number == number, _clip.c.side == side)
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise NotFound(f"The set {name!r} has no such clip.")
    return found


async def list_clips(connection: AsyncConnection, name: str) -> list[Row[Any]]:
    """Return the clips of a set that are no repeats, by number and side, with the game and kind of their episodes."""
    query = text(
        """
        SELECT k.*, i.gold, u.is_synthetic, e.provenance ? 'branch' AS is_branch
        FROM judgement_clip k JOIN judgement_item i ON i.set_name = k.set_name AND i.number = k.number
        JOIN episode e ON e.id = k.episode_id JOIN "user" u ON u.id = e.user_id
        WHERE k.set_name = :name AND i.repeat_of IS NULL ORDER BY k.number, k.side
        """
    )
    return list(await connection.execute(query, {"name": name}))


async def list_answered(connection: AsyncConnection, name: str, user_id: str) -> list[int]:
    """Return the numbers of the items that a judge has answered, in the order of the answers."""
    own = (_judgement.c.set_name == name, _judgement.c.user_id == user_id, _judgement.c.time_retracted.is_(None))
    query = select(_judgement.c.number).where(*own).order_by(_judgement.c.time_created, _judgement.c.id)
    return list((await connection.execute(query)).scalars())


async def add_judgement(connection: AsyncConnection, values: Mapping[str, Any]) -> bool:
    """Store an answer; a withdrawal of the judge waits for the transaction's end, and then deletes it.

    Return False if the judge has answered the item already, if the item was deleted, or if the judge has withdrawn
    research.
    """
    if values.get("consent_id") is not None:
        withdrawn = select(_consent.c.withdrawn).where(_consent.c.id == values["consent_id"])
        if "research" in (await connection.execute(withdrawn.with_for_update(read=True))).scalar_one():
            return False
    item = (_item.c.set_name == values["set_name"], _item.c.number == values["number"])
    if (await connection.execute(select(_item.c.number).where(*item).with_for_update(read=True))).first() is None:
        return False
    statement = insert(_judgement).values(id=new_episode_id(), **values).on_conflict_do_nothing()
    return (await connection.execute(statement.returning(_judgement.c.id))).first() is not None


async def retract_last(connection: AsyncConnection, name: str, user_id: str) -> bool:
    """Retract the newest answer of a judge. Return False if there is none."""
    own = (_judgement.c.set_name == name, _judgement.c.user_id == user_id, _judgement.c.time_retracted.is_(None))
    newest = select(_judgement.c.id).where(*own).order_by(_judgement.c.time_created.desc(), _judgement.c.id.desc())
    statement = update(_judgement).where(_judgement.c.id == newest.limit(1).scalar_subquery())
    return (await connection.execute(statement.values(time_retracted=func.now()))).rowcount > 0


async def list_results(
    connection: AsyncConnection,
    name: str,
    scopes: Sequence[str],
    *,
    has_programs: bool = False,
    has_retracted: bool = False,
) -> list[Row[Any]]:
    """Return the answers to a set whose clips may be used for these scopes now, in order.

    Args:
        connection: connection to the database.
        name: the set.
        scopes: scopes that the players of the clips must allow.
        has_programs: include the answers of programs.
        has_retracted: include answers that judges have undone.
    """
    values = {
        "name": name,
        "scopes": list(scopes),
        "programs": has_programs,
        "with_retracted": has_retracted,
    }
    return list(await connection.execute(_bind(_RESULTS), values))


async def remove_items(connection: AsyncConnection, episode_id: UUID) -> None:
    """Delete the items that have a clip of an episode, with all their clips and answers (rule R39)."""
    of_episode = select(_clip.c.set_name, _clip.c.number).where(_clip.c.episode_id == episode_id)
    key = tuple_(_item.c.set_name, _item.c.number)
    await connection.execute(delete(_item).where(key.in_(of_episode)))


def _bind(query: str) -> Any:
    """Return a statement whose lists have the type that Postgres needs to know."""
    types: dict[str, TypeEngine[Any]] = {"scopes": ARRAY(String), "sources": ARRAY(String), "version": Uuid()}
    return text(query).bindparams(
        *(bindparam(name, type_=type_) for name, type_ in types.items() if f":{name}" in query)
    )
