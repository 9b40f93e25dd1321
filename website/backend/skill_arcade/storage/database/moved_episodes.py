"""Episodes that move between servers: let go by one, continued by another under its fence (rules R26 to R28)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, null, or_, select, text, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.agents import check_references
from skill_arcade.storage.database.erasures import lock_user
from skill_arcade.storage.database.provisional_ends import SERVER_LOST, is_provisional, take_back_end
from skill_arcade.storage.database.tables import Table, Transition
from skill_arcade.storage.database.work import WorkKind, request_work

_table = Table.metadata.tables
_lease, _episode, _segment, _event = (_table[name] for name in ("game_lease", "episode", "segment", "event"))
_server = _table["server"]

MOVED_AWAY = "taken-over"
"""Reason of the end of an episode that was handed over, if no server can continue it."""
# The end is that of the last stored step or event, as for a lost server.
_END = text("""
    UPDATE episode SET end_reason = :reason, time_updated = now(), time_handed_over = NULL, time_ended = time_created +
        interval '1 microsecond' * greatest(0,
            (SELECT t.server_us FROM transition t WHERE t.episode_id = :id ORDER BY t.step DESC LIMIT 1),
            (SELECT max(v.server_us) FROM event v WHERE v.episode_id = :id))
    WHERE id = :id AND time_ended IS NULL
""")


class Claim(Enum):
    """Why a game cannot be claimed."""

    lost = "a newer connection has taken the lease"
    waits = "another server still has the game, or has not uploaded the episode yet"


@dataclass(frozen=True, slots=True)
class StoredInput:
    """An input of a lockstep episode, or with `control` None a pause, which releases all controls."""

    step: int
    control: str | None
    down: bool
    at_us: int
    received_us: int
    frame: int | None


@dataclass(frozen=True, slots=True)
class OpenEpisode:
    """An episode without an end, which the caller may continue from its last stored step.

    `before` is the key of the last observation, and `objects` are those of the segment that has it. `elapsed_us` is the
    time from the start of the episode to now: that of its last record, and the database's time since its upload.
    `is_whole` is False if the server before did not hand it over, so that steps may be lost. `journal_id` is the
    journal of that server, which may have shipped more (rule R34), and `fence_before` its greatest fence.
    `lockstep_inputs` are the inputs if it is played in lockstep, or None.
    """

    id: UUID
    game_id: str
    seed: int
    environment: dict[str, Any]
    provenance: dict[str, Any]
    time_created: datetime
    score: float
    actions: list[int]
    n_segments: int
    n_events: int
    before: str
    objects: dict[str, str]
    elapsed_us: int
    server_id: UUID | None
    is_whole: bool
    lockstep_inputs: list[StoredInput] | None
    journal_id: UUID | None
    fence_before: int


@dataclass(frozen=True, slots=True)
class LostServer:
    """A player's server that is lost, or silent, and of whose game nothing is stored. `journal_id` is None if unknown.

    It may have shipped something of it.
    """

    journal_id: UUID | None


@dataclass(frozen=True, slots=True)
class LostEpisode:
    """An episode of a lost server that was claimed under `fence`. `stored` is None if nothing of it was stored."""

    fence: int
    stored: OpenEpisode | None


async def release_game(connection: AsyncConnection, user_id: str, server_id: UUID, episode_id: UUID | None) -> None:
    """Note that a server has let a player's game go. `episode_id` is the episode that it has handed over, if any."""
    mine = (_lease.c.user_id == user_id) & (_lease.c.game_server_id == server_id)
    await connection.execute(update(_lease).where(mine).values(game_server_id=None, moved_episode_id=episode_id))


async def return_game(connection: AsyncConnection, user_id: str, server_id: UUID, episode_id: UUID) -> None:
    """Hand an episode over again that a server has claimed and did not begin to continue, because it stops."""
    is_open = (_episode.c.id == episode_id) & (_episode.c.server_id == server_id) & _episode.c.time_ended.is_(None)
    values = {"time_handed_over": func.now(), "time_updated": func.now()}
    await connection.execute(update(_episode).where(is_open).values(**values))
    await release_game(connection, user_id, server_id, episode_id)


