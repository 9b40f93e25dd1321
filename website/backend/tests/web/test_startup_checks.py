"""Startup checks: a server outside of the local environment starts only with complete settings."""

from typing import Any

import pytest

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.startup_checks import RESERVED_CONNECTIONS, _missing_settings, check_settings

COMPLETE: dict[str, Any] = {
    "skill_arcade_environment": "production",
    "auth_secret": "s" * 32,
    "gcp_sql_connection_name": "project:region:main",
    "gcp_bucket_name": "arcade",
    "firebase_project_id": "arcade",
    "firebase_api_key": "key",
    "trusted_hosts": "*.run.app",
}


def settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **{**COMPLETE, **changes})


def check_message(settings: Settings, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as error_info:
        check_settings(settings, environment or {})
    return str(error_info.value)


def test_startup_checks_accept_complete_production_settings() -> None:
    assert list(_missing_settings(settings(), {})) == []
    check_settings(settings(), {})


def test_startup_checks_accept_local_defaults_that_production_rejects() -> None:
    local = Settings(_env_file=None)
    check_settings(local, {})
    with pytest.raises(SettingsError):
        check_settings(local.model_copy(update={"skill_arcade_environment": "production"}), {})


@pytest.mark.parametrize(
    "name", ["auth_secret", "gcp_sql_connection_name", "gcp_bucket_name", "firebase_project_id", "firebase_api_key"]
)
def test_startup_checks_name_missing_setting(name: str) -> None:
    fields = {key: value for key, value in COMPLETE.items() if key != name}
    assert name.upper() in check_message(Settings(_env_file=None, **fields))


def test_startup_checks_name_all_missing_settings() -> None:
    message = check_message(Settings(_env_file=None, skill_arcade_environment="production"))
    for name in ("AUTH_SECRET", "GCP_SQL_CONNECTION_NAME", "GCP_BUCKET_NAME", "FIREBASE_PROJECT_ID", "TRUSTED_HOSTS"):
        assert name in message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"socket_origin": "wss://arcade-0.example.org"}, "TRUSTED_HOSTS lacks arcade-0.example.org"),
        ({"socket_origin": "ws://arcade-0.run.app"}, "must begin with wss://, unlike ws://arcade-0.run.app"),
        ({"socket_origins": "ws://*.run.app"}, "must begin with wss://, unlike ws://*.run.app"),
        ({"socket_origins": "https://arcade-1.run.app"}, "SOCKET_ORIGINS contains https://arcade-1.run.app"),
        ({"socket_origins": "wss://*"}, "SOCKET_ORIGINS contains wss://*"),
        ({"socket_origins": "wss://a.run.app; script-src *"}, "SOCKET_ORIGINS contains wss://a.run.app; script-src *"),
    ],
)
def test_startup_checks_reject_socket_origins_that_cannot_work(changes: dict[str, str], message: str) -> None:
    assert message in check_message(settings(**changes))


def test_startup_checks_accept_origins_of_addressed_servers() -> None:
    addressed = settings(socket_origin="wss://arcade-0.run.app", socket_origins="wss://*.run.app,wss://a.b.org:8443")
    check_settings(addressed, {})
    assert addressed.allowed_sockets == ("wss://arcade-0.run.app", "wss://*.run.app", "wss://a.b.org:8443")


@pytest.mark.anyio
async def test_startup_checks_run_before_anything_is_opened() -> None:
    app = create_app(settings(auth_secret=None))
    with pytest.raises(SettingsError, match="AUTH_SECRET is not set"):
        async with app.router.lifespan_context(app):
            pass


def test_startup_checks_reject_email_login_unless_set() -> None:
    assert "AUTH_METHOD=email" in check_message(settings(firebase_project_id=None))
    check_settings(settings(firebase_project_id=None, auth_method="email"), {})


@pytest.mark.parametrize("name", ["STORAGE_EMULATOR_HOST", "FIREBASE_AUTH_EMULATOR_HOST"])
def test_startup_checks_reject_emulators(name: str) -> None:
    assert f"{name} is set" in check_message(settings(), {name: "localhost:9099"})
    check_settings(Settings(_env_file=None), {name: "localhost:9099"})


def test_startup_checks_reject_cloud_sql_emulator() -> None:
    assert "GCP_SQL_ADMIN_ENDPOINT" in check_message(settings(gcp_sql_admin_endpoint="http://localhost:1"))


def test_startup_checks_require_bucket_prefix_for_preview() -> None:
    assert "GCP_BUCKET_PREFIX" in check_message(settings(skill_arcade_environment="preview"))
    check_settings(settings(skill_arcade_environment="preview", gcp_bucket_prefix="previews/pr-7/"), {})


def test_startup_checks_reject_unknown_providers() -> None:
    assert "FIREBASE_PROVIDERS contains myspace" in check_message(settings(firebase_providers="google,myspace"))


@pytest.mark.parametrize(("pool", "workers", "servers"), [(8, 4, 1), (8, 16, 10), (4, 2, 167)])
def test_startup_checks_limit_connection_pools(pool: int, workers: int, servers: int) -> None:
    sizes = {"database_pool_size": pool, "uploader_num_workers": workers, "max_instances": servers}
    needed = 2 * servers * (pool + workers + 4)
    assert settings(**sizes).database_connections == needed
    check_settings(settings(**sizes, database_max_connections=needed + RESERVED_CONNECTIONS), {})
    message = check_message(settings(**sizes, database_max_connections=needed + RESERVED_CONNECTIONS - 1))
    assert f"{needed} connections of {servers} servers" in message
    assert "DATABASE_MAX_CONNECTIONS" in message


def test_log_format_defaults_to_json_in_production() -> None:
    assert settings().log_format == "json"
    assert settings(log_format="text").log_format == "text"
    assert Settings(_env_file=None).log_format == "text"
