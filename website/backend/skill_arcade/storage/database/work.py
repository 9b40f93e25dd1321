"""Work that several processes share: each piece is done by the one that claims it.

The caller owns the transaction; only the database's clock counts. A claim is a lease: a process that dies, or is
frozen, loses it after `LEASE`, and another process does the work.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    String,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import NotReady
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.tables import Table

log = logging.getLogger(__name__)

_work = Table.metadata.tables["work"]

LEASE = timedelta(seconds=60)
"""Time for which a claim holds without a renewal."""
RENEWALS_PER_LEASE = 4
MIN_FAILING_ATTEMPTS = 6
"""Number of attempts after which work counts as failing: after half a minute of retries."""
POLL_SECONDS, IDLE_POLL_SECONDS = 1.0, 4.0
"""Intervals at which a process looks for work: at first, and after `N_FAST_POLLS` in vain. Ten idle servers then send
fewer than 50 statements a second, with those that begin and end transactions (`benchmarks servers`)."""
N_FAST_POLLS = 10
MAX_RETRY_DELAY = timedelta(hours=1)
"""Longest time until work that failed is tried again."""


class WorkKind(StrEnum):
    """What is done, and to what: to an episode, a user, a consent or a requested export."""

    CERTIFY = "certify"
    ERASE = "erase"
    ARCHIVE = "archive"
    WITHDRAW = "withdraw"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Claim:
    """Work that `worker` has claimed. `attempts` counts the claims of it, with this one."""

    kind: WorkKind
    subject: str
    requests: int
    attempts: int
    worker: UUID


@dataclass(frozen=True, slots=True)
class FailingWork:
    """Work that was claimed at least `MIN_FAILING_ATTEMPTS` times and is not done."""

    kind: WorkKind
    subject: str
    attempts: int
    time_created: datetime


# What the tables say is to be done: work of an earlier version, or of a restored database.
_MISSING = text("""
    INSERT INTO work (kind, subject, time_due)
    SELECT 'certify', e.id::text, now() FROM episode e
        WHERE e.time_ended IS NOT NULL AND NOT EXISTS (SELECT FROM certificate c WHERE c.episode_id = e.id)
    UNION ALL SELECT 'erase', user_id, now() FROM erasure WHERE time_erased IS NULL
    UNION ALL SELECT 'withdraw', id::text, now() FROM consent WHERE withdrawn != '{}'::jsonb AND time_processed IS NULL
    ON CONFLICT DO NOTHING
