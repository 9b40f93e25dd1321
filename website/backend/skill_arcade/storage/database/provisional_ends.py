"""Ends of episodes whose server is lost, or has stopped. They are provisional: an upload or a move takes them back."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, or_, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.database.work import WorkKind, request_work

_table = Table.metadata.tables
_episode, _event, _certificate = _table["episode"], _table["event"], _table["certificate"]

SERVER_LOST = "server-lost"
"""Reason of a provisional end, and kind of the event that says so."""
SERVER_STOPPED = "server-stopped"
"""Reason of the end of an episode whose server stopped. It is provisional if the episode was handed over (rule R33)."""
MAX_LEGACY_SILENCE = timedelta(days=1)
"""Time without an upload after which an episode ends that names no server, because an earlier version played it."""
MAX_ENDED_EPISODES = 200
"""Maximum number of episodes that are ended in one transaction."""
# An episode that is being uploaded is locked, and is skipped.
_END = text("""
    WITH lost AS (
        SELECT e.id, e.n_steps, e.server_id,
            CASE WHEN e.time_handed_over IS NULL THEN 'server-lost' ELSE 'disconnected' END AS reason
        FROM episode e
        WHERE e.time_ended IS NULL AND (
            e.time_handed_over < now() - CAST(:lifetime AS interval)
            OR e.time_updated < now() -
                CASE WHEN e.server_id IS NULL THEN CAST(:legacy AS interval) ELSE CAST(:lifetime AS interval) END
            AND NOT EXISTS (
                SELECT FROM server own JOIN server s ON s.journal_id = own.journal_id
                WHERE own.id = e.server_id AND s.time_expires >= now()))
        ORDER BY e.id LIMIT :limit FOR UPDATE OF e SKIP LOCKED
    ), measured AS (
        SELECT lost.*,
            coalesce((SELECT max(v.number) + 1 FROM event v WHERE v.episode_id = lost.id), 0) AS number,
            greatest(0,
                (SELECT t.server_us FROM transition t WHERE t.episode_id = lost.id ORDER BY t.step DESC LIMIT 1),
                (SELECT max(v.server_us) FROM event v WHERE v.episode_id = lost.id)) AS server_us
        FROM lost
    ), ended AS (
        UPDATE episode e SET end_reason = measured.reason, time_updated = now(),
            time_ended = e.time_created + measured.server_us * interval '1 microsecond'
        FROM measured WHERE e.id = measured.id RETURNING e.id
    ), noted AS (
        INSERT INTO event (episode_id, number, kind, server_us, step, data)
        SELECT id, number, 'server-lost', server_us, n_steps, jsonb_build_object('server', server_id)
        FROM measured WHERE reason = 'server-lost'
    )
    SELECT id FROM ended
""")


async def end_lost_episodes(connection: AsyncConnection, lifetime: timedelta) -> list[UUID]:
    """End running episodes whose journal no server has looked after, and without an upload, for `lifetime`.

    An episode ends at its last stored step or event. Several servers may call it at once; each episode is ended once.
    One that was handed over, and that no server has continued for `lifetime`, ends as `disconnected`.
    """
    values = {"lifetime": lifetime, "legacy": MAX_LEGACY_SILENCE, "limit": MAX_ENDED_EPISODES}
    ended = list((await connection.execute(_END, values)).scalars())
    await request_work(connection, WorkKind.CERTIFY, *(str(episode) for episode in ended))
    return ended


def is_provisional() -> ColumnElement[bool]:
    """Return the condition that an episode has an end which can be taken back."""
    is_left = and_(_episode.c.end_reason == SERVER_STOPPED, _episode.c.time_handed_over.is_not(None))
    return or_(_episode.c.end_reason == SERVER_LOST, is_left)


async def take_back_end(connection: AsyncConnection, episode_id: UUID) -> None:
    """Take a provisional end back, with its event and the certificates of what was stored then.

    The caller holds a lock on the episode's row.
    """
    is_ended = (_episode.c.id == episode_id) & is_provisional()
    values = {"end_reason": None, "time_ended": None}
    if (await connection.execute(update(_episode).where(is_ended).values(**values))).rowcount == 0:
        return
    await connection.execute(delete(_event).where(_event.c.episode_id == episode_id, _event.c.kind == SERVER_LOST))
    await connection.execute(delete(_certificate).where(_certificate.c.episode_id == episode_id))
