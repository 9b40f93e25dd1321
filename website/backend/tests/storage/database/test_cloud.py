"""Tests of Cloud SQL with Google's connector, a fake Admin API, and TLS in front of a real Postgres."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady, SettingsError
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import (
    check_schema,
    create_engine,
    database_url,
    migrate,
    open_engine,
    transaction,
)
from tests.conftest import execute, opened_engine
from tests.support.cloud.sql import ACCOUNT, Instance, cloud_sql, write_account

pytestmark = pytest.mark.anyio
LOGIN_QUERY = text("SELECT current_user, current_setting('application_name')")


@pytest.fixture(scope="module")
def users(postgres: URL) -> Iterator[None]:
    """Create a user with a password and a user for IAM authentication."""

    async def make() -> None:
        await execute(postgres, "CREATE ROLE arcade LOGIN SUPERUSER PASSWORD 'right'")
        await execute(postgres, 'CREATE ROLE "arcade@project.iam" LOGIN SUPERUSER')
        async with opened_engine(postgres) as engine, engine.connect() as connection:
            rules = Path(str((await connection.execute(text("SHOW hba_file"))).scalar()))
            rules.write_text(f"local all arcade scram-sha-256\n{rules.read_text()}")
            await connection.execute(text("SELECT pg_reload_conf()"))
        while await is_admitted(postgres.set(username="arcade", password="wrong")):
            await asyncio.sleep(0.01)

    asyncio.run(make())
    yield
    asyncio.run(execute(postgres, 'DROP ROLE arcade, "arcade@project.iam"'))


async def is_admitted(url: URL) -> bool:
    try:
        async with opened_engine(url) as engine, transaction(engine):
            return True
    except NotReady:
        return False


@pytest.fixture
def instance(
    users: None, postgres: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Instance, str]]:
    socket = f"{postgres.query['host']}/.s.PGSQL.{postgres.query['port']}"
    with cloud_sql(socket, tmp_path) as (running, address):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", os.fspath(write_account(tmp_path, address)))
        yield running, address


@pytest.fixture
def cloud(instance: tuple[Instance, str]) -> Instance:
    return instance[0]


@pytest.fixture
def settings(instance: tuple[Instance, str], database_url: URL, tmp_path: Path) -> Settings:
    """Return settings that select the instance by its connection name."""
    return Settings(
        _env_file=None,
        skill_arcade_home=tmp_path,
        gcp_sql_connection_name=instance[0].name,
        gcp_sql_name=database_url.database,
        gcp_sql_user="arcade",
        gcp_sql_password="right",
        gcp_sql_admin_endpoint=instance[1],
    )


@asynccontextmanager
async def open_cloud_engine(settings: Settings, **changes: Any) -> AsyncIterator[AsyncEngine]:
    async with open_engine(settings.model_copy(update=changes)) as engine:
        yield engine


async def test_connection_with_password_logs_in(settings: Settings, cloud: Instance) -> None:
    async with open_cloud_engine(settings) as engine, transaction(engine) as connection:
        assert (await connection.execute(LOGIN_QUERY)).one() == ("arcade", "skill-arcade")
        await check_schema(connection)
    assert cloud.logins == [("arcade", cloud.addresses["PRIMARY"], False)]
    assert sorted(cloud.calls) == ["connectSettings", "generateEphemeralCert"]


async def test_connection_with_wrong_password_is_not_ready_and_hides_it(settings: Settings) -> None:
    async with open_cloud_engine(settings, gcp_sql_password="a-wrong-one") as engine:
        with pytest.raises(NotReady, match="password authentication failed") as caught:
            async with transaction(engine):
                pass
    assert "a-wrong-one" not in str(caught.value)


async def test_connection_with_iam_logs_in_without_password(settings: Settings, cloud: Instance) -> None:
    by_iam = {"gcp_sql_iam_auth": True, "gcp_sql_user": ACCOUNT, "gcp_sql_password": None}
    async with open_cloud_engine(settings, **by_iam) as engine, transaction(engine) as connection:
        assert (await connection.execute(LOGIN_QUERY)).scalar() == "arcade@project.iam"
    assert cloud.logins == [("arcade@project.iam", cloud.addresses["PRIMARY"], True)]
    assert cloud.scopes[-1] == "https://www.googleapis.com/auth/sqlservice.login"


async def test_connection_with_private_ip_type_uses_private_address(settings: Settings, cloud: Instance) -> None:
    async with open_cloud_engine(settings, gcp_sql_ip_type="private") as engine, transaction(engine):
        pass
    assert [address for _, address, _ in cloud.logins] == [cloud.addresses["PRIVATE"]]


async def test_connection_with_missing_ip_type_names_it(settings: Settings, cloud: Instance) -> None:
    del cloud.addresses["PRIVATE"]
    async with open_cloud_engine(settings, gcp_sql_ip_type="private") as engine:
        with pytest.raises(NotReady, match="does not have any IP addresses matching preference: PRIVATE"):
            async with transaction(engine):
                pass


@pytest.mark.parametrize(
    ("name", "refusal", "reason"),
    [
        ("project:europe-west1:other", None, "does not exist. Check GCP_SQL_CONNECTION_NAME."),
        ("project:europe-west4:main", None, "Provided region was mismatched"),
        ("project:europe-west1:main", 403, "Grant this server's account the role Cloud SQL Client."),
        ("project:europe-west1:main", 400, "not authorized"),
    ],
)
async def test_connection_to_rejected_instance_names_reason(
    settings: Settings, cloud: Instance, name: str, refusal: int | None, reason: str
) -> None:
    cloud.refusal = refusal
    async with open_cloud_engine(settings, gcp_sql_connection_name=name) as engine:
        with pytest.raises(NotReady, match=f"Cloud SQL {name}: .*{reason.replace('.', '[.]')}"):
            async with transaction(engine):
                pass


async def test_connection_after_api_outage_succeeds(settings: Settings, cloud: Instance) -> None:
    cloud.refusal = 403
    async with open_cloud_engine(settings) as engine:
        with pytest.raises(NotReady):
            async with transaction(engine):
                pass
        cloud.refusal = None
        async with transaction(engine) as connection:
            assert (await connection.execute(LOGIN_QUERY)).scalar() == "arcade"


async def test_migration_of_empty_database_over_connector_succeeds(
    settings: Settings, postgres: URL, database_url: URL
) -> None:
    name = f"{database_url.database}_empty"
    await execute(postgres, f"CREATE DATABASE {name} TEMPLATE template0")
    empty_settings = settings.model_copy(update={"gcp_sql_name": name})
    try:
        await migrate(empty_settings)
        async with open_cloud_engine(empty_settings) as engine, transaction(engine) as connection:
            await check_schema(connection)
    finally:
        await execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


async def test_pool_connections_share_certificate_until_it_expires(settings: Settings, cloud: Instance) -> None:
    async def connect_twice() -> int:
        cloud.calls.clear()
        async with open_cloud_engine(settings) as engine, engine.connect(), engine.connect():
            return cloud.calls.count("generateEphemeralCert")

    assert await connect_twice() == 1
    cloud.certificate_holds = timedelta(minutes=1)
    assert await connect_twice() == 2


async def test_disposed_engine_closes_connector_and_can_reconnect(settings: Settings) -> None:
    before = threading.active_count()
    engine = create_engine(database_url(settings), 2)
    for _ in range(2):
        async with transaction(engine) as connection:
            assert (await connection.execute(LOGIN_QUERY)).scalar() == "arcade"
        await engine.dispose()
    assert threading.active_count() <= before + 2


async def test_token_refresh_does_not_block_event_loop(settings: Settings, cloud: Instance) -> None:
    cloud.token_gate = threading.Event()
    async with open_cloud_engine(settings) as engine:
        connecting = asyncio.create_task(engine.connect().start())
        while not cloud.token_asked.is_set():
            await asyncio.sleep(0.001)
        for _ in range(100):
            await asyncio.sleep(0.001)
        # A blocked loop would continue only after the gate's own timeout.
        assert (cloud.scopes, connecting.done()) == ([], False)
        cloud.token_gate.set()
        await (await connecting).close()


async def test_exhausted_pool_is_not_ready_and_opens_no_connection(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_cloud_engine(settings, database_pool_size=2) as engine, engine.connect(), engine.connect():
        monkeypatch.setattr(engine.pool, "_timeout", 0.1)  # timeout of the pool, not of connecting
        with pytest.raises(NotReady, match="QueuePool limit of size 2"):
            async with transaction(engine):
                pass


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gcp_sql_password": None}, "needs GCP_SQL_PASSWORD, or set GCP_SQL_IAM_AUTH"),
        ({"gcp_sql_name": None, "gcp_sql_user": None}, "needs GCP_SQL_NAME and GCP_SQL_USER[.]"),
    ],
)
def test_cloud_url_with_missing_setting_names_it(changes: dict[str, None], message: str) -> None:
    base_settings: dict[str, Any] = {"gcp_sql_name": "arcade", "gcp_sql_user": "arcade", "gcp_sql_password": "right"}
    with pytest.raises(SettingsError, match=message):
        database_url(
            Settings(_env_file=None, gcp_sql_connection_name="p:r:n", database_url=None, **{**base_settings, **changes})
        )


def test_cloud_url_as_text_hides_password() -> None:
    settings = Settings(
        _env_file=None,
        gcp_sql_connection_name="p:r:n",
        gcp_sql_name="arcade",
        gcp_sql_user="arcade",
        gcp_sql_password="right",
    )
    assert "right" not in f"{database_url(settings)}"
