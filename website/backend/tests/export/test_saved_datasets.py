"""Saved datasets: versions that never change, exports with the same bytes, and what is left after an erasure."""

import asyncio
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pyarrow.parquet as pq
import pytest
import yaml
from sqlalchemy import URL, delete, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner, Result

from skill_arcade.cli import app, datasets
from skill_arcade.cli.export import export_planned
from skill_arcade.consent.documents import SCOPES
from skill_arcade.export.formats import FormatName
from skill_arcade.storage.database import dataset_versions
from skill_arcade.storage.database.consents import withdraw_scopes
from skill_arcade.storage.database.erasures import begin_erasure
from skill_arcade.storage.database.notes import add_note
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.uploader.account_eraser import AccountEraser
from tests.conftest import execute, fresh_database, opened_engine
from tests.readers.recordings import record_games
from tests.support.cloud.storage import storage_server
from tests.support.consent import write_consent
from tests.support.fake_hub import TOKEN, fake_hub
from tests.support.recorded_episode import record_episode

Run = Callable[..., Result]
TABLES = Table.metadata.tables
EPISODE = TABLES["episode"]
SCHEMA = Path(__file__).parents[1] / "fixtures" / "citation_file_format" / "schema-1.2.0.json"
TERMS = ("--license", "CC-BY-4.0", "--contact", "ann@example.org", "--summary", "Two people who learn.")


def make_run(url: URL, home: Path) -> Run:
    variables = {"SKILL_ARCADE_HOME": str(home), "DATABASE_URL": url.render_as_string(hide_password=False)}
    return lambda *arguments: CliRunner(env=variables).invoke(app, [str(argument) for argument in arguments])


def check(result: Result) -> str:
    assert result.exit_code == 0, result.output + result.stderr
    return result.output


