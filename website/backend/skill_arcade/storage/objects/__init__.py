"""Object store: immutable objects by key, in a folder or in a bucket of Google Cloud Storage."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

from skill_arcade.settings import Settings
from skill_arcade.storage.objects.disk import DiskObjects


class ObjectStore(Protocol):
    """Stores recorded objects by key."""

    async def put(self, key: str, data: bytes) -> None:
        """Store `data` durably under `key`. Storing the same bytes again changes nothing.

        Raises:
            InvalidRequest: `key` is not a valid key.
            ObjectExists: the key already has an object with other bytes.
            ObjectRejected: the store rejects the object permanently.
            NotReady: the store cannot accept the object at the moment.
        """

    async def get(self, key: str) -> bytes:
        """Return the bytes of an object. Raises ObjectMissing, InvalidRequest, NotReady."""

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return `length` bytes of an object from `start` on, fewer at its end. Raises as `get`.

        The store verifies no checksum of a part: the caller compares what it reads with a digest.
        """

    def open_writer(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Open a file whose bytes become an object, of any size, when the block ends without an exception.

        It is synchronous. Memory is used for one chunk only. Raises ObjectExists, InvalidRequest, NotReady.
        """

    async def size(self, key: str) -> int:
        """Return the number of bytes of an object. Raises ObjectMissing, InvalidRequest, NotReady."""

    def read_chunks(self, key: str) -> AsyncIterator[bytes]:
        """Yield the bytes of an object in chunks of at most `CHUNK_BYTES`. Raises as `size`."""

    async def delete(self, key: str) -> None:
        """Delete an object. Deleting a missing object changes nothing. Raises InvalidRequest, NotReady."""

    def list(self, prefix: str) -> AsyncIterator[str]:
        """Yield the keys that start with `prefix`, sorted by code point. An empty prefix lists all keys."""

    async def ready(self) -> None:
        """Check that the store accepts objects now. Raises NotReady, with the reason, otherwise."""

    async def close(self) -> None:
        """Close all connections."""


def open_objects(settings: Settings, *, workers: int | None = None) -> ObjectStore:
    """Open the object store that the settings select: the bucket if one is set, otherwise the folder.

    `workers` is the number of calls at once, None for UPLOADER_NUM_WORKERS.

    Raises:
        NotReady: a bucket is set, but no credentials are available.
    """
    if settings.gcp_bucket_name is None:
        return DiskObjects(settings.objects_folder)
    # Imported only if needed: Google's client takes 0.5 s to import and 29 MB of memory.
    from skill_arcade.storage.objects.google import GoogleObjects  # noqa: PLC0415

    return GoogleObjects(
        settings.gcp_bucket_name,
        prefix=settings.gcp_bucket_prefix,
        project=settings.gcp_project_name,
        workers=workers or settings.uploader_num_workers,
    )
