"""Access to the emulator and ROMs for lockstep."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from skill_arcade.settings import Settings
from tests.web.conftest import open_arcade

pytestmark = pytest.mark.anyio
MODULE = b"\0asm\1\0\0\0"
"""The smallest WebAssembly module; it is not run here."""
DIGEST = sha256(MODULE).hexdigest()


@pytest.fixture
def module_folder(tmp_path: Path) -> Path:
    (tmp_path / "lockstep.wasm").write_bytes(MODULE)
    return tmp_path


async def test_lockstep_emulator_and_rom_are_cacheable(settings: Settings, module_folder: Path) -> None:
    async with open_arcade(settings.model_copy(update={"lockstep_folder": module_folder})) as visitor:
        module = await visitor.http.get(f"/lockstep/{DIGEST}.wasm")
        assert (module.status_code, module.content) == (200, MODULE)
        assert module.headers["content-type"] == "application/wasm"
        assert "public" in module.headers["cache-control"]
        assert "immutable" in module.headers["cache-control"]
        assert "'wasm-unsafe-eval'" in module.headers["content-security-policy"]
        assert (await visitor.http.get("/lockstep/roms/pong")).status_code == 401
        rom = await visitor.http.get("/lockstep/roms/pong?v=1", headers=await visitor.sign_in())
        assert len(rom.content) == 2048
        assert "private" in rom.headers["cache-control"]


async def test_lockstep_unknown_emulator_or_rom_answers_404(settings: Settings, module_folder: Path) -> None:
    async with open_arcade(settings.model_copy(update={"lockstep_folder": module_folder})) as visitor:
        signed_in = await visitor.sign_in()
        assert (await visitor.http.get(f"/lockstep/{'0' * 64}.wasm")).json()["error"] == "NotFound"
        for game in ("frozen-lake", "tennis-for-two"):
            assert (await visitor.http.get(f"/lockstep/roms/{game}", headers=signed_in)).status_code == 404


async def test_lockstep_emulator_built_while_running_is_found(settings: Settings, tmp_path: Path) -> None:
    async with open_arcade(settings.model_copy(update={"lockstep_folder": tmp_path})) as visitor:
        assert await visitor.state.emulator.get() is None
        (tmp_path / "lockstep.wasm").write_bytes(MODULE)
        emulator = await visitor.state.emulator.get()
        assert emulator is not None
        assert emulator.digest == DIGEST


@pytest.mark.parametrize(
    "changes",
    [{"trusted_hosts": ("localhost", "arcade.example.org")}, {"lockstep": False}],
    ids=["not-on-loopback", "disabled"],
)
async def test_lockstep_disabled_or_not_on_loopback_answers_404(
    settings: Settings, module_folder: Path, changes: dict[str, Any]
) -> None:
    async with open_arcade(settings.model_copy(update={"lockstep_folder": module_folder, **changes})) as visitor:
        assert await visitor.state.emulator.get() is None
        for path in (f"/lockstep/{DIGEST}.wasm", "/lockstep/roms/pong"):
            answer = await visitor.http.get(path, headers=await visitor.sign_in())
            assert answer.status_code == 404
            assert "wasm" not in answer.headers["content-security-policy"]


def test_lockstep_setting_enables_it_for_other_hosts() -> None:
    hosts = ("arcade.example.org",)
    assert not Settings(_env_file=None, trusted_hosts=hosts).is_lockstep_enabled
    assert Settings(_env_file=None, trusted_hosts=hosts, lockstep=True).is_lockstep_enabled
    assert Settings(_env_file=None).is_lockstep_enabled
