"""Queries of the server and the command line. Each function takes a connection; the caller owns the transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Row,
    Select,
    Table,
    case,
    false,
    func,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.storage.archive.rows import list_archived
from skill_arcade.storage.database import tables
from skill_arcade.storage.database.consents import is_allowed
from skill_arcade.storage.database.erasures import id_after_erasure, is_erased
from skill_arcade.storage.database.tables import CertificateResult, EpisodeStatus

_table = tables.Table.metadata.tables
_user, _game, _episode = _table["user"], _table["game"], _table["episode"]
_transition, _segment, _event = _table["transition"], _table["segment"], _table["event"]
_certificate = _table["certificate"]
_READS_EMAILS = "skill_arcade.reads_emails"
"""Key under which a connection keeps whether its user may read e-mail addresses."""
MAX_PAGE_SIZE = 1000
"""Maximum number of episodes on one page of results."""


@dataclass(frozen=True, slots=True)
class EpisodeListItem:
    """An episode in a list. `email` is None if the account was erased, or if this user may not read e-mails."""

    id: UUID
    user_id: str
    email: str | None
    game_id: str
    game_name: str
    n_steps: int
    score: float
    status: EpisodeStatus
    end_reason: str | None
    time_created: datetime
    time_ended: datetime | None
    options: dict[str, str]
    """The player's choices among the options of the game."""
    is_branch: bool
    """Whether it begins at a frame of another episode."""
    with_agent: bool
    """Whether an agent acted in it until the person took over."""
    certificate: CertificateResult | None = None
    """Result of the newest re-run; None if the episode has not been re-run."""


async def upsert_user(connection: AsyncConnection, user_id: str, email: str, *, is_synthetic: bool = False) -> str:
    """Insert or update the user with this e-mail, and return the user's id.

    A user that is a program once (`is_synthetic`) is never counted as a person again.

    The id is `user_id`, except in two cases. A user whose row was written with another server key has the old id, and a
    user whose account was erased gets a new id.
    """
    while await is_erased(connection, user_id):
        user_id = id_after_erasure(user_id)
    await connection.execute(insert(_user).values(id=user_id, email=email).on_conflict_do_nothing())
    matches = select(_user.c.id, _user.c.email).where(or_(_user.c.email == email, _user.c.id == user_id))
    found = (await connection.execute(matches.order_by(case((_user.c.email == email, 0), else_=1)).limit(1))).one()
    if found.email != email:
        await connection.execute(update(_user).where(_user.c.id == found.id).values(email=email))
    if is_synthetic:
        await connection.execute(update(_user).where(_user.c.id == found.id).values(is_synthetic=True))
    return str(found.id)


async def get_user(connection: AsyncConnection, user_id: str) -> Row[Any] | None:
    """Return the user's row, or None if there is none."""
    return (await connection.execute(select(_user).where(_user.c.id == user_id))).one_or_none()


async def sign_out_user(connection: AsyncConnection, user: str) -> bool:
    """Reject all sessions of a user, by id or e-mail address, from now on. Return False if there is no such user."""
    is_user = or_(_user.c.id == user, _user.c.email == user.lower())
    changed = await connection.execute(update(_user).where(is_user).values(time_signed_out=func.now()))
    return bool(changed.rowcount)


async def upsert_aliases(
    connection: AsyncConnection, aliases: Mapping[str, tuple[str, Mapping[str, str], Mapping[str, Any]]]
) -> None:
    """Store former ids of games: id to game, options and manifest. A manifest that is stored already is kept."""
    if not aliases:
        return
    rows = [
        {"id": id_, "alias_of": game, "alias_options": dict(options), "config": dict(config)}
        for id_, (game, options, config) in sorted(aliases.items())
    ]
    statement = insert(_game)
    added = statement.excluded
    is_changed = or_(
        _game.c.alias_of.is_distinct_from(added.alias_of), _game.c.alias_options.is_distinct_from(added.alias_options)
    )
    is_empty = _game.c.config == literal_column("'{}'::jsonb")
    changes = {
        "alias_of": added.alias_of,
        "alias_options": added.alias_options,
        "config": case((is_empty, added.config), else_=_game.c.config),
        "time_updated": func.now(),
    }
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_=changes, where=or_(is_changed, is_empty)), rows
    )


