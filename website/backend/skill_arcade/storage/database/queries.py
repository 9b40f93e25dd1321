"""What is asked of the database. Each function takes a connection; the caller owns the transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, TextClause, case, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.storage.database import tables
from skill_arcade.storage.database.erasures import id_after_erasure, is_erased
from skill_arcade.storage.database.tables import CertificateResult, EpisodeStatus

_table = tables.Table.metadata.tables
_user, _game, _episode = _table["user"], _table["game"], _table["episode"]
_transition, _segment, _event = _table["transition"], _table["segment"], _table["event"]
_certificate = _table["certificate"]
MAX_PAGE_SIZE = 1000
"""Episodes that one page of a list may hold."""


@dataclass(frozen=True, slots=True)
class EpisodeListItem:
    """An episode as a list shows it. `email` is None once erased."""

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
    """What the player chose of what the game offers."""
    certificate: CertificateResult | None = None
    """What the newest re-run found; None: it was not run again yet."""


async def upsert_user(connection: AsyncConnection, user_id: str, email: str) -> str:
    """Make sure that there is a user of this e-mail, and return the user's id.

    That is `user_id` unless the e-mail has an id already, from before the server's key was changed, or the account
    of that id was erased: who comes back begins anew, under another id.
    """
    while await is_erased(connection, user_id):
        user_id = id_after_erasure(user_id)
    await connection.execute(insert(_user).values(id=user_id, email=email).on_conflict_do_nothing())
    mine = select(_user.c.id, _user.c.email).where(or_(_user.c.email == email, _user.c.id == user_id))
    found = (await connection.execute(mine.order_by(case((_user.c.email == email, 0), else_=1)).limit(1))).one()
    if found.email != email:
        await connection.execute(update(_user).where(_user.c.id == found.id).values(email=email))
    return str(found.id)


async def get_user(connection: AsyncConnection, user_id: str) -> Row[Any] | None:
    """The user's row (`id, email, time_created, time_updated`), or None."""
    return (await connection.execute(select(_user).where(_user.c.id == user_id))).one_or_none()


