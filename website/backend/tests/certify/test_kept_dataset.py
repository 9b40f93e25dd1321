"""A worker of the certifier opens the database once, and again if its connections have failed."""

import os
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import URL

from skill_arcade.certify.jobs import Job
from skill_arcade.certify.rerun import Verdict
from skill_arcade.certify.worker_jobs import KeptDataset, run_job
from skill_arcade.ids import new_episode_id
from skill_arcade.settings import Settings
from skill_arcade.storage.database.tables import CertificateResult
from tests.certify.test_certify import RecordedArcade
from tests.support.cloud.sql import cloud_sql, write_account
from tests.support.session_harness import play_hanoi


@pytest.fixture
def arcade(database_url: URL, tmp_path: Path) -> RecordedArcade:
    return RecordedArcade(database_url, tmp_path)


def ignore_step(step: int) -> None:
    """Send no sign of life."""


def certify(database: KeptDataset, episode: UUID) -> Verdict:
    verdict = run_job(database, Job("rerun", episode), [], ignore_step).value
    assert isinstance(verdict, Verdict), verdict
    return verdict


def test_worker_asks_the_admin_api_once_for_several_episodes(
    arcade: RecordedArcade, database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = [play_hanoi(arcade.journal) for _ in range(3)]
    arcade.upload()
    socket = f"{database_url.query['host']}/.s.PGSQL.{database_url.query['port']}"
    with cloud_sql(socket, tmp_path) as (instance, address):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", os.fspath(write_account(tmp_path, address)))
        settings = Settings(
            _env_file=None,
            skill_arcade_home=tmp_path,
            gcp_sql_connection_name=instance.name,
            gcp_sql_name=database_url.database,
            gcp_sql_user="postgres",
            gcp_sql_password="not checked",
            gcp_sql_admin_endpoint=address,
        )
        database = KeptDataset(settings)
        verdicts = [certify(database, header.episode_id) for header in headers]
        database.close()
    assert {verdict.result for verdict in verdicts} == {CertificateResult.certified}
    assert sorted(instance.calls) == ["connectSettings", "generateEphemeralCert"]


def close_dataset(arcade: RecordedArcade, database: KeptDataset) -> None:
    database.open().close()


def end_connections(arcade: RecordedArcade, database: KeptDataset) -> None:
    arcade.change(
        "UPDATE game SET config = config WHERE EXISTS (SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid())"
    )


@pytest.mark.parametrize("damage", [close_dataset, end_connections])
def test_worker_opens_the_database_again_after_a_failure(
    arcade: RecordedArcade, damage: Callable[[RecordedArcade, KeptDataset], None]
) -> None:
    header = play_hanoi(arcade.journal)
    arcade.upload()
    url = arcade.url.render_as_string(hide_password=False)
    database = KeptDataset(Settings(database_url=url, skill_arcade_home=arcade.journal.parent))
    for _ in range(2):
        assert certify(database, header.episode_id).result is CertificateResult.certified
        damage(arcade, database)
    database.close()


def test_worker_names_a_database_that_does_not_answer(tmp_path: Path) -> None:
    database = KeptDataset(Settings(database_url="postgresql:///none?host=/nowhere", skill_arcade_home=tmp_path))
    reply = run_job(database, Job("rerun", new_episode_id()), [], ignore_step)
    assert (reply.kind, database.is_open) == ("unavailable", False)
