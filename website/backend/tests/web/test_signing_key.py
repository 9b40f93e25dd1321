"""The signing key: created once, readable by its owner only, and equal for servers that start at once."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings
from skill_arcade.web.signing_key import find_secret

PRINT_SECRET = """
import sys
from skill_arcade.settings import Settings
from skill_arcade.web.signing_key import find_secret
sys.stdin.readline()
print(find_secret(Settings(skill_arcade_home=sys.argv[1])))
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("AUTH_SECRET", raising=False)
    return Settings(_env_file=None, skill_arcade_home=tmp_path / "home")


def test_signing_key_is_created_once_and_private(settings: Settings) -> None:
    secret = find_secret(settings)
    assert len(secret) >= 32
    assert find_secret(settings) == secret
    (path,) = settings.skill_arcade_home.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_signing_key_permissions_are_corrected(settings: Settings) -> None:
    find_secret(settings)
    (path,) = settings.skill_arcade_home.iterdir()
    path.chmod(0o644)
    find_secret(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_signing_key_setting_overrides_file(settings: Settings) -> None:
    with_setting = settings.model_copy(update={"auth_secret": "x" * 40})
    assert find_secret(with_setting) == "x" * 40
    assert not with_setting.skill_arcade_home.exists()


def test_signing_key_too_short_raises_settings_error(settings: Settings) -> None:
    find_secret(settings)
    (path,) = settings.skill_arcade_home.iterdir()
    path.write_text("short")
    with pytest.raises(SettingsError, match="Restore it, or set AUTH_SECRET"):
        find_secret(settings)


def test_signing_key_unreadable_raises_settings_error(settings: Settings) -> None:
    settings.skill_arcade_home.write_text("in the way")
    with pytest.raises(SettingsError, match="Set AUTH_SECRET"):
        find_secret(settings)


def test_signing_key_is_required_with_cloud_sql(settings: Settings) -> None:
    with_cloud_sql = settings.model_copy(update={"gcp_sql_connection_name": "project:region:name"})
    with pytest.raises(SettingsError, match="AUTH_SECRET is not set"):
        find_secret(with_cloud_sql)


def test_signing_key_is_equal_for_concurrent_servers(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PRINT_SECRET, str(tmp_path / "home")]
    servers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go\n")
        server.stdin.flush()
    keys = {server.communicate()[0] for server in servers}
    assert len(keys) == 1
    assert len(keys.pop()) > 32
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["auth-secret"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "shorter than 32"),
        (b"\n \n", "shorter than 32"),
        (b"\xff\xfe" * 40, "Cannot read"),
        (b"\0" * 40, "is damaged"),
        (None, "is not a file"),
    ],
    ids=["empty", "blank", "binary", "zeros", "folder"],
)
def test_signing_key_odd_file_raises_settings_error(settings: Settings, content: bytes | None, problem: str) -> None:
    path = settings.skill_arcade_home / "auth-secret"
    path.parent.mkdir(parents=True)
    if content is None:
        path.mkdir(mode=0o755)
    else:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=problem) as caught:
        find_secret(settings)
    assert "set AUTH_SECRET" in str(caught.value) or "Set AUTH_SECRET" in str(caught.value)
    if content is None:
        assert path.stat().st_mode & 0o777 == 0o755


def test_signing_key_huge_file_is_read_up_to_its_limit(settings: Settings) -> None:
    path = settings.skill_arcade_home / "auth-secret"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * (8 << 20))
    assert find_secret(settings) == "x" * 4096
