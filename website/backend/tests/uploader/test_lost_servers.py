"""Episodes of lost servers end, and what such a server uploads later takes the end back (rules R23 and R24)."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.certify.process import store_verdict
from skill_arcade.certify.rerun import Verdict
from skill_arcade.storage.database.certificates import NewCertificate, add_certificate, read_upload_times
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.provisional_ends import end_lost_episodes
from skill_arcade.storage.database.servers import add_server, beat, end_server, list_silent
from skill_arcade.storage.database.tables import CertificateResult
from skill_arcade.storage.database.work import Worker, WorkKind
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.reconcile import reconcile
from skill_arcade.uploader.uploader import Uploader
from tests.support.journals import write_episode
from tests.support.uploads import drain, read_rows

pytestmark = pytest.mark.anyio
LIFETIME = timedelta(seconds=60)
ROWS = {
    "episode": "SELECT n_steps, status, score, end_reason, time_created, time_ended, server_id FROM episode",
    "segment": "SELECT number, first_step, n_steps, n_frames, objects, n_events, rows_sha256 FROM segment ORDER BY 1",
    "transition": "SELECT step, action, reward, obs_key, next_obs_key, shown_us, info FROM transition ORDER BY 1",
    "event": "SELECT number, kind, server_us, client_us, step, data FROM event ORDER BY 1",
}


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


async def run_sql(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def start_server(engine: AsyncEngine, journal_id: UUID | None = None) -> UUID:
    """Add a server. Return its id."""
    server = uuid4()
    facts = {"address": "host", "revision": "arcade-00001", "max_games": 8}
    async with transaction(engine) as connection:
        await add_server(connection, server, journal_id or uuid4(), LIFETIME, **facts)
    return server


async def make_silent(engine: AsyncEngine, server: UUID, seconds: int = 90) -> None:
    """Let a server have given no sign of life, and nothing have been uploaded, for some time."""
    columns = ("time_beat", "time_steady", "time_expires")
    moved = ", ".join(f"{column} = {column} - interval '{seconds} s'" for column in columns)
    await run_sql(engine, f"UPDATE server SET {moved} WHERE id = '{server}'")
    await run_sql(
        engine,
        f"UPDATE episode SET time_updated = time_updated - interval '{seconds} s' WHERE server_id = '{server}'",
    )


async def end_lost(engine: AsyncEngine) -> list[UUID]:
    async with transaction(engine) as connection:
        return await end_lost_episodes(connection, LIFETIME)


async def certify(engine: AsyncEngine, episode: UUID) -> None:
    certificate = NewCertificate(episode, CertificateResult.certified, None, "", 4, 0.1, {})
    async with transaction(engine) as connection:
        assert await add_certificate(connection, certificate)


def hide_from(journal: Path, episode: UUID, number: int, hidden: Path) -> None:
    """Move the segments from `number` on out of the journal, as if their server were away."""
    hidden.mkdir()
    for path in sorted((journal / str(episode)).iterdir()):
        if path.stem.isdigit() and int(path.stem) >= number:
            path.rename(hidden / path.name)


def bring_back(journal: Path, episode: UUID, hidden: Path) -> None:
    folder = journal / str(episode)
    folder.mkdir(exist_ok=True)
    for path in hidden.iterdir():
        path.rename(folder / path.name)


async def lose_after(
    uploader: Uploader, journal: Path, engine: AsyncEngine, hidden: Path, segments: tuple[int, ...], stored: int
) -> tuple[UUID, UUID]:
    """Upload the first `stored` segments of an episode and lose its server. Return the server and the episode."""
    server = await start_server(engine)
    header, _ = write_episode(journal, segments=segments, provenance={"server": str(server)})
    hide_from(journal, header.episode_id, stored, hidden)
    await drain(uploader)
    await make_silent(engine, server)
    return server, header.episode_id


async def test_R23_episode_of_lost_server_ends_at_its_last_stored_step_with_an_event(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    server, episode = await lose_after(uploader, journal, engine, tmp_path / "away", (4, 3), 1)
    assert await end_lost(engine) == [episode]
    query = "SELECT status::text, end_reason, n_steps, score, time_ended - time_created FROM episode"
    last_us = 3 * 16_667
    assert await read_rows(engine, query) == [
        ("incomplete", "server-lost", 4, 2.0, timedelta(microseconds=last_us)),
    ]
    query = "SELECT number, server_us, client_us, step, data FROM event WHERE kind = 'server-lost'"
    assert await read_rows(engine, query) == [(4, last_us, None, 4, {"server": str(server)})]
    assert await end_lost(engine) == []


@pytest.mark.parametrize(("segments", "stored"), [((4, 3), 1), ((4, 3, 2), 1), ((4, 3, 2), 2), ((2, 2, 2, 2), 3)])
async def test_R24_late_upload_leaves_the_rows_of_an_episode_that_was_never_lost(
    uploader: Uploader,
    journal: Path,
    objects: DiskObjects,
    engine: AsyncEngine,
    tmp_path: Path,
    segments: tuple[int, ...],
    stored: int,
) -> None:
    hidden = tmp_path / "away"
    server, episode = await lose_after(uploader, journal, engine, hidden, segments, stored)
    assert await end_lost(engine) == [episode]
    await certify(engine, episode)
    bring_back(journal, episode, hidden)
    await drain(uploader)
    late = {name: await read_rows(engine, query) for name, query in ROWS.items()}
    assert await read_rows(engine, "SELECT count(*) FROM certificate") == [(0,)]
    assert uploader.stats.quarantined == 0
    reports = [report async for report in reconcile(journal, objects, engine, read=True)]
    assert [(r.lost, r.duplicated, r.problems, r.is_lost) for r in reports] == [(0, 0, [], False)]
    # The same journal, uploaded at once to an empty database.
    await run_sql(engine, 'TRUNCATE episode, segment, transition, event, certificate, "user", game CASCADE')
    write_episode(journal, segments=segments, provenance={"server": str(server)}, episode_id=episode)
    await drain(uploader)
    assert late == {name: await read_rows(engine, query) for name, query in ROWS.items()}


async def test_R24_server_that_returns_with_more_to_play_has_a_running_episode_again(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    hidden = tmp_path / "away"
    _, episode = await lose_after(uploader, journal, engine, hidden, (4, 3, 2), 1)
    assert await end_lost(engine) == [episode]
    last = hidden / "000002.sealed"
    last.rename(tmp_path / "later")
    bring_back(journal, episode, hidden)
    await drain(uploader)
    query = "SELECT n_steps, end_reason, time_ended FROM episode"
    assert await read_rows(engine, query) == [(7, None, None)]
    assert await read_rows(engine, "SELECT count(*) FROM event WHERE kind = 'server-lost'") == [(0,)]
    assert await end_lost(engine) == []  # it has just been uploaded


async def test_R24_segment_that_is_uploaded_twice_leaves_the_provisional_end(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    server = await start_server(engine)
    header, _ = write_episode(journal, segments=(4, 3), provenance={"server": str(server)})
    hide_from(journal, header.episode_id, 1, tmp_path / "away")
    first = journal / str(header.episode_id) / "000000.sealed"
    data = first.read_bytes()
    await drain(uploader)
    await make_silent(engine, server)
    await end_lost(engine)
    first.parent.mkdir(exist_ok=True)
    first.write_bytes(data)
    await drain(uploader)
    assert await read_rows(engine, "SELECT end_reason, n_steps FROM episode") == [("server-lost", 4)]


async def test_R24_quarantined_end_replaces_the_provisional_end(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    server = await start_server(engine)
    header, _ = write_episode(journal, segments=(4, 3), provenance={"server": str(server)}, infos={5: {"said": "a\0b"}})
    hidden = tmp_path / "away"
    hide_from(journal, header.episode_id, 1, hidden)
    await drain(uploader)
    await make_silent(engine, server)
    await end_lost(engine)
    bring_back(journal, header.episode_id, hidden)
    await drain(uploader)
    assert await read_rows(engine, "SELECT end_reason, n_steps FROM episode") == [("quarantined", 4)]
    assert await read_rows(engine, "SELECT count(*) FROM event WHERE kind = 'server-lost'") == [(0,)]


@pytest.mark.parametrize("ended", [False, True])
async def test_R23_episode_of_running_server_stays_open(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path, ended: bool
) -> None:
    """A server restarts on the same journal, after a crash or an orderly stop. Its episodes are its own again."""
    journal_id = uuid4()
    first = await start_server(engine, journal_id)
    header, _ = write_episode(journal, segments=(4, 3), provenance={"server": str(first)})
    hide_from(journal, header.episode_id, 1, tmp_path / "away")
    await drain(uploader)
    if ended:
        async with transaction(engine) as connection:
            await end_server(connection, first)
    await make_silent(engine, first)
    second = await start_server(engine, journal_id)
    assert await end_lost(engine) == []
    await make_silent(engine, second)
    assert await end_lost(engine) == [header.episode_id]


async def test_R23_episode_that_is_uploaded_although_its_server_is_silent_stays_open(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    server, _ = await lose_after(uploader, journal, engine, tmp_path / "away", (4, 3), 1)
    await run_sql(engine, f"UPDATE episode SET time_updated = now() WHERE server_id = '{server}'")
    assert await end_lost(engine) == []


async def test_R23_episode_without_a_server_ends_after_a_day(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    header, _ = write_episode(journal, segments=(4, 3))
    hide_from(journal, header.episode_id, 1, tmp_path / "away")
    await drain(uploader)
    await run_sql(engine, "UPDATE episode SET time_updated = now() - interval '23 hours'")
    assert await end_lost(engine) == []
    await run_sql(engine, "UPDATE episode SET time_updated = now() - interval '25 hours'")
    assert await end_lost(engine) == [header.episode_id]


async def test_R23_several_reapers_end_each_episode_once(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    server = await start_server(engine)
    for index in range(6):
        header, _ = write_episode(journal, segments=(2, 2), provenance={"server": str(server)})
        hide_from(journal, header.episode_id, 1, tmp_path / f"away{index}")
    await drain(uploader)
    await make_silent(engine, server)
    ended = await asyncio.gather(*(end_lost(engine) for _ in range(4)))
    assert len([episode for part in ended for episode in part]) == 6
    assert await read_rows(engine, "SELECT count(*) FROM event WHERE kind = 'server-lost'") == [(6,)]


async def test_R23_reaper_skips_an_episode_that_is_being_uploaded(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    _, episode = await lose_after(uploader, journal, engine, tmp_path / "away", (4, 3), 1)
    async with engine.begin() as connection:
        await connection.execute(text("SELECT FROM episode FOR UPDATE"))
        assert await asyncio.wait_for(end_lost(engine), 5) == []
    assert await end_lost(engine) == [episode]


async def test_verdict_on_an_episode_that_changed_during_the_rerun_is_dropped(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    hidden = tmp_path / "away"
    _, episode = await lose_after(uploader, journal, engine, hidden, (4, 3), 1)
    await end_lost(engine)
    async with transaction(engine) as connection:
        before = (await read_upload_times(connection, [episode]))[episode]
    bring_back(journal, episode, hidden)
    await drain(uploader)
    verdict = Verdict(CertificateResult.certified, None, "", 4, 0.1, {})
    await store_verdict(engine, episode, verdict, before)
    assert await read_rows(engine, "SELECT count(*) FROM certificate") == [(0,)]
    async with transaction(engine) as connection:
        after = (await read_upload_times(connection, [episode]))[episode]
    await store_verdict(engine, episode, verdict, after)
    assert await read_rows(engine, "SELECT count(*) FROM certificate") == [(1,)]


async def test_verdict_of_a_certifier_that_lost_its_claim_is_dropped(
    uploader: Uploader, journal: Path, engine: AsyncEngine
) -> None:
    header, _ = write_episode(journal)
    await drain(uploader)
    verdict = Verdict(CertificateResult.certified, None, "", 8, 0.1, {})
    (frozen,) = await Worker(engine, [WorkKind.CERTIFY]).claim()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE work SET time_due = now()"))
    (other,) = await Worker(engine, [WorkKind.CERTIFY]).claim()
    await store_verdict(engine, header.episode_id, verdict, claim=frozen)
    assert await read_rows(engine, "SELECT count(*) FROM certificate") == [(0,)]
    await store_verdict(engine, header.episode_id, verdict, claim=other)
    assert await read_rows(engine, "SELECT count(*) FROM certificate") == [(1,)]
    assert await read_rows(engine, "SELECT * FROM work") == []


async def test_ended_episode_is_certified_once_and_again_after_its_end_is_taken_back(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    hidden = tmp_path / "away"
    _, episode = await lose_after(uploader, journal, engine, hidden, (4, 3), 1)
    assert await read_rows(engine, "SELECT * FROM work") == []
    await end_lost(engine)
    assert await read_rows(engine, "SELECT kind, subject FROM work") == [("certify", str(episode))]
    (claim,) = await Worker(engine, [WorkKind.CERTIFY]).claim()
    verdict = Verdict(CertificateResult.certified, None, "", 4, 0.1, {})
    await store_verdict(engine, episode, verdict, claim=claim)
    assert await read_rows(engine, "SELECT * FROM work") == []
    bring_back(journal, episode, hidden)
    await drain(uploader)
    assert await read_rows(engine, "SELECT kind, subject, attempts FROM work") == [("certify", str(episode), 0)]


async def test_R23_server_that_missed_its_own_signs_of_life_is_not_steady(engine: AsyncEngine) -> None:
    server = await start_server(engine)

    async def is_steady() -> bool:
        async with transaction(engine) as connection:
            heartbeat = await beat(connection, server, 3, LIFETIME)
        assert heartbeat is not None
        return heartbeat.is_steady

    assert not await is_steady()  # it has just started
    await run_sql(engine, "UPDATE server SET time_steady = now() - interval '61 s'")
    assert await is_steady()
    await run_sql(engine, "UPDATE server SET time_beat = now() - interval '25 s'")
    assert await is_steady()  # two signs of life are missing
    await run_sql(engine, "UPDATE server SET time_beat = now() - interval '35 s'")
    assert not await is_steady()
    assert not await is_steady()


async def test_silent_servers_are_counted_and_listed_for_a_day(engine: AsyncEngine) -> None:
    running, lost, stopped, old = [await start_server(engine) for _ in range(4)]
    await make_silent(engine, lost)
    await make_silent(engine, old, 90_000)
    async with transaction(engine) as connection:
        await end_server(connection, stopped)
    await make_silent(engine, stopped)
    async with transaction(engine) as connection:
        heartbeat = await beat(connection, running, 2, LIFETIME)
        assert heartbeat is not None
        assert (heartbeat.n_running, heartbeat.n_silent) == (1, 1)
        assert [server.id for server in await list_silent(connection)] == [lost]
        assert await beat(connection, uuid4(), 0, LIFETIME) is None


async def test_check_leaves_running_episodes_to_the_servers_that_play_them(
    uploader: Uploader, journal: Path, objects: DiskObjects, engine: AsyncEngine, tmp_path: Path
) -> None:
    own, other = uuid4(), uuid4()
    for journal_id in (own, other):
        server = await start_server(engine, journal_id)
        header, _ = write_episode(journal, segments=(2, 2), provenance={"server": str(server)})
        hide_from(journal, header.episode_id, 1, tmp_path / journal_id.hex)
    await drain(uploader)
    found = [report.problems async for report in reconcile(journal, objects, engine, journal_id=own)]
    assert found == [["it has no end, and none of its segments is in the journal"], []]
