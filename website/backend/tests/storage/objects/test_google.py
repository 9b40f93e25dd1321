"""Tests of the bucket's object store: integrity and retries under network faults."""

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
    opened = GoogleObjects("bucket", workers=3, retry_policy=QUICK)
    yield opened
    await opened.close()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("kind", ["upload", "download", "list", "delete"])
async def test_temporary_status_is_retried(
    server: StorageServer, store: GoogleObjects, kind: Kind, status: int
) -> None:
    server.faults[kind] += [Answer(status), Answer(status)]
    await store.put(KEY, PICTURE)
    assert await store.get(KEY) == PICTURE
    assert [key async for key in store.list("")] == [KEY]
    await store.delete(KEY)
    assert server.bucket.objects == {}
    assert server.asked.count(kind) == 3


async def test_upload_with_lost_response_is_stored_once(server: StorageServer, store: GoogleObjects) -> None:
    server.faults["upload"].append(Lost())
    await store.put(KEY, PICTURE)
    assert server.asked == ["upload", "upload", "metadata"]
    assert {name: stored.data for name, stored in server.bucket.objects.items()} == {KEY: PICTURE}


async def test_upload_to_key_with_other_bytes_is_rejected(server: StorageServer, store: GoogleObjects) -> None:
    server.bucket.insert(KEY, PICTURE[::-1], {}, None)
    before = server.bucket.objects[KEY]
    with pytest.raises(ObjectExists, match=f"gs://bucket/{KEY} already exists with other bytes"):
        await store.put(KEY, PICTURE)
    assert server.bucket.objects[KEY] is before


async def test_interrupted_download_is_retried(server: StorageServer, store: GoogleObjects) -> None:
    await store.put(KEY, PICTURE)
    server.faults["download"] += [Cut(), Lost(), Cut()]
    assert await store.get(KEY) == PICTURE
    assert server.asked.count("download") == 4


async def test_corrupted_download_is_not_ready(server: StorageServer, store: GoogleObjects) -> None:
    await store.put(KEY, PICTURE)
    server.faults["download"].append(Spoilt())
    with pytest.raises(NotReady, match="checksum"):
        await store.get(KEY)
    server.faults["download"] += [Cut(), Spoilt()]
    with pytest.raises(NotReady, match="checksum"):
        await store.get(KEY)
    assert await store.get(KEY) == PICTURE


async def test_corrupted_upload_is_not_stored(server: StorageServer, store: GoogleObjects) -> None:
    server.faults["upload"].append(Spoilt())
    with pytest.raises(NotReady, match="doesn't match calculated crc32c"):
        await store.put(KEY, PICTURE)
    assert server.bucket.objects == {}
    await store.put(KEY, PICTURE)


async def test_retries_until_deadline_are_not_ready_with_reason(server: StorageServer) -> None:
    store = GoogleObjects("bucket", retry_policy=RetryPolicy(first_wait=0.02, longest_wait=0.1, all_tries=1))
    server.faults["upload"] += [Answer(503)] * 1000  # enough for 100 s of retries
    with pytest.raises(NotReady, match=r"until the deadline.*503"):
        await store.put(KEY, PICTURE)
    assert 2 < server.asked.count("upload") < 100
    await store.close()


async def test_request_without_response_is_retried_after_timeout(server: StorageServer) -> None:
    store = GoogleObjects("bucket", retry_policy=RetryPolicy(connect=2, answer=0.2, first_wait=0.02, all_tries=10))
    server.faults["upload"].append(Held(until := threading.Event()))
    await store.put(KEY, PICTURE)
    until.set()
    assert server.bucket.objects[KEY].data == PICTURE
    await store.close()


async def test_hanging_uploads_do_not_block_event_loop(server: StorageServer, store: GoogleObjects) -> None:
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
    # A blocked loop would continue only after an upload had timed out and been retried.
    assert server.asked == ["upload"] * 3
    assert len(server.bucket.objects) == 3


async def test_concurrent_uploads_are_limited_to_workers_and_connections(
    server: StorageServer, store: GoogleObjects
) -> None:
    await asyncio.gather(*(store.put(f"a/{i}", PICTURE) for i in range(40)))
    assert len(server.bucket.objects) == 40
    assert server.most_busy <= 3
    assert server.connections <= 3


async def test_connection_pool_is_complete_after_faults(server: StorageServer) -> None:
    store = GoogleObjects("bucket", workers=1, retry_policy=RetryPolicy(answer=0.3, first_wait=0.01, longest_wait=0.01))
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


async def test_large_object_is_uploaded_in_resumable_session(server: StorageServer, store: GoogleObjects) -> None:
    big = PICTURE * 900
    assert len(big) > 8 * 2**20
    await store.put(KEY, big)
    await store.put(KEY, big)
    assert len(server.sessions) == 1
    assert await store.get(KEY) == big
    with pytest.raises(ObjectExists):
        await store.put(KEY, big[:-1] + b"x")


async def test_list_of_many_keys_reads_all_pages(server: StorageServer, store: GoogleObjects) -> None:
    names = [f"episodes/{i:05d}.png" for i in range(2500)]
    for name in names:
        server.bucket.insert(name, b"", {}, None)
    assert [key async for key in store.list("episodes/")] == names
    assert server.asked.count("list") == 3


async def test_stored_object_has_content_type(server: StorageServer, store: GoogleObjects) -> None:
    await store.put(KEY, PICTURE)
    await store.put("a/000001.npz", b"x")
    assert {name: stored.kind for name, stored in server.bucket.objects.items()} == {
        KEY: "image/png",
        "a/000001.npz": "application/octet-stream",
    }
    assert server.bucket.objects[KEY].crc32c == crc32c(PICTURE)


async def test_missing_bucket_is_not_ready_and_names_setting(server: StorageServer) -> None:
    store = GoogleObjects("another", retry_policy=QUICK)
    for asked in (store.ready(), store.put(KEY, b"x")):
        with pytest.raises(NotReady, match=r"bucket another cannot be used: .*GCP_BUCKET_NAME"):
            await asked
    await store.close()


async def test_missing_permission_is_not_ready_and_named(server: StorageServer, store: GoogleObjects) -> None:
    await store.ready()
    server.bucket.granted.remove("storage.objects.create")
    with pytest.raises(NotReady, match=r"storage\.objects\.create on the bucket bucket"):
        await store.ready()
    server.faults["upload"].append(Answer(403))
    with pytest.raises(NotReady, match="account is not allowed"):
        await store.put(KEY, b"x")


async def test_unreachable_bucket_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        store = GoogleObjects("bucket", retry_policy=RetryPolicy(first_wait=0.02, all_tries=0.2))
    for asked in (store.ready(), store.put(KEY, b"x"), store.get(KEY), store.delete(KEY)):
        with pytest.raises(NotReady, match="bucket bucket cannot be used"):
            await asked
    with pytest.raises(NotReady):
        [key async for key in store.list("")]
    await store.close()


async def test_missing_credentials_error_names_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(NotReady, match="no credentials were found; run as a service account"):
        GoogleObjects("bucket")
