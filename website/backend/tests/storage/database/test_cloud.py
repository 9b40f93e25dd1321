"""Cloud SQL by name: the real connector, a stand-in of the Admin API, and TLS in front of the real Postgres."""

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
WHO = text("SELECT current_user, current_setting('application_name')")


@pytest.fixture(scope="module")
def users(postgres: URL) -> Iterator[None]:
    """A user by password and a user by IAM, as the instance would have them."""

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
    """Settings of a server that knows the instance by its name."""
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
async def asked(settings: Settings, **changes: Any) -> AsyncIterator[AsyncEngine]:
    async with open_engine(settings.model_copy(update=changes)) as engine:
        yield engine


async def test_a_server_gets_in_by_name_and_password(settings: Settings, cloud: Instance) -> None:
    async with asked(settings) as engine, transaction(engine) as connection:
        assert (await connection.execute(WHO)).one() == ("arcade", "skill-arcade")
        await check_schema(connection)
    assert cloud.logins == [("arcade", cloud.addresses["PRIMARY"], False)]
    assert sorted(cloud.calls) == ["connectSettings", "generateEphemeralCert"]


async def test_a_wrong_password_is_not_ready_and_is_not_said(settings: Settings) -> None:
    async with asked(settings, gcp_sql_password="a-wrong-one") as engine:
        with pytest.raises(NotReady, match="password authentication failed") as caught:
            async with transaction(engine):
                pass
    assert "a-wrong-one" not in str(caught.value)


async def test_a_service_account_gets_in_with_no_password(settings: Settings, cloud: Instance) -> None:
    by_iam = {"gcp_sql_iam_auth": True, "gcp_sql_user": ACCOUNT, "gcp_sql_password": None}
    async with asked(settings, **by_iam) as engine, transaction(engine) as connection:
        assert (await connection.execute(WHO)).scalar() == "arcade@project.iam"
    assert cloud.logins == [("arcade@project.iam", cloud.addresses["PRIMARY"], True)]
    assert cloud.scopes[-1] == "https://www.googleapis.com/auth/sqlservice.login"


async def test_the_private_address_is_used_when_asked_for(settings: Settings, cloud: Instance) -> None:
    async with asked(settings, gcp_sql_ip_type="private") as engine, transaction(engine):
        pass
    assert [address for _, address, _ in cloud.logins] == [cloud.addresses["PRIVATE"]]


async def test_an_address_that_the_instance_has_not_is_said(settings: Settings, cloud: Instance) -> None:
    del cloud.addresses["PRIVATE"]
    async with asked(settings, gcp_sql_ip_type="private") as engine:
        with pytest.raises(NotReady, match="does not have any IP addresses matching preference: PRIVATE"):
            async with transaction(engine):
                pass


@pytest.mark.parametrize(
    ("name", "refusal", "reason"),
    [
        ("project:europe-west1:other", None, "does not exist. Does GCP_SQL_CONNECTION_NAME name it right?"),
        ("project:europe-west4:main", None, "Provided region was mismatched"),
        ("project:europe-west1:main", 403, "Grant this server's account the role Cloud SQL Client."),
        ("project:europe-west1:main", 400, "not authorized"),
    ],
)
async def test_an_instance_that_can_not_be_used_is_not_ready_and_says_why(
    settings: Settings, cloud: Instance, name: str, refusal: int | None, reason: str
) -> None:
    cloud.refusal = refusal
    async with asked(settings, gcp_sql_connection_name=name) as engine:
        with pytest.raises(NotReady, match=f"Cloud SQL {name} can't be used: .*{reason.replace('.', '[.]')}"):
            async with transaction(engine):
                pass


async def test_a_server_comes_back_once_the_api_does(settings: Settings, cloud: Instance) -> None:
    cloud.refusal = 403
    async with asked(settings) as engine:
        with pytest.raises(NotReady):
            async with transaction(engine):
                pass
        cloud.refusal = None
        async with transaction(engine) as connection:
            assert (await connection.execute(WHO)).scalar() == "arcade"


async def test_an_empty_database_is_migrated_over_the_connector(
    settings: Settings, postgres: URL, database_url: URL
) -> None:
    name = f"{database_url.database}_empty"
    await execute(postgres, f"CREATE DATABASE {name} TEMPLATE template0")
    there = settings.model_copy(update={"gcp_sql_name": name})
    try:
        await migrate(there)
        async with asked(there) as engine, transaction(engine) as connection:
            await check_schema(connection)
    finally:
        await execute(postgres, f"DROP DATABASE {name} WITH (FORCE)")


async def test_connections_of_a_pool_share_a_certificate_until_it_ends(settings: Settings, cloud: Instance) -> None:
    async def connect_twice() -> int:
        cloud.calls.clear()
        async with asked(settings) as engine, engine.connect(), engine.connect():
            return cloud.calls.count("generateEphemeralCert")

    assert await connect_twice() == 1
    cloud.certificate_holds = timedelta(minutes=1)
    assert await connect_twice() == 2


async def test_an_engine_that_was_disposed_of_leaves_nothing_open_and_may_be_used_again(settings: Settings) -> None:
    before = threading.active_count()
    engine = create_engine(database_url(settings), 2)
    for _ in range(2):
        async with transaction(engine) as connection:
            assert (await connection.execute(WHO)).scalar() == "arcade"
        await engine.dispose()
    assert threading.active_count() <= before + 2


async def test_the_loop_goes_on_while_a_token_is_awaited(settings: Settings, cloud: Instance) -> None:
    cloud.token_gate = threading.Event()
    async with asked(settings) as engine:
        connecting = asyncio.create_task(engine.connect().start())
        while not cloud.token_asked.is_set():
            await asyncio.sleep(0.001)
        for _ in range(100):
            await asyncio.sleep(0.001)
        # Had the loop been held up, it would have gone on only once the gate had opened by itself.
        assert (cloud.scopes, connecting.done()) == ([], False)
        cloud.token_gate.set()
        await (await connecting).close()


async def test_a_full_pool_is_not_ready_rather_than_a_connection_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asked(settings, database_pool_size=2) as engine, engine.connect(), engine.connect():
        monkeypatch.setattr(engine.pool, "_timeout", 0.1)  # of the pool alone: to connect may take longer
        with pytest.raises(NotReady, match="QueuePool limit of size 2"):
            async with transaction(engine):
                pass


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gcp_sql_password": None}, "needs GCP_SQL_PASSWORD too, or GCP_SQL_IAM_AUTH for no password"),
        ({"gcp_sql_name": None, "gcp_sql_user": None}, "needs GCP_SQL_NAME and GCP_SQL_USER too[.]"),
    ],
)
def test_a_setting_that_is_missing_is_named(changes: dict[str, None], said: str) -> None:
    given: dict[str, Any] = {"gcp_sql_name": "arcade", "gcp_sql_user": "arcade", "gcp_sql_password": "right"}
    with pytest.raises(SettingsError, match=said):
        database_url(
            Settings(_env_file=None, gcp_sql_connection_name="p:r:n", database_url=None, **{**given, **changes})
        )


def test_the_password_shows_in_no_text_of_the_address() -> None:
    settings = Settings(
        _env_file=None,
        gcp_sql_connection_name="p:r:n",
        gcp_sql_name="arcade",
        gcp_sql_user="arcade",
        gcp_sql_password="right",
    )
    assert "right" not in f"{database_url(settings)}"
