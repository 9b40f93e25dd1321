"""Shared work: each piece has one worker at a time, a lost worker's is done by another, and none is forgotten."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database import work
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.work import (
    IDLE_POLL_SECONDS,
    MIN_FAILING_ATTEMPTS,
    N_FAST_POLLS,
    POLL_SECONDS,
    Claim,
    Worker,
    WorkKind,
    claim_work,
    delete_work,
    finish_work,
    list_failing,
    poll_pause,
    renew_claims,
    request_work,
    retry_later,
)
from tests.support.uploads import read_rows

pytestmark = pytest.mark.anyio
ONE, TWO = uuid4(), uuid4()


async def request(engine: AsyncEngine, *subjects: str) -> None:
    async with transaction(engine) as connection:
        await request_work(connection, WorkKind.CERTIFY, *subjects)


async def claim(engine: AsyncEngine, worker: UUID, limit: int = 1) -> list[Claim]:
    async with transaction(engine) as connection:
        return await claim_work(connection, worker, [WorkKind.CERTIFY], limit)


async def finish(engine: AsyncEngine, done: Claim) -> bool:
    async with transaction(engine) as connection:
        return await finish_work(connection, done)


async def expire(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE work SET time_due = now() - interval '1 ms'"))


async def test_each_piece_is_claimed_by_one_of_concurrent_workers(engine: AsyncEngine) -> None:
    subjects = [f"episode{number:02}" for number in range(24)]
    await request(engine, *subjects)

    async def work_off(worker: UUID) -> list[str]:
        done = []
        while claims := await claim(engine, worker, 2):
            for one in claims:
                assert await finish(engine, one)
                done.append(one.subject)
        return done

    done = await asyncio.gather(*(work_off(uuid4()) for _ in range(6)))
    assert sorted(subject for some in done for subject in some) == subjects
    assert await read_rows(engine, "SELECT * FROM work") == []


async def test_other_kind_is_not_claimed(engine: AsyncEngine) -> None:
    await request(engine, "episode")
    async with transaction(engine) as connection:
        assert await claim_work(connection, ONE, [WorkKind.ERASE, WorkKind.WITHDRAW], 5) == []


async def test_expired_claim_is_taken_over_and_its_worker_cannot_finish(engine: AsyncEngine) -> None:
    await request(engine, "episode")
    (first,) = await claim(engine, ONE)
    assert await claim(engine, TWO) == []
    await expire(engine)
    (second,) = await claim(engine, TWO)
    assert (second.subject, second.attempts) == ("episode", 2)
    async with transaction(engine) as connection:
        await renew_claims(connection, ONE)  # of a worker that was frozen and has lost it
        await retry_later(connection, first)
    assert not await finish(engine, first)
    assert await finish(engine, second)


async def test_renewed_claim_does_not_expire(engine: AsyncEngine) -> None:
    await request(engine, "episode")
    (own,) = await claim(engine, ONE)
    await expire(engine)
    async with transaction(engine) as connection:
        await renew_claims(connection, ONE)
    assert await claim(engine, TWO) == []
    assert await finish(engine, own)


async def test_request_during_the_work_repeats_it(engine: AsyncEngine) -> None:
    await request(engine, "episode")
    (first,) = await claim(engine, ONE)
    await request(engine, "episode")
    assert await claim(engine, TWO) == []
    assert await finish(engine, first)
    (again,) = await claim(engine, TWO)
    assert await finish(engine, again)
    assert await claim(engine, TWO) == []


async def test_failed_work_waits_longer_each_time_and_holds_up_no_other(engine: AsyncEngine) -> None:
    await request(engine, "bad", "good")
    delays = []
    waits = text("SELECT extract(epoch FROM time_due - now())::int FROM work WHERE subject = 'bad'")
    for _ in range(4):
        claims = await claim(engine, ONE, 2)
        async with transaction(engine) as connection:  # now() is the time of its start
            for one in claims:
                if one.subject == "bad":
                    await retry_later(connection, one)
                else:
                    assert await finish_work(connection, one)
            delays.append(await connection.scalar(waits))
        await expire(engine)
    assert delays == [1, 2, 4, 8]
    assert await read_rows(engine, "SELECT subject FROM work") == [("bad",)]


async def test_work_that_fails_again_and_again_is_listed(engine: AsyncEngine) -> None:
    await request(engine, "bad", "new")
    for _ in range(MIN_FAILING_ATTEMPTS):
        async with transaction(engine) as connection:
            assert await list_failing(connection) == []
            for one in await claim_work(connection, ONE, [WorkKind.CERTIFY], 2):
                if one.subject == "bad":
                    await retry_later(connection, one, timedelta())
    async with transaction(engine) as connection:
        assert [(work.kind, work.subject, work.attempts) for work in await list_failing(connection)] == [
            (WorkKind.CERTIFY, "bad", MIN_FAILING_ATTEMPTS)
        ]


async def test_many_failures_wait_at_most_an_hour(engine: AsyncEngine) -> None:
    await request(engine, "bad")
    (one,) = await claim(engine, ONE)
    await expire(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE work SET attempts = 100"))
        await retry_later(connection, Claim(one.kind, one.subject, 1, 100, ONE))
        assert await connection.scalar(text("SELECT time_due - now() FROM work")) == timedelta(hours=1)


async def test_worker_gives_back_what_it_has_not_finished(engine: AsyncEngine) -> None:
    await request(engine, "done", "later", "open")
    worker = Worker(engine, [WorkKind.CERTIFY])
    claims = {one.subject: one for one in await worker.claim(3)}
    async with worker.renewing():
        assert await finish(engine, claims["done"])
        async with transaction(engine) as connection:
            await retry_later(connection, claims["later"], timedelta(minutes=5))
    assert [one.subject for one in await claim(engine, TWO, 5)] == ["open"]


async def test_worker_renews_during_long_work(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "LEASE", timedelta(seconds=1.2))
    await request(engine, "long")
    worker = Worker(engine, [WorkKind.CERTIFY])
    (own,) = await worker.claim()
    async with worker.renewing():
        await asyncio.sleep(2.4)
        ((is_renewed,),) = await read_rows(engine, "SELECT time_due - time_created > interval '1.3 s' FROM work")
        assert is_renewed
        assert await finish(engine, own)


async def test_deleted_work_is_nobodys(engine: AsyncEngine) -> None:
    await request(engine, "episode")
    (own,) = await claim(engine, ONE)
    async with transaction(engine) as connection:
        await delete_work(connection, WorkKind.CERTIFY, ["episode"])
    assert not await finish(engine, own)


def test_process_without_work_looks_less_often() -> None:
    pauses = [poll_pause(n) for n in range(N_FAST_POLLS + 2)]
    assert pauses == [POLL_SECONDS] * N_FAST_POLLS + [IDLE_POLL_SECONDS] * 2
