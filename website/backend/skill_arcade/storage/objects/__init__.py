"""Object store: immutable objects by key, in a folder or in a bucket of Google Cloud Storage."""

from collections.abc import AsyncIterator
from typing import Protocol

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

    async def delete(self, key: str) -> None:
        """Delete an object. Deleting a missing object changes nothing. Raises InvalidRequest, NotReady."""

    def list(self, prefix: str) -> AsyncIterator[str]:
        """Yield the keys that start with `prefix`, sorted by code point. An empty prefix lists all keys."""

    async def ready(self) -> None:
        """Check that the store accepts objects now. Raises NotReady, with the reason, otherwise."""

    async def close(self) -> None:
        """Close all connections."""


def open_objects(settings: Settings) -> ObjectStore:
    """Open the object store that the settings select: the bucket if one is set, otherwise the folder.

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
        workers=settings.uploader_num_workers,
    )