async def keep_game(connection: AsyncConnection, user_id: str, server_id: UUID, fence: int) -> bool | None:
    """Note that a server continues the game that it has, for a new connection.

    Returns False if another server has it by now, and None if a newer connection has taken the lease.
    """
    row = await _lock_lease(connection, user_id)
    if row is None or row.fence != fence:
        return None
    if row.game_server_id not in (None, server_id):
        return False
    await _set_game_server(connection, user_id, server_id)
    return True


async def claim_game(
    connection: AsyncConnection,
    user_id: str,
    server_id: UUID,
    fence: int,
    can_continue: Callable[[OpenEpisode], bool],
    *,
    is_silent: bool,
    is_overdue: bool,
    lost_within: timedelta,
) -> OpenEpisode | Claim | LostServer | None:
    """Note that a server has the player's game from now on. Return the episode to continue, or None for a new game.

    From then on, segments of the servers before are refused. The caller owns the transaction.

    * `fence`: that of the lease, which the caller has taken.
    * `can_continue`: whether an episode is one of the game that the player wants, and can be re-simulated.
    * `is_silent`: the server that has the game did not let it go in time, so that it counts as lost.
    * `is_overdue`: the last segment of an episode that was handed over did not arrive in time, so that it is left out.
    * `lost_within`: time for which an episode can be continued that was ended because its server was lost or stopped.
    """
    lease = await _lock_lease(connection, user_id)
    if lease is None or lease.fence != fence:
        return Claim.lost
    state = _GameServer.gone
    if lease.game_server_id not in (None, server_id):
        state = await _find_state(connection, lease.game_server_id, server_id)
        if state is _GameServer.running and not is_silent:
            return Claim.waits
    episode_id = lease.moved_episode_id
    if state is not _GameServer.gone:
        newest = select(_episode.c.id).where(_episode.c.user_id == user_id).order_by(_episode.c.id.desc()).limit(1)
        episode_id = await connection.scalar(newest)
    row = None if episode_id is None else await _find_open(connection, episode_id, lost_within)
    if episode_id == lease.moved_episode_id and not is_overdue and await _is_uploading(connection, episode_id, row):
        return Claim.waits
    if row is not None and not await _try_lock(connection, row.id):
        if not is_overdue:
            return Claim.waits
        await _set_game_server(connection, user_id, server_id)
        return None
    if row is not None:  # a segment may have been stored before it was locked
        row = await _find_open(connection, row.id, lost_within)
    await _set_game_server(connection, user_id, server_id)
    if row is not None:
        return await _continue(connection, row, server_id, fence, can_continue)
    if state is _GameServer.gone:
        return None
    return LostServer(await _find_journal(connection, lease.game_server_id))


async def end_moved_episode(connection: AsyncConnection, episode_id: UUID) -> None:
    """End an episode at its last stored record, because no server continues it."""
    await connection.execute(_END, {"id": episode_id, "reason": MOVED_AWAY})
    await request_work(connection, WorkKind.CERTIFY, str(episode_id))


async def claim_lost_episode(
    connection: AsyncConnection, row: Mapping[str, Any], fence_before: int
) -> LostEpisode | None:
    """Claim an episode of a lost server, to add what that server has shipped and not uploaded (rule R35).

    `row` is its row if nothing of it is stored yet, and `fence_before` the fence of what was shipped. Returns None if
    it has another end, or goes on elsewhere. From then on, what the lost server uploads of it is refused, and that
    server learns that it has lost the game. The caller owns the transaction.

    Raises:
        AccountErased, ConsentWithdrawn: the player does not allow it any more.
    """
    fence = int(await connection.scalar(text("SELECT nextval('game_lease_fence')")) or 0)
    stored = None
    if not await add_lost_episode(connection, row, fence):
        is_lost = (_episode.c.end_reason == SERVER_LOST) & (_episode.c.fence == fence_before)
        since = (func.now() - _episode.c.time_updated).label("since_upload")
        query = select(_episode, since).where(_episode.c.id == row["id"], is_lost)
        found = (await connection.execute(query.with_for_update(skip_locked=True))).one_or_none()
        if found is None or (stored := await _read_open(connection, found)) is None:
            return None
        await take_back_end(connection, row["id"])
        values = {"fence": fence, "time_updated": func.now()}
        await connection.execute(update(_episode).where(_episode.c.id == row["id"]).values(**values))
    held = (_lease.c.user_id == row["user_id"]) & (_lease.c.server_id == row["server_id"])
    await connection.execute(update(_lease).where(held).values(fence=fence))
    return LostEpisode(fence, stored)


