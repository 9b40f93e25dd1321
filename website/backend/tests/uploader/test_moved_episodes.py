"""Episodes that move between servers: hand-over, fences and what they refuse (R26, R27), and who goes on (O27, O28)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.recording.journal import Journal
from skill_arcade.recording.records import RecordedEvent, SegmentHeader
from skill_arcade.recording.segment import HANDED_OVER, SERVER_STOPPED
from skill_arcade.storage.database import segment_writer
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.game_leases import take_lease
from skill_arcade.storage.database.moved_episodes import (
    Claim,
    LostServer,
    OpenEpisode,
    claim_game,
    keep_game,
    release_game,
    return_game,
)
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.uploader import Uploader
from tests.support.journals import make_header, write_episode
from tests.support.uploads import drain, read_rows
from tests.uploader.test_lost_servers import LIFETIME, bring_back, end_lost, hide_from, run_sql, start_server

pytestmark = pytest.mark.anyio
USER = "user"


@pytest.fixture
def objects(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path / "objects")


async def take(engine: AsyncEngine, server: UUID) -> int:
    async with transaction(engine) as connection:
        return await take_lease(connection, USER, server, LIFETIME)


async def claim(
    engine: AsyncEngine,
    server: UUID,
    fence: int,
    *,
    is_silent: bool = False,
    is_overdue: bool = False,
    can_continue: bool = True,
) -> OpenEpisode | Claim | LostServer | None:
    async with transaction(engine) as connection:
        return await claim_game(
            connection,
            USER,
            server,
            fence,
            lambda _: can_continue,
            is_silent=is_silent,
            is_overdue=is_overdue,
            lost_within=LIFETIME,
        )


async def let_go(engine: AsyncEngine, server: UUID, episode: UUID | None) -> None:
    async with transaction(engine) as connection:
        await release_game(connection, USER, server, episode)


def hand_over(journal: Path, header: SegmentHeader, first_step: int, first_event: int, **data: str) -> None:
    """Write segment 1, with which the server of an episode hands it over. Segment 0 is uploaded."""
    writer = Journal(
        journal, replace(header, number=1, first_step=first_step, first_event=first_event, before=f"0/{first_step}")
    )
    writer.event(RecordedEvent(first_event, HANDED_OVER, 90_000, first_step, None, data))
    writer.hand_over()


async def play_and_lose(
    uploader: Uploader, journal: Path, engine: AsyncEngine, hidden: Path
) -> tuple[UUID, UUID, UUID, int]:
    """Upload the first of two segments of an episode of one server. Return both servers, the episode and the fence."""
    one, two = await start_server(engine), await start_server(engine)
    header, _ = write_episode(journal, segments=(4, 3), provenance={"server": str(one)})
    hide_from(journal, header.episode_id, 1, hidden)
    await drain(uploader)
    assert await claim(engine, one, await take(engine, one), can_continue=False) is None
    return one, two, header.episode_id, await take(engine, two)


async def test_R26_handed_over_episode_continues_after_its_last_segment_is_stored(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    one, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    assert await claim(engine, two, fence) is Claim.waits
    await let_go(engine, one, episode)
    assert await claim(engine, two, fence) is Claim.waits
    hand_over(journal, make_header(episode_id=episode), first_step=4, first_event=4)
    await drain(uploader)
    assert not (journal / str(episode)).exists()
    found = await claim(engine, two, fence)
    assert isinstance(found, OpenEpisode)
    assert (found.id, found.is_whole, found.server_id) == (episode, True, one)
    assert (found.actions, found.n_segments, found.n_events, found.before) == ([0, 1, 2, 3], 2, 5, "0/4")
    assert found.elapsed_us >= 90_000
    assert await read_rows(engine, "SELECT fence, server_id, time_handed_over FROM episode") == [(fence, two, None)]


async def test_R26_handed_over_episode_that_nobody_continues_ends_as_disconnected(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    _, _, episode, _ = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    await run_sql(engine, "UPDATE episode SET time_handed_over = now()")
    assert await end_lost(engine) == []
    await run_sql(engine, "UPDATE episode SET time_handed_over = now() - interval '90 s'")
    assert await end_lost(engine) == [episode]
    assert await read_rows(engine, "SELECT end_reason, n_steps FROM episode") == [("disconnected", 4)]
    assert await read_rows(engine, "SELECT count(*) FROM event WHERE kind = 'server-lost'") == [(0,)]


async def test_R33_end_of_a_server_that_stopped_is_taken_back_by_the_one_that_continues(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    one, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    await let_go(engine, one, episode)
    hand_over(journal, make_header(episode_id=episode), first_step=4, first_event=4, end_reason=SERVER_STOPPED)
    await drain(uploader)
    ended = "SELECT status::text, end_reason, time_ended - time_created = interval '90 ms', n_steps FROM episode"
    assert await read_rows(engine, ended) == [("incomplete", "server-stopped", True, 4)]
    due = "SELECT kind, time_due > now() + interval '50 s' FROM work"
    assert await read_rows(engine, due) == [("certify", True)]
    found = await claim(engine, two, fence)
    assert isinstance(found, OpenEpisode)
    assert (found.id, found.is_whole, found.n_segments) == (episode, True, 2)
    assert await read_rows(engine, "SELECT end_reason, time_ended, fence FROM episode") == [(None, None, fence)]


async def test_R33_end_of_a_server_that_stopped_stays_after_the_time_to_reconnect(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    one, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    await let_go(engine, one, episode)
    hand_over(journal, make_header(episode_id=episode), first_step=4, first_event=4, end_reason=SERVER_STOPPED)
    await drain(uploader)
    await run_sql(engine, "UPDATE episode SET time_updated = now() - interval '90 s'")
    assert await claim(engine, two, fence) is None
    assert await read_rows(engine, "SELECT end_reason, fence FROM episode") == [("server-stopped", 0)]


async def test_O30_claimed_episode_that_is_not_continued_can_be_claimed_by_a_third_server(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    one, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    await let_go(engine, one, episode)
    hand_over(journal, make_header(episode_id=episode), first_step=4, first_event=4)
    await drain(uploader)
    assert isinstance(await claim(engine, two, fence), OpenEpisode)
    async with transaction(engine) as connection:
        await return_game(connection, USER, two, episode)
    three = await start_server(engine)
    found = await claim(engine, three, await take(engine, three))
    assert isinstance(found, OpenEpisode)
    assert (found.id, found.is_whole) == (episode, True)


async def test_R27_segment_of_a_lower_fence_is_set_aside_and_blocks_nothing(
    uploader: Uploader, journal: Path, engine: AsyncEngine, objects: DiskObjects, tmp_path: Path
) -> None:
    _, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    assert isinstance(await claim(engine, two, fence, is_silent=True), OpenEpisode)
    bring_back(journal, episode, tmp_path / "away")
    other, _ = write_episode(journal, segments=(2,))
    await drain(uploader)
    assert (uploader.stats.superseded, uploader.stats.quarantined, uploader.stats.failures) == (1, 0, 0)
    assert not (journal / str(episode)).exists()
    assert await read_rows(engine, f"SELECT n_steps, end_reason FROM episode WHERE id = '{episode}'") == [(4, None)]
    assert await read_rows(engine, f"SELECT count(*) FROM transition WHERE episode_id = '{episode}'") == [(4,)]
    keys = [key async for key in objects.list("episodes/") if str(episode) in key]
    assert {key.rpartition("/")[2] for key in keys} == {"000000.png", "superseded-000001-0.segment"}
    assert await read_rows(engine, f"SELECT n_steps FROM episode WHERE id = '{other.episode_id}'") == [(2,)]


async def test_R27_stored_segment_of_a_lower_fence_may_be_uploaded_again(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    one, two = await start_server(engine), await start_server(engine)
    header, _ = write_episode(journal, segments=(4, 3), provenance={"server": str(one)})
    first = journal / str(header.episode_id) / "000000.sealed"
    copy = first.read_bytes()
    hide_from(journal, header.episode_id, 1, tmp_path / "away")
    await drain(uploader)
    await claim(engine, one, await take(engine, one), can_continue=False)
    assert isinstance(await claim(engine, two, await take(engine, two), is_silent=True), OpenEpisode)
    first.parent.mkdir(exist_ok=True)
    first.write_bytes(copy)
    await drain(uploader)
    assert (uploader.stats.superseded, uploader.stats.failures) == (0, 0)
    assert await read_rows(engine, "SELECT n_steps FROM episode") == [(4,)]


async def test_O27_silent_server_is_awaited_then_the_episode_goes_on_without_it(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    _, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    assert await claim(engine, two, fence) is Claim.waits
    found = await claim(engine, two, fence, is_silent=True)
    assert isinstance(found, OpenEpisode)
    assert (found.id, found.is_whole, len(found.actions)) == (episode, False, 4)


@pytest.mark.parametrize("change", ["time_expires = now() - interval '1 s'", "time_ended = now()", "journal_id = NULL"])
async def test_O27_server_that_is_known_to_be_gone_is_not_awaited(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path, change: str
) -> None:
    one, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    if "journal_id" in change:  # a restart with the same disk, which still has the rest
        change = f"journal_id = (SELECT journal_id FROM server WHERE id = '{two}')"
    await run_sql(engine, f"UPDATE server SET {change} WHERE id = '{one}'")
    found = await claim(engine, two, fence)
    if "expires" in change:
        assert isinstance(found, OpenEpisode)
        assert found.id == episode
    else:  # it ends its episodes itself
        assert found is None


async def test_O28_server_keeps_its_game_only_if_no_other_one_has_claimed_it(
    engine: AsyncEngine, journal: Path, uploader: Uploader, tmp_path: Path
) -> None:
    one, two, _, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")

    async def keep(server: UUID, fence: int) -> bool | None:
        async with transaction(engine) as connection:
            return await keep_game(connection, USER, server, fence)

    assert await keep(one, fence - 1) is None
    back = await take(engine, one)
    assert await keep(one, back) is True
    assert await claim(engine, two, fence) is Claim.lost
    assert isinstance(await claim(engine, two, await take(engine, two), is_silent=True), OpenEpisode)
    assert await keep(one, await take(engine, one)) is False


async def test_O29_episode_that_does_not_fit_ends_if_it_was_handed_over_and_stays_otherwise(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    one, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    assert await claim(engine, two, fence, is_silent=True, can_continue=False) is None
    assert await read_rows(engine, "SELECT end_reason, fence FROM episode") == [(None, 0)]
    back = await take(engine, one)
    await claim(engine, one, back, is_silent=True, can_continue=False)
    await let_go(engine, one, episode)
    await run_sql(engine, "UPDATE episode SET time_handed_over = now()")
    assert await claim(engine, two, await take(engine, two), can_continue=False) is None
    assert await read_rows(engine, "SELECT end_reason, time_ended - time_created FROM episode") == [
        ("taken-over", timedelta(microseconds=3 * 16_667))
    ]
    assert await read_rows(engine, f"SELECT kind FROM work WHERE subject = '{episode}'") == [("certify",)]


async def test_O27_upload_that_is_frozen_in_its_transaction_loses_its_lock_and_is_repeated(
    uploader: Uploader, journal: Path, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_rows, waits = segment_writer._copy_rows, [3.0]

    async def freeze(*arguments: Any) -> None:
        if waits:
            await asyncio.sleep(waits.pop())
        await copy_rows(*arguments)

    monkeypatch.setattr(segment_writer, "MAX_IDLE_SECONDS", 1)
    monkeypatch.setattr(segment_writer, "_copy_rows", freeze)
    write_episode(journal, segments=(4,))
    await drain(uploader)
    assert uploader.stats.failures == 1
    assert await read_rows(engine, "SELECT n_steps FROM episode") == [(4,)]


async def test_O27_episode_that_a_frozen_upload_has_locked_is_left_alone(
    uploader: Uploader, journal: Path, engine: AsyncEngine, tmp_path: Path
) -> None:
    _, two, episode, fence = await play_and_lose(uploader, journal, engine, tmp_path / "away")
    async with engine.begin() as frozen:
        await frozen.execute(text("SELECT FROM episode FOR UPDATE"))
        assert await claim(engine, two, fence, is_silent=True) is Claim.waits
        assert await claim(engine, two, fence, is_silent=True, is_overdue=True) is None
    assert await read_rows(engine, f"SELECT fence FROM episode WHERE id = '{episode}'") == [(0,)]
