"""What a bucket promises beyond the contract: nothing overwritten or spoilt, whatever the network does."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from skill_arcade.errors import NotReady, ObjectExists, ObjectMissing
from skill_arcade.storage.objects.google import GoogleObjects, RetryPolicy, crc32c
from tests.support.cloud.storage import Answer, Cut, Fault, Held, Kind, Lost, Spoilt, StorageServer, storage_server

pytestmark = pytest.mark.anyio
QUICK = RetryPolicy(connect=30, answer=30, first_wait=0.02, longest_wait=0.1, all_tries=120)
KEY = "episodes/a/000001.png"
PICTURE = bytes(range(256)) * 40


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    with storage_server() as running:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", running.address)
        yield running


@pytest.fixture
async def store(server: StorageServer, anyio_backend: str) -> AsyncIterator[GoogleObjects]:
    opened = GoogleObjects("bucket", workers=3, patience=QUICK)
    yield opened
    await opened.close()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("kind", ["upload", "download", "list", "delete"])
async def test_what_may_pass_is_tried_again(
    server: StorageServer, store: GoogleObjects, kind: Kind, status: int
) -> None:
    server.faults[kind] += [Answer(status), Answer(status)]
    await store.put(KEY, PICTURE)
    assert await store.get(KEY) == PICTURE
    assert [key async for key in store.list("")] == [KEY]
    await store.delete(KEY)
    assert server.bucket.objects == {}
    assert server.asked.count(kind) == 3


async def test_an_upload_whose_answer_got_lost_is_there_once(server: StorageServer, store: GoogleObjects) -> None:
    server.faults["upload"].append(Lost())
    await store.put(KEY, PICTURE)
    assert server.asked == ["upload", "upload", "metadata"]
    assert {name: stored.data for name, stored in server.bucket.objects.items()} == {KEY: PICTURE}


async def test_an_upload_after_somebody_elses_other_bytes_changes_nothing(
    server: StorageServer, store: GoogleObjects
) -> None:
    server.bucket.insert(KEY, PICTURE[::-1], {}, None)
    before = server.bucket.objects[KEY]
    with pytest.raises(ObjectExists, match=f"gs://bucket/{KEY} holds other bytes already"):
        await store.put(KEY, PICTURE)
    assert server.bucket.objects[KEY] is before


async def test_a_download_that_breaks_off_is_got_whole(server: StorageServer, store: GoogleObjects) -> None:
    await store.put(KEY, PICTURE)
    server.faults["download"] += [Cut(), Lost(), Cut()]
    assert await store.get(KEY) == PICTURE
    assert server.asked.count("download") == 4


async def test_a_download_that_was_spoilt_is_never_returned(server: StorageServer, store: GoogleObjects) -> None:
    await store.put(KEY, PICTURE)
    server.faults["download"].append(Spoilt())
    with pytest.raises(NotReady, match="checksum"):
        await store.get(KEY)
    server.faults["download"] += [Cut(), Spoilt()]
    with pytest.raises(NotReady, match="checksum"):
        await store.get(KEY)
    assert await store.get(KEY) == PICTURE


async def test_an_upload_that_was_spoilt_is_not_kept(server: StorageServer, store: GoogleObjects) -> None:
    server.faults["upload"].append(Spoilt())
    with pytest.raises(NotReady, match="doesn't match calculated crc32c"):
        await store.put(KEY, PICTURE)
    assert server.bucket.objects == {}
    await store.put(KEY, PICTURE)


async def test_trying_ends_with_a_reason_at_the_deadline(server: StorageServer) -> None:
    store = GoogleObjects("bucket", patience=RetryPolicy(first_wait=0.02, longest_wait=0.1, all_tries=1))
    server.faults["upload"] += [Answer(503)] * 1000  # these would last for a hundred seconds
    with pytest.raises(NotReady, match=r"tried until the deadline.*503"):
        await store.put(KEY, PICTURE)
    assert 2 < server.asked.count("upload") < 100
    await store.close()


async def test_a_server_that_does_not_answer_is_asked_again(server: StorageServer) -> None:
    store = GoogleObjects("bucket", patience=RetryPolicy(connect=2, answer=0.2, first_wait=0.02, all_tries=10))
    server.faults["upload"].append(Held(until := threading.Event()))
    await store.put(KEY, PICTURE)
    until.set()
    assert server.bucket.objects[KEY].data == PICTURE
    await store.close()


async def test_the_loop_goes_on_while_uploads_hang(server: StorageServer, store: GoogleObjects) -> None:
    until = threading.Event()
    server.faults["upload"] += [Held(until)] * 3
    puts = [asyncio.create_task(store.put(f"a/{i}", PICTURE)) for i in range(3)]
    while server.busy < 3:
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0.001)
    assert server.bucket.objects == {}
    until.set()
    await asyncio.gather(*puts)
    # A loop that one of them held up would have gone on only once that one had been given up, and tried again.
    assert server.asked == ["upload"] * 3
    assert len(server.bucket.objects) == 3


async def test_no_more_run_at_once_than_workers_and_connections_are_kept(
    server: StorageServer, store: GoogleObjects
) -> None:
    await asyncio.gather(*(store.put(f"a/{i}", PICTURE) for i in range(40)))
    assert len(server.bucket.objects) == 40
    assert server.most_busy <= 3
    assert server.connections <= 3


async def test_no_connection_is_lost_whatever_goes_wrong_on_it(server: StorageServer) -> None:
    store = GoogleObjects("bucket", workers=1, patience=RetryPolicy(answer=0.3, first_wait=0.01, longest_wait=0.01))
    until = threading.Event()
    faults: list[Fault] = [Answer(404), Answer(403), Answer(503), Cut(), Lost(), Spoilt(), Held(until)]
    for i, fault in enumerate(faults * 3):
        server.faults["upload"].append(fault)
        server.faults["download"].append(fault)
        for asked in (store.put(f"a/{i}", PICTURE), store.get(f"a/{i}")):
            with contextlib.suppress(NotReady, ObjectMissing):
                await asyncio.wait_for(asked, 60)
    until.set()
    assert await asyncio.wait_for(store.get("a/3"), 60) == PICTURE
    await store.close()


async def test_a_big_object_goes_by_a_session_of_its_own(server: StorageServer, store: GoogleObjects) -> None:
    big = PICTURE * 900
    assert len(big) > 8 * 2**20
    await store.put(KEY, big)
    await store.put(KEY, big)
    assert len(server.sessions) == 1
    assert await store.get(KEY) == big
    with pytest.raises(ObjectExists):
        await store.put(KEY, big[:-1] + b"x")


async def test_many_keys_are_listed_page_by_page(server: StorageServer, store: GoogleObjects) -> None:
    made = [f"episodes/{i:05d}.png" for i in range(2500)]
    for name in made:
        server.bucket.insert(name, b"", {}, None)
    assert [key async for key in store.list("episodes/")] == made
    assert server.asked.count("list") == 3


async def test_an_object_tells_its_kind(server: StorageServer, store: GoogleObjects) -> None:
    await store.put(KEY, PICTURE)
    await store.put("a/000001.npz", b"x")
    assert {name: stored.kind for name, stored in server.bucket.objects.items()} == {
        KEY: "image/png",
        "a/000001.npz": "application/octet-stream",
    }
    assert server.bucket.objects[KEY].crc32c == crc32c(PICTURE)


async def test_a_bucket_that_is_not_there_is_said(server: StorageServer) -> None:
    store = GoogleObjects("another", patience=QUICK)
    for asked in (store.ready(), store.put(KEY, b"x")):
        with pytest.raises(NotReady, match=r"The bucket another can't be used: .*Does GCP_BUCKET_NAME name it right"):
            await asked
    await store.close()


async def test_rights_that_are_missing_are_named(server: StorageServer, store: GoogleObjects) -> None:
    await store.ready()
    server.bucket.granted.remove("storage.objects.create")
    with pytest.raises(NotReady, match=r"may not do storage\.objects\.create in the bucket bucket"):
        await store.ready()
    server.faults["upload"].append(Answer(403))
    with pytest.raises(NotReady, match="this server's account is refused"):
        await store.put(KEY, b"x")


async def test_a_bucket_that_is_away_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        store = GoogleObjects("bucket", patience=RetryPolicy(first_wait=0.02, all_tries=0.2))
    for asked in (store.ready(), store.put(KEY, b"x"), store.get(KEY), store.delete(KEY)):
        with pytest.raises(NotReady, match="The bucket bucket can't be used"):
            await asked
    with pytest.raises(NotReady):
        [key async for key in store.list("")]
    await store.close()


async def test_without_credentials_it_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(NotReady, match="there are no credentials here; run as a service account"):
        GoogleObjects("bucket")
