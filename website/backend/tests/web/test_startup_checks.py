"""A server in the cloud starts with all that it needs, or not at all."""

from typing import Any

import pytest

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings
from skill_arcade.web.app import create_app
from skill_arcade.web.startup_checks import RESERVED, check_settings

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


def complaint(settings: Settings, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        check_settings(settings, environment or {})
    return str(caught.value)


def test_a_complete_production_starts() -> None:
    check_settings(settings(), {})


def test_a_laptop_needs_nothing_set() -> None:
    check_settings(Settings(_env_file=None), {})


@pytest.mark.parametrize(
    "name", ["auth_secret", "gcp_sql_connection_name", "gcp_bucket_name", "firebase_project_id", "firebase_api_key"]
)
def test_what_is_missing_stops_the_start_and_is_named(name: str) -> None:
    given = {key: value for key, value in COMPLETE.items() if key != name}
    assert name.upper() in complaint(Settings(_env_file=None, **given))


def test_all_that_is_missing_is_said_at_once() -> None:
    said = complaint(Settings(_env_file=None, skill_arcade_environment="production"))
    for name in ("AUTH_SECRET", "GCP_SQL_CONNECTION_NAME", "GCP_BUCKET_NAME", "FIREBASE_PROJECT_ID", "TRUSTED_HOSTS"):
        assert name in said


@pytest.mark.anyio
async def test_the_server_itself_refuses_before_it_opens_anything() -> None:
    app = create_app(settings(auth_secret=None))
    with pytest.raises(SettingsError, match=r"can't start \(production\): AUTH_SECRET is not set"):
        async with app.router.lifespan_context(app):
            pass


def test_anyone_by_any_email_is_refused_unless_asked_for() -> None:
    assert "AUTH_METHOD=email lets anyone in" in complaint(settings(firebase_project_id=None))
    check_settings(settings(firebase_project_id=None, auth_method="email"), {})


@pytest.mark.parametrize("name", ["STORAGE_EMULATOR_HOST", "FIREBASE_AUTH_EMULATOR_HOST"])
def test_a_stand_in_that_would_be_believed_is_refused(name: str) -> None:
    assert f"{name} is set, which is for tests" in complaint(settings(), {name: "localhost:9099"})
    check_settings(Settings(_env_file=None), {name: "localhost:9099"})


def test_a_stand_in_of_cloud_sql_is_refused_too() -> None:
    assert "GCP_SQL_ADMIN_ENDPOINT" in complaint(settings(gcp_sql_admin_endpoint="http://localhost:1"))


def test_a_preview_keeps_to_its_own_part_of_the_bucket() -> None:
    assert "GCP_BUCKET_PREFIX" in complaint(settings(skill_arcade_environment="preview"))
    check_settings(settings(skill_arcade_environment="preview", gcp_bucket_prefix="previews/pr-7/"), {})


def test_an_unknown_way_to_sign_in_is_refused() -> None:
    assert "FIREBASE_PROVIDERS has myspace" in complaint(settings(firebase_providers="google,myspace"))


@pytest.mark.parametrize(("pool", "workers", "servers"), [(8, 4, 1), (8, 16, 10), (4, 2, 167)])
def test_the_pools_of_all_servers_fit_the_database(pool: int, workers: int, servers: int) -> None:
    sizes = {"database_pool_size": pool, "uploader_num_workers": workers, "max_instances": servers}
    wanted = 2 * servers * (pool + workers + 4)
    assert settings(**sizes).database_connections == wanted
    check_settings(settings(**sizes, database_max_connections=wanted + RESERVED), {})
    said = complaint(settings(**sizes, database_max_connections=wanted + RESERVED - 1))
    assert f"{wanted} connections of {servers} servers" in said
    assert "DATABASE_MAX_CONNECTIONS" in said


def test_logs_are_for_machines_where_machines_read_them() -> None:
    assert settings().log_format == "json"
    assert settings(log_format="text").log_format == "text"
    assert Settings(_env_file=None).log_format == "text"