async def list_recorded_ids(connection: AsyncConnection, game: str) -> list[str]:
    """Return the ids under which episodes of a game are stored: its own and its former ones."""
    query = select(_game.c.id).where(or_(_game.c.id == game, _game.c.alias_of == game)).order_by(_game.c.id)
    return list((await connection.execute(query)).scalars())


async def upsert_games(connection: AsyncConnection, games: Mapping[str, Mapping[str, Any]]) -> None:
    """Store the catalogue: game id to manifest. A game that was removed from the catalogue keeps its row."""
    if not games:
        return
    rows = [{"id": id_, "config": dict(games[id_])} for id_ in sorted(games)]
    statement = insert(_game)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "config": statement.excluded.config,
                "alias_of": None,
                "alias_options": literal_column("'{}'::jsonb"),
                "time_updated": func.now(),
            },
            where=or_(_game.c.config.is_distinct_from(statement.excluded.config), _game.c.alias_of.is_not(None)),
        ),
        rows,
    )


async def list_games(connection: AsyncConnection) -> list[Row[Any]]:
    """Return all games that were ever in the catalogue (`id, config, time_created, time_updated`), by id."""
    return list(await connection.execute(select(_game).order_by(_game.c.id)))


async def list_episodes(
    connection: AsyncConnection,
    *,
    user: str | None = None,
    game: str | None = None,
    status: EpisodeStatus | None = None,
    before: UUID | None = None,
    limit: int = 50,
    where: str | None = None,
    scope: str | None = None,
) -> list[EpisodeListItem]:
    """Return a page of episodes, newest first.

    Args:
        connection: connection to the database.
        user: limits the list to one user, by id or e-mail.
        game: limits the list to one game, by id. A former id selects what was recorded under it.
        status: limits the list to episodes with this status.
        before: id of the last episode of the previous page.
        limit: page size, 1 to `MAX_PAGE_SIZE`.
        where: SQL condition on the columns of `episode_summary`. It must come from a user who may read everything.
        scope: limits the list to episodes that may be used for this scope of a consent.
    """
    user_id = None
    if user is not None:
        is_email = _user.c.email == user if await may_read_emails(connection) else false()
        user_ids = select(_user.c.id).where(or_(_user.c.id == user, is_email))
        user_id = (await connection.execute(user_ids)).scalar()
        if user_id is None:
            return []
    reads_emails = await may_read_emails(connection)
    games = None if game is None else await list_recorded_ids(connection, game)
    query = page_query(user_id, games, status, before, limit, reads_emails=reads_emails)
    if scope is not None:
        query = query.where(is_allowed(scope))
    if where is not None:
        query = query.where(filter_episodes(where))
    lines = [EpisodeListItem(*row) for row in await connection.execute(query)]
    results = await _newest_results(connection, [line.id for line in lines])
    return [replace(line, certificate=results.get(line.id)) for line in lines]


def page_query(
    user_id: str | None,
    games: Sequence[str] | None,
    status: EpisodeStatus | None,
    before: UUID | None,
    limit: int,
    *,
    reads_emails: bool = True,
) -> Select[Any]:
    """Return the query of `list_episodes`. It scans one index, so its cost does not depend on the table's size."""
    query = _list_item_query(reads_emails).order_by(_episode.c.id.desc()).limit(min(max(limit, 1), MAX_PAGE_SIZE))
    if user_id is not None:
        query = query.where(_episode.c.user_id == user_id)
    if games is not None:
        is_of_game = _episode.c.game_id == games[0] if len(games) == 1 else _episode.c.game_id.in_(games)
        query = query.where(is_of_game)
    if status is not None:
        query = query.where(_episode.c.status == status)
    if before is not None:
        query = query.where(_episode.c.id < before)
    return query


