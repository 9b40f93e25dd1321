"""The emulator that pages run, as `website/lockstep/build` made it. It may appear while the server runs."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import anyio.to_thread

from skill_arcade.web.assets import Asset, file_version, read_asset

BUILT = Path(__file__).resolve().parents[3] / ".state" / "lockstep"
MODULE = "lockstep.wasm"


@dataclass(frozen=True, slots=True)
class Emulator:
    """The module in memory, and its SHA-256."""

    asset: Asset
    digest: str


class EmulatorCache:
    """Has the emulator, once it is built, unless lockstep is off here."""

    def __init__(self, folder: Path | None, *, on: bool) -> None:
        self._path = (folder or BUILT) / MODULE
        self._on = on
        self._cached: Emulator | None = None

    async def get(self) -> Emulator | None:
        """Find the emulator; None when there is none, or lockstep is off."""
        return await anyio.to_thread.run_sync(self._load) if self._on else None

    def _load(self) -> Emulator | None:
        if not self._path.is_file():
            return None
        if self._cached is None or self._cached.asset.version != file_version(self._path):
            asset = read_asset(self._path)
            self._cached = Emulator(asset, sha256(asset.plain).hexdigest())
        return self._cached