def digest_files(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


def change(url: URL, work: Callable[[AsyncConnection], Any]) -> Any:
    async def call() -> Any:
        async with opened_engine(url) as engine, engine.begin() as connection:
            return await work(connection)

    return asyncio.run(call())


@pytest.fixture(scope="module")
def recorded(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[URL, Path]]:
    """Four episodes of two games, saved as `mixed@1` and as `published@1`."""
    home = tmp_path_factory.mktemp("saved")
    with fresh_database(postgres) as url:
        record_games(url, home, ["breakout", "minigrid-door-key"], steps=20, has_odd=False)
        run = make_run(url, home)
        check(run("datasets", "save", "mixed", "--where", "steps > 1", "--title", "Mixed play"))
        check(run("datasets", "save", "published", "--scope", "publication", *TERMS, "--author", "Doe, Ann"))
        yield url, home


async def add_later_facts(connection: AsyncConnection) -> None:
    """Certify all episodes, and retract and write notes."""
    ids = list((await connection.execute(select(EPISODE.c.id).order_by(EPISODE.c.id))).scalars())
    for id_ in ids:
        row = {"episode_id": id_, "result": "certified", "reason": "", "n_steps": 1, "seconds": 1.0, "versions": {}}
        await connection.execute(insert(TABLES["certificate"]).values(row))
    note = {"author_role": "researcher", "step_from": 0, "step_to": 2, "tag": None, "vocabulary": 1, "text": "later"}
    await add_note(connection, ids[0], "user", note)


@pytest.mark.parametrize("format_", FormatName)
def test_export_in_another_home_after_later_facts_has_same_bytes(
    format_: str, recorded: tuple[URL, Path], tmp_path: Path
) -> None:
    url, home = recorded
    first, second, other_home = tmp_path / "first", tmp_path / "second", tmp_path / "home"
    export = ("datasets", "export", "mixed@1", "--format", format_)
    check(make_run(url, home)(*export, first))
    change(url, add_later_facts)
    try:
        shutil.copytree(home / "objects", other_home / "objects")
        variables = {
            "SKILL_ARCADE_HOME": str(other_home),
            "DATABASE_URL": url.render_as_string(hide_password=False),
            "TZ": "Asia/Kolkata",
            "PYTHONHASHSEED": "7",
        }
        command = [sys.executable, "-m", "skill_arcade", *export, "--jobs", "2", str(second)]
        done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        asyncio.run(execute(url, "DELETE FROM certificate"))
        asyncio.run(execute(url, "DELETE FROM note"))
    files = digest_files(first)
    assert len(files) > 5
    assert digest_files(second) == files
    manifest = json.loads((first / "manifest.json").read_text())
    assert (manifest["episodes"], manifest["dataset"]["version"], manifest["query"]) == (4, 1, "steps > 1")


def test_version_has_digests_citation_and_data_sheet(recorded: tuple[URL, Path], tmp_path: Path) -> None:
    url, home = recorded
    out = tmp_path / "out"
    check(make_run(url, home)("datasets", "export", "published", "--format", "parquet", out))
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))
    for folder in (out, export_mixed(url, home, tmp_path)):
        citation = yaml.safe_load((folder / "CITATION.cff").read_text())
        validator.validate(citation)
    assert citation["title"] == "Mixed play"
    citation = yaml.safe_load((out / "CITATION.cff").read_text())
    assert citation["authors"] == [{"family-names": "Doe", "given-names": "Ann"}]
    assert (citation["version"], citation["license"]) == ("1", "CC-BY-4.0")
    facts = pq.read_table(out / "episodes.parquet").to_pylist()
    with (out / "digests.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["episode_id"] for row in rows} == {row["episode_id"] for row in facts}
    lines = sorted(f"{row['episode_id']} {row['sha256']} {row['certified'] == 'true':d}" for row in rows)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert citation["identifiers"][0]["value"] == f"sha256:{digest}"
    sheet = (out / "DATASHEET.md").read_text()
    assert "Two people who learn." in sheet
    n_steps = sum(row["steps"] for row in facts if row["game_id"] == "breakout")
    assert f"| breakout | 2 | {n_steps} | 1 | 0 |" in sheet
    assert "FILL IN:" not in sheet
    assert digest in sheet


def export_mixed(url: URL, home: Path, folder: Path) -> Path:
    check(make_run(url, home)("datasets", "export", "mixed@1", "--format", "video", folder / "mixed"))
    return folder / "mixed"


def test_saving_again_keeps_the_query_and_counts_versions(recorded: tuple[URL, Path]) -> None:
    run = make_run(*recorded)
    check(run("datasets", "save", "counted", "--where", "game_id = 'breakout'", "--title", "First"))
    assert "counted@2: 2 episodes" in check(run("datasets", "save", "counted", "--contact", "ann@example.org"))
    shown = json.loads(check(run("datasets", "show", "counted", "--json")))
    assert (shown["version"], shown["query"]) == (2, "game_id = 'breakout'")
    assert shown["description"] == {"title": "First", "contact": "ann@example.org"}
    assert "counted@1" in check(run("datasets", "list"))
    compared = check(run("datasets", "compare", "counted@1", "mixed"))
    assert "query differs" in compared
    assert [int(cell) for cell in compared.split("all")[1].split()[:4]] == [2, 0, 0, 2]


def test_pseudonyms_are_equal_in_versions_and_differ_between_datasets(
    recorded: tuple[URL, Path], tmp_path: Path
) -> None:
    run = make_run(*recorded)
    for name in ("pseudo", "pseudo", "other"):
        check(run("datasets", "save", name))
    found = []
    for reference in ("pseudo@1", "pseudo@2", "other"):
        check(run("datasets", "export", reference, "--format", "parquet", tmp_path / reference))
        rows = pq.read_table(tmp_path / reference / "episodes.parquet").to_pylist()
        found.append({(row["episode_id"], row["player_id"]) for row in rows})
    assert found[0] == found[1]
    assert not found[0] & found[2]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("No Name",), "is no name of a dataset"),
        (("empty", "--where", "steps > 1e9"), "No ended episode can be saved"),
        (("named", "--where", "player_id = 'user'"), "names a player"),
        (("named", "--where", "player_id <> 'user' OR steps > 1"), "names a player"),
        (("named", "--where", f"player_id <> '{'0a' * 16}'"), "names a player"),
        (("broken", "--where", "retrun > 1"), 'column "retrun" does not exist'),
        (("broken", "--where", "nextval('a') > 0"), "database rejects the condition"),
        (("broken", "--where", "true); DELETE FROM event; --"), "database rejects the condition"),
        (("both", "--where", "true", "--filters", "game=breakout"), "cannot be combined"),
        (("filters", "--filters", "gamme=breakout"), "gamme"),
        (("filters", "--filters", "players=programs"), "recordings of people"),
        (("filters", "--filters", "player=ann"), "would name them"),
        (("licence", "--license", "my own"), "Use one of: CC0-1.0"),
        (("contact", "--contact", "ann"), "no e-mail address"),
        (("scope", "--scope", "sale"), "research or publication"),
    ],
)
def test_save_of_invalid_selection_prints_reason(
    arguments: tuple[str, ...], reason: str, recorded: tuple[URL, Path]
) -> None:
    result = make_run(*recorded)("datasets", "save", *arguments)
    assert result.exit_code == 1
    assert reason in result.stderr