async def add_lost_episode(connection: AsyncConnection, row: Mapping[str, Any], fence: int) -> bool:
    """Add an episode of a lost server, of which nothing was uploaded, under `fence`. Return False if it is stored.

    Raises:
        AccountErased, ConsentWithdrawn: the player does not allow it any more.
    """
    await lock_user(connection, row["user_id"])
    checked = await check_references(connection, row)
    new = insert(_episode).values(**checked, fence=fence).on_conflict_do_nothing()
    return await connection.scalar(new.returning(_episode.c.id)) is not None


async def end_lost_episode(connection: AsyncConnection, episode_id: UUID) -> None:
    """End a claimed episode of a lost server at its last stored record: what was shipped could not be added."""
    await connection.execute(_END, {"id": episode_id, "reason": SERVER_LOST})
    await request_work(connection, WorkKind.CERTIFY, str(episode_id))


async def has_open_episodes(connection: AsyncConnection, journal_id: UUID) -> bool:
    """Return whether an episode of the servers of a journal has no end."""
    servers = select(_server.c.id).where(_server.c.journal_id == journal_id)
    query = select(_episode.c.id).where(_episode.c.server_id.in_(servers), _episode.c.time_ended.is_(None)).limit(1)
    return await connection.scalar(query) is not None


class _GameServer(Enum):
    """Another server that has a player's game."""

    running = "it gives signs of life"
    lost = "it does not"
    gone = "it has stopped in order, or its journal is this server's: its episodes are ended by their journal"


