"""Queries about certificates: episodes without one, the newest one, and adding one."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.tables import CertificateResult, Table

_episode, _certificate = Table.metadata.tables["episode"], Table.metadata.tables["certificate"]


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


async def list_uncertified(connection: AsyncConnection, limit: int, skipped: Collection[UUID] = ()) -> list[UUID]:
    """Return up to `limit` finished episodes without a certificate, oldest first, without those in `skipped`."""
    done = exists().where(_certificate.c.episode_id == _episode.c.id)
    query = select(_episode.c.id).where(_episode.c.time_ended.is_not(None), ~done)
    if skipped:
        query = query.where(_episode.c.id.not_in(skipped))
    query = query.order_by(_episode.c.id).limit(limit)
    return list((await connection.execute(query)).scalars())


async def list_finished(connection: AsyncConnection) -> list[UUID]:
    """Return all finished episodes, oldest first."""
    query = select(_episode.c.id).where(_episode.c.time_ended.is_not(None)).order_by(_episode.c.id)
    return list((await connection.execute(query)).scalars())


async def add_certificate(connection: AsyncConnection, certificate: NewCertificate) -> None:
    """Insert the verdict of a re-run. Does nothing if the episode was erased. Earlier certificates are not changed."""
    locked_episode = (
        select(_episode.c.id).where(_episode.c.id == certificate.episode_id).with_for_update(key_share=True, read=True)
    )
    if (await connection.execute(locked_episode)).first() is None:
        return
    fields = NewCertificate.__slots__
    values = {name: getattr(certificate, name) for name in fields}
    await connection.execute(insert(_certificate).values(**values).on_conflict_do_nothing())


async def newest_certificate(connection: AsyncConnection, episode_id: UUID) -> Any:
    """Return the row of an episode's newest certificate, or None if it has none."""
    query = select(_certificate).where(_certificate.c.episode_id == episode_id)
    return (await connection.execute(query.order_by(_certificate.c.time_created.desc()).limit(1))).one_or_none()