async def _newest_results(connection: AsyncConnection, episodes: Sequence[UUID]) -> dict[UUID, CertificateResult]:
    """Return the result of the newest re-run for each of these episodes that has one."""
    query = (
        select(_certificate.c.episode_id, _certificate.c.result)
        .ext(distinct_on(_certificate.c.episode_id))
        .where(_certificate.c.episode_id.in_(episodes))
        .order_by(_certificate.c.episode_id, _certificate.c.time_created.desc())
    )
    return {row.episode_id: row.result for row in await connection.execute(query)}


async def may_read_emails(connection: AsyncConnection) -> bool:
    """Return whether this database user may read the players' e-mail addresses. Researchers may not."""
    if _READS_EMAILS not in connection.info:
        query = text("""SELECT has_column_privilege('"user"', 'email', 'SELECT')""")
        connection.info[_READS_EMAILS] = bool(await connection.scalar(query))
    return bool(connection.info[_READS_EMAILS])


def _list_item_query(reads_emails: bool) -> Select[Any]:
    name = _game.c.config["name"].astext
    columns = {
        "id": _episode.c.id,
        "user_id": _episode.c.user_id,
        "email": _user.c.email if reads_emails else null(),
        "game_id": _episode.c.game_id,
        "game_name": case((name.is_(None), _game.c.id), else_=name),
        "n_steps": _episode.c.n_steps,
        "score": _episode.c.score,
        "status": _episode.c.status,
        "end_reason": _episode.c.end_reason,
        "time_created": _episode.c.time_created,
        "time_ended": _episode.c.time_ended,
        "options": func.coalesce(_episode.c.provenance["options"], text("'{}'::jsonb")),
        "is_branch": _episode.c.provenance.has_key("branch"),
        "with_agent": _episode.c.provenance.has_key("takeover"),
    }
    joined = _episode.join(_user, _user.c.id == _episode.c.user_id).join(_game, _game.c.id == _episode.c.game_id)
    return select(*(column.label(label) for label, column in columns.items())).select_from(joined)


def filter_episodes(where: str) -> ColumnElement[bool]:
    """Return a condition that selects the episodes whose row of `episode_summary` matches an SQL condition.

    The condition reaches the database as written: `literal_column` knows no bind parameters and no escapes.
    """
    return literal_column(f"episode.id IN (SELECT episode_id FROM episode_summary WHERE (\n{where}\n))", Boolean)


async def episode_summary(connection: AsyncConnection, episode_id: UUID) -> dict[str, Any]:
    """Return the episode's row of the view `episode_summary`. Raises NotFound."""
    query = text("SELECT * FROM episode_summary WHERE episode_id = :id")
    found = (await connection.execute(query, {"id": episode_id})).one_or_none()
    if found is None:
        raise NotFound(f"Episode {episode_id} does not exist.")
    return dict(found._mapping)