async def upsert_games(connection: AsyncConnection, games: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the catalogue down: id to manifest. A game that is gone from the catalogue keeps its row."""
    if not games:
        return
    rows = [{"id": id_, "config": dict(games[id_])} for id_ in sorted(games)]
    made = insert(_game)
    await connection.execute(
        made.on_conflict_do_update(
            index_elements=["id"],
            set_={"config": made.excluded.config, "time_updated": func.now()},
            where=_game.c.config.is_distinct_from(made.excluded.config),
        ),
        rows,
    )


async def list_games(connection: AsyncConnection) -> list[Row[Any]]:
    """Every game that was ever in the catalogue (`id, config, time_created, time_updated`), by id."""
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
) -> list[EpisodeListItem]:
    """A page of episodes, newest first.

    Args:
        connection: where to ask.
        user: only this user's: id or e-mail.
        game: only of this game: id.
        status: only those that stand like this.
        before: continue after the page whose last episode this is.
        limit: length of the page, 1 to 1000.
        where: SQL, a condition on the columns of `episode_summary`; of someone who may read everything.
    """
    user_id = None
    if user is not None:
        who = select(_user.c.id).where(or_(_user.c.id == user, _user.c.email == user))
        user_id = (await connection.execute(who)).scalar()
        if user_id is None:
            return []
    query = page_query(user_id, game, status, before, limit)
    if where is not None:
        query = query.where(filter_episodes(where))
    lines = [EpisodeListItem(*row) for row in await connection.execute(query)]
    results = await _newest_results(connection, [line.id for line in lines])
    return [replace(line, certificate=results.get(line.id)) for line in lines]


def page_query(
    user_id: str | None, game: str | None, status: EpisodeStatus | None, before: UUID | None, limit: int
) -> Select[Any]:
    """The question of `list_episodes`: it goes down one index, however many episodes there are."""
    query = _list_item_query().order_by(_episode.c.id.desc()).limit(min(max(limit, 1), MAX_PAGE_SIZE))
    if user_id is not None:
        query = query.where(_episode.c.user_id == user_id)
    if game is not None:
        query = query.where(_episode.c.game_id == game)
    if status is not None:
        query = query.where(_episode.c.status == status)
    if before is not None:
        query = query.where(_episode.c.id < before)
    return query


async def _newest_results(connection: AsyncConnection, episodes: Sequence[UUID]) -> dict[UUID, CertificateResult]:
    """What the newest re-run of each of these episodes found, as far as there was one."""
    query = (
        select(_certificate.c.episode_id, _certificate.c.result)
        .ext(distinct_on(_certificate.c.episode_id))
        .where(_certificate.c.episode_id.in_(episodes))
        .order_by(_certificate.c.episode_id, _certificate.c.time_created.desc())
    )
    return {row.episode_id: row.result for row in await connection.execute(query)}


def _list_item_query() -> Select[Any]:
    name = _game.c.config["name"].astext
    columns = {
        "id": _episode.c.id,
        "user_id": _episode.c.user_id,
        "email": _user.c.email,
        "game_id": _episode.c.game_id,
        "game_name": case((name.is_(None), _game.c.id), else_=name),
        "n_steps": _episode.c.n_steps,
        "score": _episode.c.score,
        "status": _episode.c.status,
        "end_reason": _episode.c.end_reason,
        "time_created": _episode.c.time_created,
        "time_ended": _episode.c.time_ended,
        "options": func.coalesce(_episode.c.provenance["options"], text("'{}'::jsonb")),
    }
    joined = _episode.join(_user, _user.c.id == _episode.c.user_id).join(_game, _game.c.id == _episode.c.game_id)
    return select(*(column.label(label) for label, column in columns.items())).select_from(joined)


def filter_episodes(where: str) -> TextClause:
    """The episodes whose line of `episode_summary` fulfils this condition, in SQL."""
    condition = where.replace("\\", "\\\\").replace(":", r"\:")
    return text(f"episode.id IN (SELECT episode_id FROM episode_summary WHERE (\n{condition}\n))")


async def episode_summary(connection: AsyncConnection, episode_id: UUID) -> dict[str, Any]:
    """The episode's line of the view `episode_summary`. Raises NotFound."""
    query = text("SELECT * FROM episode_summary WHERE episode_id = :id")
    found = (await connection.execute(query, {"id": episode_id})).one_or_none()
    if found is None:
        raise NotFound(f"There is no episode {episode_id}.")
    return dict(found._mapping)


async def get_episode(connection: AsyncConnection, episode_id: UUID) -> Row[Any]:
    """All columns of an episode, and `email` of the player and `game_name`.

    Raises:
        NotFound: there is no such episode.
    """
    line = _list_item_query().subquery()
    query = select(_episode, line.c.email, line.c.game_name).join(line, line.c.id == _episode.c.id)
    found = (await connection.execute(query.where(_episode.c.id == episode_id))).one_or_none()
    if found is None:
        raise NotFound(f"There is no episode {episode_id}.")
    return found


async def find_episode(connection: AsyncConnection, prefix: str) -> EpisodeListItem:
    """Find an episode by the beginning of its id.

    Raises:
        InvalidRequest: these are no digits of an id, or several episodes begin like this.
        NotFound: no episode begins like this.
    """
    digits = prefix.replace("-", "").lower()
    if not 1 <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):
        raise InvalidRequest(f"{prefix!r} is no episode's id: give its hexadecimal digits, or the first few.")
    lowest, highest = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    query = _list_item_query().where(_episode.c.id.between(lowest, highest)).order_by(_episode.c.id).limit(2)
    found = [EpisodeListItem(*row) for row in await connection.execute(query)]
    if not found:
        raise NotFound(f"There is no episode {prefix!r}; `skill-arcade episodes` lists them.")
    if len(found) > 1:
        both = f"{found[0].id}, {found[1].id}"
        raise InvalidRequest(f"Several episodes begin with {prefix!r}: {both}, ...; give more digits.")
    return found[0]


async def episode_transitions(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """The transitions of an episode, by step."""
    return await _parts(connection, _transition, episode_id, "step")


async def episode_segments(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """The delivered segments of an episode, by number."""
    return await _parts(connection, _segment, episode_id, "number")


async def get_segment(connection: AsyncConnection, episode_id: UUID, number: int) -> Row[Any]:
    """One delivered segment of an episode. Raises NotFound."""
    query = select(_segment).where(_segment.c.episode_id == episode_id, _segment.c.number == number)
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        raise NotFound(f"Of the episode {episode_id} no segment {number} is kept, at least not yet.")
    return found


async def episode_events(connection: AsyncConnection, episode_id: UUID) -> list[Row[Any]]:
    """The events of an episode, by number."""
    return await _parts(connection, _event, episode_id, "number")


async def count_parts(connection: AsyncConnection, episode_id: UUID) -> tuple[int, dict[str, int]]:
    """How many transitions an episode has, and how many events of each kind."""
    transitions = select(func.count()).where(_transition.c.episode_id == episode_id)
    events = select(_event.c.kind, func.count()).where(_event.c.episode_id == episode_id).group_by(_event.c.kind)
    n_transitions = (await connection.execute(transitions)).scalar_one()
    return n_transitions, {row[0]: row[1] for row in await connection.execute(events)}


async def count_devices(connection: AsyncConnection, episode_id: UUID) -> dict[str, int]:
    """How many presses came from each input device, most first."""
    device, number = _event.c.data["device"].astext, func.count()
    query = select(device, number).where(_event.c.episode_id == episode_id, _event.c.kind == "input")
    pressed = query.where(_event.c.data["down"].astext == "true").group_by(device).order_by(number.desc(), device)
    return {row[0]: row[1] for row in await connection.execute(pressed)}


async def _parts(connection: AsyncConnection, table: Table, episode_id: UUID, order: str) -> list[Row[Any]]:
    query = select(table).where(table.c.episode_id == episode_id).order_by(table.c[order])
    return list(await connection.execute(query))