@pytest.mark.parametrize(
    ("reference", "reason"),
    [("mixed@9", "There is no saved dataset mixed@9"), ("none", "no saved dataset none"), ("mixed@x", "Write NAME")],
)
def test_unknown_version_is_reported(reference: str, reason: str, recorded: tuple[URL, Path]) -> None:
    result = make_run(*recorded)("datasets", "show", reference)
    assert (result.exit_code, reason in result.stderr) == (1, True)


def test_publish_uploads_the_export_and_notes_the_address(
    recorded: tuple[URL, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, home = recorded
    refused = make_run(url, home)("datasets", "publish", "mixed", "somebody/mixed")
    assert refused.exit_code == 1
    check(make_run(url, home)("datasets", "export", "published@1", "--format", "hf", tmp_path / "out"))
    with fake_hub() as hub:
        variables = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
        variables |= {"SKILL_ARCADE_HOME": str(home), "DATABASE_URL": url.render_as_string(hide_password=False)}
        command = [sys.executable, "-m", "skill_arcade", "datasets", "publish", "published@1", "somebody/people"]
        done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        uploaded = hub.repositories["somebody/people"].files
        assert {name: hashlib.sha256(data).hexdigest() for name, data in uploaded.items()} == digest_files(
            tmp_path / "out"
        )
        assert f"Published: {hub.url}/datasets/somebody/people" in done.stdout
        shown = json.loads(check(make_run(url, home)("datasets", "show", "published@1", "--json")))
        assert list(shown["publications"]) == [f"{hub.url}/datasets/somebody/people"]


def test_recording_that_changed_since_is_not_exported(recorded: tuple[URL, Path], tmp_path: Path) -> None:
    url, home = recorded
    run = make_run(url, home)
    check(run("datasets", "save", "late"))
    late = "UPDATE transition SET shown_us = coalesce(shown_us, 0) + {} WHERE step = 3"
    asyncio.run(execute(url, late.format(1)))
    try:
        result = run("datasets", "export", "late", "--format", "parquet", tmp_path / "out")
        assert (result.exit_code, "4 of its 4 recordings have changed" in result.stderr) == (1, True)
        assert "late@2" in check(run("datasets", "save", "late"))
        compared = check(run("datasets", "compare", "late@1", "late@2"))
        assert [int(cell) for cell in compared.split("all")[1].split()[:4]] == [0, 4, 0, 0]
        check(run("datasets", "export", "late", "--format", "parquet", tmp_path / "out"))
    finally:
        asyncio.run(execute(url, late.format(-1)))


@pytest.fixture
def players(database_url: URL, tmp_path: Path) -> dict[str, UUID]:
    """Episodes of ann, bob and cem, who allow everything."""
    made = {user: record_episode(database_url, tmp_path / "objects", user=user).id for user in ("ann", "bob", "cem")}

    async def allow(connection: AsyncConnection) -> None:
        await connection.execute(delete(TABLES["consent_decision"]))
        for user, episode in made.items():
            consent = UUID(await write_consent(connection, user, SCOPES))
            await connection.execute(update(EPISODE).where(EPISODE.c.id == episode).values(consent_id=consent))

    change(database_url, allow)
    return made


def erase(url: URL, home: Path) -> None:
    async def work() -> None:
        async with opened_engine(url) as engine:
            await AccountEraser(home / "journal", DiskObjects(home / "objects"), engine).erase_all()

    (home / "journal").mkdir(exist_ok=True)
    asyncio.run(work())


def read_ids(folder: Path) -> set[str]:
    return {row["episode_id"] for row in pq.read_table(folder / "episodes.parquet").to_pylist()}


def test_erasure_makes_a_successor_that_names_what_went_by_its_pseudonym(
    players: dict[str, UUID], database_url: URL, tmp_path: Path
) -> None:
    run = make_run(database_url, tmp_path)
    export = ("datasets", "export")
    check(run("datasets", "save", "people"))
    check(run(*export, "people", "--format", "parquet", tmp_path / "before"))
    change(database_url, lambda connection: begin_erasure(connection, "bob"))
    erase(database_url, tmp_path)
    shown = json.loads(check(run("datasets", "show", "people", "--json")))
    assert (shown["version"], shown["cause"], shown["n_episodes"], shown["n_players"]) == (2, "removal", 2, 2)
    old = run(*export, "people@1", "--format", "parquet", tmp_path / "old")
    assert (old.exit_code, "1 of its 3 episodes were erased" in old.stderr) == (1, True)
    assert not (tmp_path / "old").exists()
    check(run(*export, "people", "--format", "parquet", tmp_path / "after"))
    assert read_ids(tmp_path / "before") - read_ids(tmp_path / "after") == set(shown["removed"])
    assert len(shown["removed"]) == 1
    assert shown["removed"][0] in (tmp_path / "after" / "DATASHEET.md").read_text()
    rows = change(database_url, lambda connection: connection.execute(text("SELECT * FROM dataset_episode")))
    erased = [row for row in rows if row.pseudonym == shown["removed"][0]]
    assert [(row.episode_id, row.digest) for row in erased] == [(None, None)]
    assert "1 episodes of people@1 were erased since" in check(run("datasets", "compare", "people@1", "people@2"))
    erase(database_url, tmp_path)
    assert "No dataset has lost episodes." in check(run("datasets", "renew"))


def test_withdrawal_of_publication_ends_versions_for_publication_only(
    players: dict[str, UUID], database_url: URL, tmp_path: Path
) -> None:
    run = make_run(database_url, tmp_path)
    check(run("datasets", "save", "inside"))
    check(run("datasets", "save", "outside", "--scope", "publication"))

    change(database_url, lambda connection: withdraw(connection, "cem", "publication"))
    refused = run("datasets", "export", "outside@1", "--format", "parquet", tmp_path / "outside")
    assert (refused.exit_code, "consent was withdrawn" in refused.stderr) == (1, True)
    erase(database_url, tmp_path)
    check(run("datasets", "export", "outside", "--format", "parquet", tmp_path / "outside"))
    check(run("datasets", "export", "inside@1", "--format", "parquet", tmp_path / "inside"))
    assert (len(read_ids(tmp_path / "outside")), len(read_ids(tmp_path / "inside"))) == (2, 3)


async def withdraw(connection: AsyncConnection, user: str, *scopes: str) -> None:
    document = (await connection.execute(select(TABLES["consent"].c.document_sha256))).scalars().first()
    assert document is not None
    await withdraw_scopes(connection, user, scopes, document=document, build="test")


def test_withdrawal_during_the_export_leaves_nothing(
    players: dict[str, UUID], database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(database_url, tmp_path)
    check(run("datasets", "save", "people"))

    def write_and_withdraw(*arguments: Any) -> None:
        export_planned(*arguments)
        asyncio.run(execute(database_url, "UPDATE episode SET consent_id = NULL WHERE user_id = 'ann'"))

    monkeypatch.setattr(datasets, "export_planned", write_and_withdraw)
    result = run("datasets", "export", "people", "--format", "parquet", tmp_path / "out")
    assert (result.exit_code, "1 of its 3 episodes" in result.stderr) == (1, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE episode SET consent_id = NULL WHERE user_id = 'ann'",
        "WITH a AS (DELETE FROM transition), b AS (DELETE FROM segment), c AS (DELETE FROM event) "
        "DELETE FROM episode WHERE user_id = 'ann'",
    ],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_erasure_during_the_save_is_answered_with_try_again(
    moment: str,
    statement: str,
    players: dict[str, UUID],
    database_url: URL,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    read_digests = dataset_versions._read_digests

    async def read_and_erase(*arguments: Any) -> dict[UUID, str]:
        found = await read_digests(*arguments) if moment == "after" else {}
        async with opened_engine(database_url) as engine, engine.begin() as connection:
            await connection.execute(text(statement))
        return found or await read_digests(*arguments)

    monkeypatch.setattr(dataset_versions, "_read_digests", read_and_erase)
    run = make_run(database_url, tmp_path)
    result = run("datasets", "save", "people")
    assert (result.exit_code, "Save it again." in result.stderr) == (1, True)
    monkeypatch.undo()
    assert "2 episodes" in check(run("datasets", "save", "people"))


def test_decision_on_old_episodes_makes_a_successor(
    players: dict[str, UUID], database_url: URL, tmp_path: Path
) -> None:
    run = make_run(database_url, tmp_path)
    asyncio.run(execute(database_url, "UPDATE episode SET consent_id = NULL WHERE user_id = 'ann'"))
    check(run("consent", "decide-old", "--scope", "research", "--reason", "paper"))
    assert "3 episodes" in check(run("datasets", "save", "people"))
    check(run("consent", "decide-old", "--reason", "no paper after all"))
    shown = json.loads(check(run("datasets", "show", "people", "--json")))
    assert (shown["version"], shown["n_episodes"], shown["removed_since"]) == (2, 2, 0)


def test_researcher_exports_from_a_laptop_over_tcp_and_bucket(
    players: dict[str, UUID], database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = make_run(database_url, tmp_path)
    check(owner("datasets", "save", "people"))
    check(owner("datasets", "export", "people", "--format", "parquet", tmp_path / "owner"))
    asyncio.run(execute(database_url, "CREATE ROLE rita_remote LOGIN"))
    try:
        check(owner("migrate", "--reader", "rita_remote"))
        with storage_server() as server:
            for file in (file for file in (tmp_path / "objects").rglob("*") if file.is_file()):
                key = file.relative_to(tmp_path / "objects").as_posix()
                server.bucket.insert(key, file.read_bytes(), {}, None)
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
            monkeypatch.setenv("GCP_BUCKET_NAME", "bucket")
            laptop = make_run(database_url.set(username="rita_remote"), tmp_path / "laptop")
            assert "people@1" in check(laptop("datasets", "list"))
            check(laptop("datasets", "show", "people"))
            check(laptop("datasets", "compare", "people", "people@1"))
            check(laptop("datasets", "export", "people@1", "--format", "parquet", tmp_path / "remote"))
            refused = laptop("datasets", "save", "mine")
            assert (refused.exit_code, "may only read" in refused.stderr) == (1, True)
    finally:
        asyncio.run(execute(database_url, "DROP OWNED BY rita_remote"))
        asyncio.run(execute(database_url, "DROP ROLE rita_remote"))
    assert digest_files(tmp_path / "remote") == digest_files(tmp_path / "owner")


def test_interrupted_export_is_resumed_and_other_version_is_refused(
    players: dict[str, UUID], database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(database_url, tmp_path)
    check(run("datasets", "save", "people"))
    check(run("datasets", "save", "less", "--where", f"time_created < '{datetime.now(UTC).isoformat()}'"))
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "finish_export", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        run("datasets", "export", "people", "--format", "parquet", tmp_path / "out")
    assert (tmp_path / "out" / ".export").exists()
    other = run("datasets", "export", "less", "--format", "parquet", tmp_path / "out")
    assert (other.exit_code, "unfinished export of people@1" in other.stderr) == (1, True)
    check(run("datasets", "export", "people", "--format", "parquet", tmp_path / "out"))
    assert len(read_ids(tmp_path / "out")) == 3
