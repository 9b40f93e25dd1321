"""Which finished episodes have no certificate yet, and writing one down."""

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
    """A certificate to write; the columns of the table."""

    episode_id: UUID
    result: CertificateResult
    step: int | None
    reason: str
    n_steps: int
    seconds: float
    versions: dict[str, Any]


async def list_uncertified(connection: AsyncConnection, limit: int) -> list[UUID]:
    """Finished episodes that were never run again, oldest first."""
    done = exists().where(_certificate.c.episode_id == _episode.c.id)
    query = select(_episode.c.id).where(_episode.c.time_ended.is_not(None), ~done).order_by(_episode.c.id).limit(limit)
    return list((await connection.execute(query)).scalars())


async def list_finished(connection: AsyncConnection) -> list[UUID]:
    """All finished episodes, oldest first."""
    query = select(_episode.c.id).where(_episode.c.time_ended.is_not(None)).order_by(_episode.c.id)
    return list((await connection.execute(query)).scalars())


async def add_certificate(connection: AsyncConnection, certificate: NewCertificate) -> None:
    """Keep what a re-run found, unless the episode was erased meanwhile. Earlier ones stay."""
    there = (
        select(_episode.c.id).where(_episode.c.id == certificate.episode_id).with_for_update(key_share=True, read=True)
    )
    if (await connection.execute(there)).first() is None:
        return
    fields = NewCertificate.__slots__
    values = {name: getattr(certificate, name) for name in fields}
    await connection.execute(insert(_certificate).values(**values).on_conflict_do_nothing())


async def newest_certificate(connection: AsyncConnection, episode_id: UUID) -> Any:
    """The row of an episode's newest certificate, or None."""
    query = select(_certificate).where(_certificate.c.episode_id == episode_id)
    return (await connection.execute(query.order_by(_certificate.c.time_created.desc()).limit(1))).one_or_none()
