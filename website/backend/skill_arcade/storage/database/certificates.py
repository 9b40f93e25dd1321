"""Queries about certificates: episodes without one, the newest one, and adding one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.boards import enqueue_episode
from skill_arcade.storage.database.tables import CertificateResult, Table

_episode, _certificate = Table.metadata.tables["episode"], Table.metadata.tables["certificate"]
_death = Table.metadata.tables["death"]


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """The columns of a certificate that is to be inserted."""

    episode_id: UUID
    result: CertificateResult
    step: int | None
    reason: str
    n_steps: int
    seconds: float
    versions: dict[str, Any]


async def find_uncertified(connection: AsyncConnection, episodes: Collection[UUID]) -> dict[UUID, datetime]:
    """Return those of `episodes` that are finished and without a certificate, with the time of their last upload."""
    done = exists().where(_certificate.c.episode_id == _episode.c.id)
    query = select(_episode.c.id, _episode.c.time_updated).where(
        _episode.c.id.in_(episodes), _episode.c.time_ended.is_not(None), ~done
    )
    return {row.id: row.time_updated for row in await connection.execute(query)}


async def list_finished(connection: AsyncConnection) -> list[UUID]:
    """Return all finished episodes, oldest first."""
    query = select(_episode.c.id).where(_episode.c.time_ended.is_not(None)).order_by(_episode.c.id)
    return list((await connection.execute(query)).scalars())


async def read_upload_times(connection: AsyncConnection, episodes: Collection[UUID]) -> dict[UUID, datetime]:
    """Return the time of the last upload of each episode that exists."""
    query = select(_episode.c.id, _episode.c.time_updated).where(_episode.c.id.in_(episodes))
    return {row.id: row.time_updated for row in await connection.execute(query)}


async def add_certificate(
    connection: AsyncConnection, certificate: NewCertificate, time_updated: datetime | None = None
) -> bool:
    """Insert the verdict of a re-run. Earlier certificates are not changed.

    `time_updated` is the time of the last upload before the re-run; None does not compare it. Returns False, without a
    change, if the episode was erased or if more of it was uploaded since.
    """
    locked_episode = (
        select(_episode.c.time_updated).where(_episode.c.id == certificate.episode_id).with_for_update(read=True)
    )
    found = (await connection.execute(locked_episode)).first()
    if found is None or time_updated not in (None, found.time_updated):
        return False
    fields = NewCertificate.__slots__
    values = {name: getattr(certificate, name) for name in fields}
    await connection.execute(insert(_certificate).values(**values).on_conflict_do_nothing())
    await enqueue_episode(connection, certificate.episode_id)
    return True


async def replace_deaths(connection: AsyncConnection, episode_id: UUID, deaths: Sequence[Mapping[str, Any]]) -> None:
    """Store where the player of an episode died, instead of what an earlier re-run found."""
    await connection.execute(delete(_death).where(_death.c.episode_id == episode_id))
    if deaths:
        await connection.execute(insert(_death), [{"episode_id": episode_id, **death} for death in deaths])


async def newest_certificate(connection: AsyncConnection, episode_id: UUID) -> Any:
    """Return the row of an episode's newest certificate, or None if it has none."""
    query = select(_certificate).where(_certificate.c.episode_id == episode_id)
    return (await connection.execute(query.order_by(_certificate.c.time_created.desc()).limit(1))).one_or_none()
