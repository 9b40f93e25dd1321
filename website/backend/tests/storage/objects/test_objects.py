"""Contract tests of all object stores. A new kind of store is one more parameter of the fixture `store`."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from skill_arcade.errors import InvalidRequest, NotReady, ObjectExists, ObjectMissing
from skill_arcade.settings import Settings
from skill_arcade.storage.objects import ObjectStore, open_objects
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.storage.objects.keys import CHUNK_BYTES
from tests.support.cloud.storage import StorageServer, storage_server

pytestmark = pytest.mark.anyio


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageServer]:
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        yield server


@pytest.fixture(params=["disk", "google", "google below a prefix"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> AsyncIterator[ObjectStore]:
    settings: dict[str, Any] = {"skill_arcade_home": tmp_path}
    if request.param.startswith("google"):
        bucket: StorageServer = request.getfixturevalue("bucket")
        settings["gcp_bucket_name"] = bucket.bucket.name
    if request.param == "google below a prefix":
        settings["gcp_bucket_prefix"] = "/previews/pr-7/"
        bucket.bucket.insert("previews/pr-70/a", b"another's", {}, None)
        bucket.bucket.insert("previews/pr-7", b"another's", {}, None)
    object_store = open_objects(Settings(_env_file=None, **settings))
    yield object_store
    await object_store.close()


async def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [key async for key in store.list(prefix)]


async def test_get_returns_stored_bytes(store: ObjectStore) -> None:
    await store.put("episodes/a/000000.png", b"\x00\xff" * 500)
    assert await store.get("episodes/a/000000.png") == b"\x00\xff" * 500


async def test_empty_object_is_stored_and_listed(store: ObjectStore) -> None:
    await store.put("empty", b"")
    assert await store.get("empty") == b""
    assert await keys(store) == ["empty"]


async def test_put_of_same_bytes_is_idempotent(store: ObjectStore) -> None:
    await store.put("a/b", b"same")
    await store.put("a/b", b"same")
    assert await store.get("a/b") == b"same"


async def test_put_of_other_bytes_keeps_first_object(store: ObjectStore) -> None:
    await store.put("a/b", b"first")
    with pytest.raises(ObjectExists, match="a/b"):
        await store.put("a/b", b"other")
    assert await store.get("a/b") == b"first"


async def test_concurrent_puts_store_one_object(store: ObjectStore) -> None:
    results = await asyncio.gather(*(store.put("a/b", bytes([i])) for i in range(8)), return_exceptions=True)
    winners = [i for i, result in enumerate(results) if result is None]
    assert all(result is None or isinstance(result, ObjectExists) for result in results)
    assert await store.get("a/b") == bytes(winners)


async def test_get_of_missing_object_names_key(store: ObjectStore) -> None:
    await store.put("a/b/c", b"")
    for key in ("a/x", "a/b", "a/b/c/d", "nowhere/at/all"):
        with pytest.raises(ObjectMissing, match=key):
            await store.get(key)


async def test_range_has_these_bytes_and_fewer_at_the_end(store: ObjectStore) -> None:
    data = bytes(range(256)) * 9
    await store.put("a/b", data)
    assert await store.get_range("a/b", 300, 40) == data[300:340]
    assert await store.get_range("a/b", 0, len(data)) == data
    assert await store.get_range("a/b", len(data) - 5, 40) == data[-5:]
    with pytest.raises(ObjectMissing, match="a/x"):
        await store.get_range("a/x", 0, 1)


async def test_writer_of_many_chunks_stores_one_object(store: ObjectStore) -> None:
    data = bytes(range(256)) * (34 << 10) + b"end"  # more than one request of an upload
    with store.open_writer("a/big") as stream:
        for start in range(0, len(data), 1 << 20):
            stream.write(data[start : start + (1 << 20)])
    assert await store.size("a/big") == len(data)
    chunks = [chunk async for chunk in store.read_chunks("a/big")]
    assert b"".join(chunks) == data
    assert max(map(len, chunks)) <= CHUNK_BYTES
    assert await keys(store) == ["a/big"]


async def test_writer_that_fails_stores_nothing(store: ObjectStore) -> None:
    def write_half() -> None:
        with store.open_writer("a/big") as stream:
            stream.write(bytes(9 << 20))
            raise InvalidRequest("the rest is missing")

    with pytest.raises(InvalidRequest):
        write_half()
    assert await keys(store) == []


async def test_writer_of_existing_object_keeps_it(store: ObjectStore) -> None:
    await store.put("a/b", b"first")
    with pytest.raises(ObjectExists, match="a/b"), store.open_writer("a/b") as stream:
        stream.write(b"other")
    assert stream.closed  # or Google's client uploads again when the stream is collected
    assert await store.get("a/b") == b"first"


async def test_reading_chunks_of_missing_object_names_key(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing, match="a/x"):
        await store.size("a/x")
    with pytest.raises(ObjectMissing, match="a/x"):
        await anext(store.read_chunks("a/x"))


async def test_delete_is_permanent_and_idempotent(store: ObjectStore) -> None:
    await store.put("a/b", b"x")
    await store.delete("a/b")
    await store.delete("a/b")
    await store.delete("never/was")
    assert await keys(store) == []
    await store.put("a/b", b"y")
    assert await store.get("a/b") == b"y"


async def test_list_with_prefix_returns_sorted_keys(store: ObjectStore) -> None:
    made = ["a", "a-b/c", "a/b", "a/b-c", "a/b/c.png", "a/b/c/d", "a0/b", "b/a"]
    for key in reversed([key for key in made if key not in ("a", "a/b")]):
        await store.put(key, b"x")
    assert await keys(store) == ["a-b/c", "a/b-c", "a/b/c.png", "a/b/c/d", "a0/b", "b/a"]
    assert await keys(store, "a/") == ["a/b-c", "a/b/c.png", "a/b/c/d"]
    assert await keys(store, "a/b") == ["a/b-c", "a/b/c.png", "a/b/c/d"]
    assert await keys(store, "a/b/c.") == ["a/b/c.png"]
    assert await keys(store, "b/a") == ["b/a"]
    assert await keys(store, "c") == await keys(store, "b/a/x") == []


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", ".new/a", "A", "a b", "ä", "a\n", "a\\b", "a" * 501]
)
async def test_invalid_key_is_rejected(store: ObjectStore, key: str) -> None:
    with pytest.raises(InvalidRequest, match="not a valid object key"):
        await store.put(key, b"x")
    with pytest.raises(InvalidRequest):
        await store.get(key)
    with pytest.raises(InvalidRequest):
        await store.delete(key)


async def test_working_store_is_ready(store: ObjectStore) -> None:
    await store.ready()
    assert await keys(store) == []


async def test_folder_that_is_file_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "objects").write_text("in the way")
    store = DiskObjects(tmp_path / "objects")
    with pytest.raises(NotReady, match="Cannot use the object folder"):
        await store.ready()
    with pytest.raises(NotReady, match="Cannot use the object folder"):
        await store.put("a", b"x")


async def test_put_leaves_no_temporary_file(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    await store.put("a/b", b"x")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b"]


async def test_full_disk_is_not_ready_and_leaves_no_file(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(NotReady, match="Cannot use the object folder"):
            await store.put("a/b", b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_open_objects_without_bucket_uses_folder(tmp_path: Path) -> None:
    store = open_objects(Settings(_env_file=None, skill_arcade_home=tmp_path, gcp_bucket_name=None))
    await store.put("a", b"x")
    assert (tmp_path / "objects" / "a").read_bytes() == b"x"
