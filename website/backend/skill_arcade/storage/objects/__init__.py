"""Objects by key: a folder, or a bucket. An object never changes once it is there."""

from collections.abc import AsyncIterator
from typing import Protocol

from skill_arcade.errors import SettingsError
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
    """Open the store that the settings name.

    Raises:
        SettingsError: the settings name one that this version does not have.
    """
    if settings.gcp_bucket_name is not None:
        raise SettingsError(
            "GCP_BUCKET_NAME is set, and this version can't use a bucket yet: unset it to keep objects in a folder."
        )
    return DiskObjects(settings.objects_folder)
