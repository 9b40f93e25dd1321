"""Cache of the emulator module that pages run, as built by `website/lockstep/build`.

It may be built while the server runs.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import anyio.to_thread

from skill_arcade.web.assets import Asset, file_version, read_asset

DEFAULT_FOLDER = Path(__file__).resolve().parents[3] / ".state" / "lockstep"
MODULE = "lockstep.wasm"


@dataclass(frozen=True, slots=True)
class Emulator:
    """The emulator module and its SHA-256."""

    asset: Asset
    digest: str


class EmulatorCache:
    """Caches the emulator module, unless lockstep is disabled."""

    def __init__(self, folder: Path | None, *, is_enabled: bool) -> None:
        self._path = (folder or DEFAULT_FOLDER) / MODULE
        self._is_enabled = is_enabled
        self._cached: Emulator | None = None

    async def get(self) -> Emulator | None:
        """Return the emulator, or None if it is not built or lockstep is disabled."""
        return await anyio.to_thread.run_sync(self._load) if self._is_enabled else None

    def _load(self) -> Emulator | None:
        if not self._path.is_file():
            return None
        if self._cached is None or self._cached.asset.version != file_version(self._path):
            asset = read_asset(self._path)
            self._cached = Emulator(asset, sha256(asset.plain).hexdigest())
        return self._cached
