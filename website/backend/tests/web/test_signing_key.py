"""The key that signs tokens: made once, kept closed, the same for two servers at once."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings
from skill_arcade.web.signing_key import find_secret

PRINT_IT = """
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


def test_a_key_is_made_once_and_only_its_owner_can_read_it(settings: Settings) -> None:
    secret = find_secret(settings)
    assert len(secret) >= 32
    assert find_secret(settings) == secret
    (kept,) = settings.skill_arcade_home.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_key_that_others_could_read_is_closed(settings: Settings) -> None:
    find_secret(settings)
    (kept,) = settings.skill_arcade_home.iterdir()
    kept.chmod(0o644)
    find_secret(settings)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_setting_goes_before_the_kept_key(settings: Settings) -> None:
    given = settings.model_copy(update={"auth_secret": "x" * 40})
    assert find_secret(given) == "x" * 40
    assert not given.skill_arcade_home.exists()


def test_a_shortened_key_stops_the_start_in_words(settings: Settings) -> None:
    find_secret(settings)
    (kept,) = settings.skill_arcade_home.iterdir()
    kept.write_text("short")
    with pytest.raises(SettingsError, match="restore it, or set AUTH_SECRET"):
        find_secret(settings)


def test_a_home_that_is_a_file_stops_the_start_in_words(settings: Settings) -> None:
    settings.skill_arcade_home.write_text("in the way")
    with pytest.raises(SettingsError, match="Set AUTH_SECRET"):
        find_secret(settings)


def test_with_a_shared_database_the_key_must_be_given(settings: Settings) -> None:
    shared = settings.model_copy(update={"gcp_sql_connection_name": "project:region:name"})
    with pytest.raises(SettingsError, match="AUTH_SECRET is not set"):
        find_secret(shared)


def test_servers_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PRINT_IT, str(tmp_path / "home")]
    servers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go\n")
        server.stdin.flush()
    keys = {server.communicate()[0] for server in servers}
    assert len(keys) == 1
    assert len(keys.pop()) > 32
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["auth-secret"]
