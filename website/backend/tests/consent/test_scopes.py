"""What an episode may be used for: its consent, withdrawals, the owner's decision, and the erasure that follows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.boards.judge import judge_queue
from skill_arcade.consent.documents import SCOPES
from skill_arcade.errors import ConsentRequired, LinkRevoked
from skill_arcade.ids import new_episode_id
from skill_arcade.storage.database.boards import add_player, enqueue_user
from skill_arcade.storage.database.consents import add_decision, allows, withdraw_scopes
from skill_arcade.storage.database.queries import list_episodes
from skill_arcade.storage.database.shares import create_share, find_share
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.account_eraser import AccountEraser, replay_withdrawals
from skill_arcade.uploader.uploader import Uploader
from tests.support.board_data import CONFIGS, add_episode, add_user
from tests.support.consent import write_consent
from tests.support.journals import write_episode
from tests.support.session_harness import upload_all

pytestmark = pytest.mark.anyio
TABLES = Table.metadata.tables
EPISODE, CONSENT = TABLES["episode"], TABLES["consent"]


@pytest.fixture(autouse=True)
async def strict(engine: AsyncEngine) -> None:
    """Take back the decision by which other tests use rows without a consent."""
    async with engine.begin() as connection:
        await connection.execute(delete(TABLES["consent_decision"]))
        for game, config in CONFIGS.items():
            await connection.execute(TABLES["game"].insert().values(id=game, config=config))


async def play(engine: AsyncEngine, scopes: tuple[str, ...] | None, user: str = "ann") -> UUID:
    """Write a certified episode with these scopes; None: without a consent on record."""
    async with engine.begin() as connection:
        await add_user(connection, user)
        id_ = await add_episode(connection, user, 1.0)
        if scopes is not None:
            consent = UUID(await write_consent(connection, user, scopes))
            await connection.execute(update(EPISODE).where(EPISODE.c.id == id_).values(consent_id=consent))
        return id_


async def withdraw(engine: AsyncEngine, *scopes: str, user: str = "ann") -> None:
    async with engine.begin() as connection:
        document = (await connection.execute(select(TABLES["consent_document"].c.sha256))).scalars().first()
        if document is None:
            await write_consent(connection, user, (), "declined")
            document = (await connection.execute(select(TABLES["consent_document"].c.sha256))).scalar_one()
        await withdraw_scopes(connection, user, scopes, document=document, build="test")


async def list_allowed(engine: AsyncEngine, episode: UUID) -> list[str]:
    async with engine.connect() as connection:
        return [scope for scope in SCOPES if await allows(connection, episode, scope)]


async def test_episode_may_be_used_for_the_scopes_of_its_own_consent(engine: AsyncEngine) -> None:
    first = await play(engine, ("research",))
    second = await play(engine, ("boards", "publication"))
    assert await list_allowed(engine, first) == ["research"]
    assert await list_allowed(engine, second) == ["publication", "boards"]
    async with engine.connect() as connection:
        listed = await list_episodes(connection, scope="research")
    assert [one.id for one in listed] == [first]


async def test_withdrawal_of_a_scope_takes_effect_for_every_episode(engine: AsyncEngine) -> None:
    every, two = await play(engine, SCOPES), await play(engine, ("research", "boards"))
    other = await play(engine, SCOPES, "bob")
    await withdraw(engine, "research")
    assert await list_allowed(engine, every) == ["publication", "boards"]
    assert await list_allowed(engine, two) == ["boards"]
    assert await list_allowed(engine, other) == list(SCOPES)
    later = await play(engine, SCOPES)
    assert await list_allowed(engine, later) == list(SCOPES)


async def test_episode_without_a_consent_goes_by_the_decision_of_the_owner(engine: AsyncEngine) -> None:
    old = await play(engine, None)
    assert await list_allowed(engine, old) == []
    async with engine.begin() as connection:
        await add_decision(connection, ("research",), "paper consents", datetime.now(UTC) - timedelta(days=9000))
    assert await list_allowed(engine, old) == []
    async with engine.begin() as connection:
        await add_decision(connection, ("research", "boards"), "paper consents", datetime.now(UTC) + timedelta(days=1))
    assert await list_allowed(engine, old) == ["research", "boards"]
    await withdraw(engine, "research")
    assert await list_allowed(engine, old) == ["boards"]
    async with engine.begin() as connection:
        await add_decision(connection, (), "taken back", datetime.now(UTC) + timedelta(days=1))
    assert await list_allowed(engine, old) == []


async def test_leaderboard_takes_only_episodes_with_the_scope_boards(engine: AsyncEngine) -> None:
    ranked, refused = await play(engine, ("boards",)), await play(engine, ("research", "publication"))
    async with engine.begin() as connection:
        await add_player(connection, "ann", "Ann", "ann", is_chosen=True)
        await enqueue_user(connection, "ann")
    await judge_queue(engine)
    entry, standing = TABLES["board_entry"], TABLES["board_standing"]
    async with engine.connect() as connection:
        rejections = {row.episode_id: row.rejection for row in await connection.execute(select(entry))}
        assert rejections == {ranked: None, refused: "no-consent"}
    await withdraw(engine, "boards")
    async with engine.connect() as connection:
        assert (await connection.execute(select(standing))).all() == []


async def test_share_link_needs_the_scope_boards_and_ends_with_it(engine: AsyncEngine) -> None:
    shared, private = await play(engine, ("boards",)), await play(engine, ("research",))
    async with engine.begin() as connection:
        _, token = await create_share(connection, shared, "ann")
        with pytest.raises(ConsentRequired):
            await create_share(connection, private, "ann")
        assert (await find_share(connection, token)).episode_id == shared
    await withdraw(engine, "boards")
    async with engine.begin() as connection:
        with pytest.raises(LinkRevoked):
            await find_share(connection, token)


async def test_share_link_of_an_old_episode_is_closed_until_the_owner_decides(engine: AsyncEngine) -> None:
    shared = await play(engine, ("boards",))
    async with engine.begin() as connection:
        _, token = await create_share(connection, shared, "ann")
        await connection.execute(update(EPISODE).values(consent_id=None))
    async with engine.begin() as connection:
        with pytest.raises(LinkRevoked):
            await find_share(connection, token)


async def upload(engine: AsyncEngine, home: Path, consent: str | None) -> UUID:
    provenance = {} if consent is None else {"consent": consent}
    header, _ = write_episode(home / "journal", segments=(3, 2), user_id="ann", provenance=provenance)
    await upload_all(home / "journal", home / "objects", engine)
    return header.episode_id


async def make_consent(engine: AsyncEngine, *scopes: str, user: str = "ann") -> str:
    async with engine.begin() as connection:
        await add_user(connection, user)
        return await write_consent(connection, user, scopes)


async def test_uploaded_episode_points_to_the_consent_of_its_header(engine: AsyncEngine, tmp_path: Path) -> None:
    consent = await make_consent(engine, "research")
    foreign = await make_consent(engine, "research", user="bob")
    ids = [await upload(engine, tmp_path, one) for one in (consent, foreign, str(new_episode_id()), None)]
    async with engine.connect() as connection:
        found = {row.id: row.consent_id for row in await connection.execute(select(EPISODE))}
    assert [found[id_] for id_ in ids] == [UUID(consent), None, None, None]


async def test_withdrawal_of_the_last_scope_erases_rows_and_objects(engine: AsyncEngine, tmp_path: Path) -> None:
    consent, others = await make_consent(engine, "research"), await make_consent(engine, "research", user="bob")
    episode, old = await upload(engine, tmp_path, consent), await upload(engine, tmp_path, None)
    header, _ = write_episode(tmp_path / "journal", user_id="bob", provenance={"consent": others})
    await upload_all(tmp_path / "journal", tmp_path / "objects", engine)
    waiting, _ = write_episode(tmp_path / "journal", user_id="ann", provenance={"consent": consent})
    await withdraw(engine, "research")
    objects = DiskObjects(tmp_path / "objects")
    await AccountEraser(tmp_path / "journal", objects, engine).erase_all()
    await upload_all(tmp_path / "journal", tmp_path / "objects", engine)  # what still waited is dropped
    async with engine.connect() as connection:
        assert (await connection.execute(select(EPISODE.c.id))).scalars().all() == [header.episode_id]
        for table in ("transition", "segment", "event"):
            rows = await connection.execute(select(TABLES[table].c.episode_id).distinct())
            assert rows.scalars().all() == [header.episode_id], table
    names = "\n".join(str(path) for path in tmp_path.rglob("*"))
    assert not any(str(one) in names for one in (episode, old, waiting.episode_id))


async def test_withdrawal_of_one_scope_erases_nothing(engine: AsyncEngine, tmp_path: Path) -> None:
    episode = await upload(engine, tmp_path, await make_consent(engine, "research", "boards"))
    await withdraw(engine, "research")
    await AccountEraser(tmp_path / "journal", DiskObjects(tmp_path / "objects"), engine).erase_all()
    assert await list_allowed(engine, episode) == ["boards"]


async def test_withdrawal_survives_a_restore_of_the_database(engine: AsyncEngine, tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path / "objects")
    eraser = AccountEraser(tmp_path / "journal", objects, engine)
    episode = await upload(engine, tmp_path, await make_consent(engine, *SCOPES))
    await withdraw(engine, "research")
    await eraser.erase_all()
    assert await replay_withdrawals(objects, engine) == 0
    async with engine.begin() as connection:  # as in a backup from before
        await connection.execute(update(CONSENT).values(withdrawn={}, time_withdrawn=None, time_processed=None))
    assert await list_allowed(engine, episode) == list(SCOPES)
    assert await replay_withdrawals(objects, engine) == 1
    assert await list_allowed(engine, episode) == ["publication", "boards"]


async def test_full_withdrawal_survives_a_restore_without_its_own_row(engine: AsyncEngine, tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path / "objects")
    eraser = AccountEraser(tmp_path / "journal", objects, engine)
    await make_consent(engine)
    await upload(engine, tmp_path, None)
    await withdraw(engine, *SCOPES)
    await eraser.erase_all()
    async with engine.begin() as connection:  # as in a backup from before: the episode is back, the answer is not
        await connection.execute(text("DELETE FROM consent"))
    old = await play(engine, None)
    async with engine.begin() as connection:
        await connection.execute(update(EPISODE).values(time_created=datetime(2026, 1, 1, tzinfo=UTC)))
    assert await replay_withdrawals(objects, engine) >= 1
    await eraser.erase_all()
    async with engine.connect() as connection:
        assert old not in (await connection.execute(select(EPISODE.c.id))).scalars().all()


async def test_R21_uploader_drops_a_segment_of_a_withdrawn_consent(engine: AsyncEngine, tmp_path: Path) -> None:
    consent = await make_consent(engine, "research")
    await withdraw(engine, "research")
    write_episode(tmp_path / "journal", user_id="ann", provenance={"consent": consent})
    uploader = Uploader(tmp_path / "journal", DiskObjects(tmp_path / "objects"), engine, workers=1)
    assert uploader.stats.quarantined == 0
    await upload_all(tmp_path / "journal", tmp_path / "objects", engine)
    assert list((tmp_path / "journal").iterdir()) == []
    async with engine.connect() as connection:
        assert (await connection.execute(select(EPISODE))).all() == []