async def episode_summaries(connection: AsyncConnection, episode_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return rows of the view `episode_summary` in the order of the ids, with ids as text. Unknown ids are left out."""
    query = text("SELECT * FROM episode_summary WHERE episode_id = ANY(:ids)")
    rows = (await connection.execute(query, {"ids": list(episode_ids)})).mappings()
    found = {row["episode_id"]: {**row, "episode_id": str(row["episode_id"])} for row in rows}
    return [found[id_] for id_ in episode_ids if id_ in found]


async def episode_pace(connection: AsyncConnection, episode_id: UUID) -> dict[str, Any]:
    """Return the episode's row of the view `episode_pace`: pauses and speed."""
    query = text("SELECT * FROM episode_pace WHERE episode_id = :id")
    return dict((await connection.execute(query, {"id": episode_id})).one()._mapping)


async def get_episode(connection: AsyncConnection, episode_id: UUID) -> Row[Any]:
    """Return all columns of an episode, with `email` of the player and `game_name`.

    Raises:
        NotFound: the episode does not exist.
    """
    line = _list_item_query(await may_read_emails(connection)).subquery()
    query = select(_episode, line.c.email, line.c.game_name).join(line, line.c.id == _episode.c.id)
    found = (await connection.execute(query.where(_episode.c.id == episode_id))).one_or_none()
    if found is None:
        raise NotFound(f"Episode {episode_id} does not exist.")
    return found


async def find_episode(connection: AsyncConnection, prefix: str) -> EpisodeListItem:
    """Return the episode whose id starts with `prefix`.

    Raises:
        InvalidRequest: `prefix` is not hexadecimal, or several ids start with it.
        NotFound: no id starts with it.
    """
    digits = prefix.replace("-", "").lower()
    if not 1 <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):
        raise InvalidRequest(f"{prefix!r} is not an episode id: give its hexadecimal digits, or the first few of them.")
    lowest, highest = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    query = (
        _list_item_query(await may_read_emails(connection))
        .where(_episode.c.id.between(lowest, highest))
        .order_by(_episode.c.id)
        .limit(2)
    )
    found = [EpisodeListItem(*row) for row in await connection.execute(query)]
    if not found:
        raise NotFound(f"No episode id starts with {prefix!r}; `skill-arcade episodes` lists episodes.")
    if len(found) > 1:
        both = f"{found[0].id}, {found[1].id}"
        raise InvalidRequest(f"Several episode ids start with {prefix!r}: {both}, ...; give more digits.")
    return found[0]


async def episode_transitions(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """Return the transitions of an episode, by step."""
    return await _list_rows(connection, _transition, episode_id, "step")


async def episode_segments(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """Return the stored segments of an episode, by number."""
    return await _list_rows(connection, _segment, episode_id, "number")


async def get_segment(connection: AsyncConnection, episode_id: UUID, number: int) -> Row[Any]:
    """Return one stored segment of an episode. Raises NotFound."""
    query = select(_segment).where(_segment.c.episode_id == episode_id, _segment.c.number == number)
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise NotFound(f"Segment {number} of episode {episode_id} does not exist or is not uploaded yet.")
    return found


async def episode_events(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """Return the events of an episode, by number."""
    return await _list_rows(connection, _event, episode_id, "number")


async def count_parts(connection: AsyncConnection, episode_id: UUID) -> tuple[int, dict[str, int]]:
    """Return an episode's number of transitions, and its number of events by kind."""
    transitions = select(func.count()).where(_transition.c.episode_id == episode_id)
    events = select(_event.c.kind, func.count()).where(_event.c.episode_id == episode_id).group_by(_event.c.kind)
    n_transitions = (await connection.execute(transitions)).scalar_one()
    n_transitions += (await list_archived(connection, episode_id, episode_id)).get(episode_id, (0, ""))[0]
    return n_transitions, {row[0]: row[1] for row in await connection.execute(events)}


async def count_devices(connection: AsyncConnection, episode_id: UUID) -> dict[str, int]:
    """Return an episode's number of presses by input device, highest number first."""
    device, number = _event.c.data["device"].astext, func.count()
    query = select(device, number).where(_event.c.episode_id == episode_id, _event.c.kind == "input")
    pressed = query.where(_event.c.data["down"].astext == "true").group_by(device).order_by(number.desc(), device)
    return {row[0]: row[1] for row in await connection.execute(pressed)}


async def _list_rows(connection: AsyncConnection, table: Table, episode_id: UUID, order: str) -> list[Row[Any]]:
    query = select(table).where(table.c.episode_id == episode_id).order_by(table.c[order])
    return list(await connection.execute(query))