async def _find_state(connection: AsyncConnection, other_id: UUID, server_id: UUID) -> _GameServer:
    own_journal = select(_server.c.journal_id).where(_server.c.id == server_id).scalar_subquery()
    is_gone = or_(_server.c.time_ended.is_not(None), _server.c.journal_id == own_journal)
    query = select(is_gone, _server.c.time_expires >= func.now()).where(_server.c.id == other_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return _GameServer.lost
    if row[0]:
        return _GameServer.gone
    return _GameServer.running if row[1] else _GameServer.lost


async def _is_uploading(connection: AsyncConnection, episode_id: UUID | None, row: Any) -> bool:
    """Return whether the last segment of an episode that was handed over is still missing."""
    if episode_id is None:
        return False
    if row is not None:
        return row.time_handed_over is None
    return await connection.scalar(select(_episode.c.id).where(_episode.c.id == episode_id)) is None


async def _lock_lease(connection: AsyncConnection, user_id: str) -> Any:
    return (await connection.execute(select(_lease).where(_lease.c.user_id == user_id).with_for_update())).one_or_none()


async def _set_game_server(connection: AsyncConnection, user_id: str, server_id: UUID) -> None:
    values = {"game_server_id": server_id, "moved_episode_id": None}
    await connection.execute(update(_lease).where(_lease.c.user_id == user_id).values(**values))


async def _find_open(connection: AsyncConnection, episode_id: UUID, lost_within: timedelta) -> Any:
    """Return an episode without an end, or whose server was lost or stopped a short time ago; None: it has ended."""
    was_lost = is_provisional() & (_episode.c.time_updated > func.now() - literal(lost_within))
    is_open = or_(_episode.c.time_ended.is_(None), was_lost)
    since = (func.now() - _episode.c.time_updated).label("since_upload")
    return (await connection.execute(select(_episode, since).where(_episode.c.id == episode_id, is_open))).one_or_none()


async def _find_journal(connection: AsyncConnection, server_id: UUID | None) -> UUID | None:
    journal_id: UUID | None = await connection.scalar(select(_server.c.journal_id).where(_server.c.id == server_id))
    return journal_id


async def _try_lock(connection: AsyncConnection, episode_id: UUID) -> bool:
    """Lock an episode. Return False if it is locked, perhaps by a server that froze in the middle of an upload."""
    query = select(_episode.c.id).where(_episode.c.id == episode_id).with_for_update(skip_locked=True)
    return await connection.scalar(query) is not None


async def _continue(
    connection: AsyncConnection, row: Any, server_id: UUID, fence: int, can_continue: Callable[[OpenEpisode], bool]
) -> OpenEpisode | None:
    """Refuse what the servers before still upload, and return the episode.

    If it cannot be continued, it is ended if it was handed over; otherwise its server, or the reaper, ends it.
    """
    episode = await _read_open(connection, row)
    if episode is None or not can_continue(episode):
        if row.time_handed_over is not None:
            await end_moved_episode(connection, row.id)
        return None
    await take_back_end(connection, row.id)
    values = {"fence": fence, "server_id": server_id, "time_handed_over": null(), "time_updated": func.now()}
    await connection.execute(update(_episode).where(_episode.c.id == row.id).values(**values))
    return episode


async def _read_open(connection: AsyncConnection, row: Any) -> OpenEpisode | None:
    """Read what a server needs to continue an episode. None: segments of it are missing."""
    segments_query = select(_segment).where(_segment.c.episode_id == row.id).order_by(_segment.c.number)
    segments = (await connection.execute(segments_query)).all()
    is_step = Transition.c.episode_id == row.id
    # One array, because making a row of each of 100,000 steps would delay the other games of this server.
    aggregated = select(func.array_agg(aggregate_order_by(Transition.c.action, Transition.c.step))).where(is_step)
    actions = list(await connection.scalar(aggregated) or [])
    last_step = select(Transition.c.server_us, Transition.c.next_obs_key).where(is_step)
    last = (await connection.execute(last_step.order_by(Transition.c.step.desc()).limit(1))).one_or_none()
    if (
        not segments
        or [segment.number for segment in segments] != [*range(len(segments))]
        or len(actions) != row.n_steps
    ):
        return None
    # The event of a provisional end is taken back.
    of_events = (_event.c.episode_id == row.id) & (_event.c.kind != SERVER_LOST)
    events = select(func.max(_event.c.number), func.max(_event.c.server_us)).where(of_events)
    last_event, event_us = (await connection.execute(events)).one()
    last_us = max(event_us or 0, 0 if last is None else last.server_us)
    return OpenEpisode(
        id=row.id,
        game_id=row.game_id,
        seed=row.seed,
        environment=row.environment,
        provenance=row.provenance,
        time_created=row.time_created,
        score=row.score,
        actions=actions,
        n_segments=len(segments),
        n_events=0 if last_event is None else last_event + 1,
        before="0/0" if last is None else last.next_obs_key,
        objects=next(segment.objects for segment in reversed(segments) if segment.n_frames),
        elapsed_us=last_us + max(0, row.since_upload // timedelta(microseconds=1)),
        server_id=row.server_id,
        is_whole=row.time_handed_over is not None,
        lockstep_inputs=await _read_lockstep_inputs(connection, row),
        journal_id=await _find_journal(connection, row.server_id),
        fence_before=row.fence,
    )


async def _read_lockstep_inputs(connection: AsyncConnection, row: Any) -> list[StoredInput] | None:
    of_episode = _event.c.episode_id == row.id
    if row.provenance.get("mode") != "lockstep":
        return None
    if (
        await connection.scalar(select(_event.c.number).where(of_episode, _event.c.kind == "stream").limit(1))
        is not None
    ):
        return None
    inputs = select(_event).where(of_episode, _event.c.kind.in_(("input", "pause"))).order_by(_event.c.number)
    return [
        StoredInput(
            event.step,
            event.data.get("control"),
            event.data.get("down", False),
            event.client_us or 0,
            event.server_us,
            event.data.get("frame"),
        )
        for event in await connection.execute(inputs)
    ]
