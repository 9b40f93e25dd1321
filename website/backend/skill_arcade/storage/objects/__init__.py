"""Objects by key: a folder, or a bucket. An object never changes once it is there."""

from collections.abc import AsyncIterator
from typing import Protocol

from skill_arcade.settings import Settings
from skill_arcade.storage.objects.disk import DiskObjects


class ObjectStore(Protocol):
    """Where recorded objects are kept."""

    async def put(self, key: str, data: bytes) -> None:
        """Keep `data` for good; when this returns, it survives a loss of power. The same bytes again are fine.

        Raises:
            InvalidRequest: `key` is no key.
            ObjectExists: other bytes are there already.
            NotReady: the store can't take it now.
        """

    async def get(self, key: str) -> bytes:
        """Read an object whole. Raises ObjectMissing, InvalidRequest, NotReady."""

    async def delete(self, key: str) -> None:
        """Remove an object; one that is not there is fine. Raises InvalidRequest, NotReady."""

    def list(self, prefix: str) -> AsyncIterator[str]:
        """Keys that begin with `prefix`, sorted by their characters. `prefix` '' lists all."""

    async def ready(self) -> None:
        """Return if an object could be put now. Raises NotReady, with the reason, otherwise."""

    async def close(self) -> None:
        """Let go of connections."""


def open_objects(settings: Settings) -> ObjectStore:
    """Open the store that the settings name: the bucket, or else the folder.

    Raises:
        NotReady: there is a bucket's name and no credentials for it.
    """
    if settings.gcp_bucket_name is None:
        return DiskObjects(settings.objects_folder)
    # Here, since Google's client takes half a second and 29 MB, which a folder and a game need not pay.
    from skill_arcade.storage.objects.google import GoogleObjects  # noqa: PLC0415

    return GoogleObjects(
        settings.gcp_bucket_name,
        prefix=settings.gcp_bucket_prefix,
        project=settings.gcp_project_name,
        workers=settings.uploader_num_workers,
    )