""")


def poll_pause(n_idle_polls: int) -> float:
    """Return the seconds until a process looks for work again, after it has found none this many times."""
    return POLL_SECONDS if n_idle_polls < N_FAST_POLLS else IDLE_POLL_SECONDS


async def request_work(
    connection: AsyncConnection, kind: WorkKind, *subjects: str, delay: timedelta = timedelta(0)
) -> None:
    """Request work, which is due after `delay`. What of it is being done is done once more afterwards."""
    if not subjects:
        return
    due = func.now() + literal(delay)
    new = insert(_work).values([{"kind": kind, "subject": subject, "time_due": due} for subject in subjects])
    time_due = case((_work.c.worker.is_(None), due), else_=_work.c.time_due)
    again = {"requests": _work.c.requests + 1, "time_due": time_due}
    await connection.execute(new.on_conflict_do_update(index_elements=["kind", "subject"], set_=again))


async def request_missing(connection: AsyncConnection) -> int:
    """Request all work that the tables show and nobody has requested. Return how much."""
    return (await connection.execute(_MISSING)).rowcount


async def claim_work(
    connection: AsyncConnection, worker: UUID, kinds: Sequence[WorkKind], limit: int = 1
) -> list[Claim]:
    """Claim up to `limit` pieces of work that nobody does, the one that is due for longest first."""
    is_due = and_(_work.c.kind.in_(kinds), _work.c.time_due <= func.now())
    due = select(_work.c.kind, _work.c.subject).where(is_due).order_by(_work.c.time_due, _work.c.time_created)
    found = due.limit(limit).with_for_update(skip_locked=True).cte("found")
    claimed = (
        update(_work)
        .where(_work.c.kind == found.c.kind, _work.c.subject == found.c.subject)
        .values(worker=worker, attempts=_work.c.attempts + 1, time_due=func.now() + literal(LEASE))
        .returning(_work.c.kind, _work.c.subject, _work.c.requests, _work.c.attempts)
    )
    rows = await connection.execute(claimed)
    return [Claim(WorkKind(row.kind), row.subject, row.requests, row.attempts, worker) for row in rows]


async def renew_claims(connection: AsyncConnection, worker: UUID) -> None:
    """Renew the claims that a process has."""
    renewed = update(_work).where(_work.c.worker == worker).values(time_due=func.now() + literal(LEASE))
    await connection.execute(renewed)


async def finish_work(connection: AsyncConnection, claim: Claim) -> bool:
    """Note that work was done. Return False if the claim was lost: what another process does counts.

    Call it in the transaction that stores the result. Work that was requested again meanwhile waits to be claimed.
    """
    own = await connection.scalar(select(_work.c.requests).where(_is_own(claim)).with_for_update())
    if own is None:
        return False
    if own == claim.requests:
        await connection.execute(delete(_work).where(_is_own(claim)))
    else:
        await connection.execute(update(_work).where(_is_own(claim)).values(worker=None, time_due=func.now()))
    return True


async def retry_later(connection: AsyncConnection, claim: Claim, delay: timedelta | None = None) -> None:
    """Give a claim back. The work waits for `delay`, by default twice as long with each attempt, from a second on."""
    if delay is None:
        delay = min(timedelta(seconds=2 ** min(claim.attempts - 1, 20)), MAX_RETRY_DELAY)
    waiting = update(_work).where(_is_own(claim)).values(worker=None, time_due=func.now() + literal(delay))
    await connection.execute(waiting)


async def release_claims(connection: AsyncConnection, worker: UUID) -> None:
    """Give all claims of a process back, so that another one does the work at once."""
    released = update(_work).where(_work.c.worker == worker).values(worker=None, time_due=func.now())
    await connection.execute(released)


async def has_work(connection: AsyncConnection, kind: WorkKind) -> bool:
    """Return whether work of this kind is to be done or is being done."""
    return bool(await connection.scalar(select(exists().where(_work.c.kind == kind))))


async def list_failing(connection: AsyncConnection) -> list[FailingWork]:
    """Return the work that fails again and again, oldest first."""
    columns = [_work.c[name] for name in FailingWork.__slots__]
    query = select(*columns).where(_work.c.attempts >= MIN_FAILING_ATTEMPTS).order_by(_work.c.time_created)
    return [FailingWork(WorkKind(kind), *values) for kind, *values in await connection.execute(query)]


async def delete_work(connection: AsyncConnection, kind: WorkKind, subjects: Iterable[str]) -> None:
    """Delete work that needs not be done any more, whoever does it."""
    named = _work.c.subject == func.any(bindparam("subjects", list(subjects), ARRAY(String)))
    await connection.execute(delete(_work).where(_work.c.kind == kind, named))


async def delete_exports(connection: AsyncConnection, user_id: str) -> None:
    """Delete the exports that a user has requested, whoever makes them."""
    is_own = _work.c.subject.startswith(f"{user_id}/", autoescape=True)
    await connection.execute(delete(_work).where(_work.c.kind == WorkKind.EXPORT, is_own))


class Worker:
    """A process that claims work, and renews its claims in the background."""

    def __init__(self, engine: AsyncEngine, kinds: Sequence[WorkKind]) -> None:
        self.id, self._engine, self._kinds = uuid4(), engine, kinds

    async def claim(self, limit: int = 1) -> list[Claim]:
        """Claim up to `limit` pieces of work. Raises NotReady, DBAPIError."""
        async with transaction(self._engine) as connection:
            return await claim_work(connection, self.id, self._kinds, limit)

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[None]:
        """Renew the claims meanwhile; give back at the end what was neither finished nor postponed."""
        task = asyncio.create_task(self._renew(), name="renew claims")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            try:
                async with transaction(self._engine) as connection:
                    await release_claims(connection, self.id)
            except (NotReady, DBAPIError, OSError) as error:  # the leases end by themselves
                log.warning("cannot give claims back error=%s: %s", type(error).__name__, error)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / RENEWALS_PER_LEASE)
            try:
                async with transaction(self._engine) as connection:
                    await renew_claims(connection, self.id)
            except (NotReady, DBAPIError, OSError) as error:
                log.warning("cannot renew claims error=%s: %s", type(error).__name__, error)


def _is_own(claim: Claim) -> ColumnElement[bool]:
    return and_(
        _work.c.kind == claim.kind,
        _work.c.subject == claim.subject,
        _work.c.worker == claim.worker,
        _work.c.attempts == claim.attempts,
    )
