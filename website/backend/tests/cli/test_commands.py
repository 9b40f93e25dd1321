"""Tests of the output of the commands."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import URL
from typer.testing import CliRunner, Result

from skill_arcade.cli import app
from skill_arcade.storage.database.tables import Table
from tests.support.recorded_episode import RecordedEpisode, record_episode

GAME = """
name: Pong
summary: Return the ball.
environment: {id: ALE/Pong-v5}
pace: {kind: real-time, hz: 60}
noop: 0
controls: [{name: up, label: Up, keys: [ArrowUp]}]
actions: [{press: [up], action: 2}]
won: {min_score: 1}
"""

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Select this run's Postgres and a folder without `.env`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(False))
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.fixture
def record(home: Path, database_url: URL) -> Callable[..., RecordedEpisode]:
    return partial(record_episode, database_url, home / "objects")


def test_help_describes_each_command(run: Run) -> None:
    output = run("--help").output
    for command in ("serve", "migrate", "games", "episodes", "show", "schema", "psql"):
        assert re.search(rf"{command} +\S+", output)
        assert run(command, "--help").exit_code == 0


def test_games_command_lists_games(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "pong.yaml").write_text(GAME)
    monkeypatch.setenv("GAMES_FOLDER", str(home))
    result = run("games")
    assert re.search(r"pong +Pong +60 Hz +ALE/Pong-v5 +min_score 1", result.output)


def test_games_command_with_invalid_manifest_prints_reason(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "pong.yaml").write_text(GAME.replace("noop: 0", "noop: often"))
    monkeypatch.setenv("GAMES_FOLDER", str(home))
    result = run("games")
    assert result.exit_code == 1
    assert "pong.yaml: noop" in result.stderr
    assert "Traceback" not in result.output


def test_episodes_command_without_episodes_prints_message(run: Run) -> None:
    assert run("episodes").output == "No episodes yet.\n"
    assert run("episodes", "--game", "pong").output == "No matching episodes.\n"


def test_episodes_command_lists_pages_newest_first(run: Run, record: Callable[..., RecordedEpisode]) -> None:
    recorded = [record(user=f"u{i}", game=("pong", "hanoi")[i % 2]).id for i in range(3)]
    first = run("episodes", "--limit", "2").output
    rows = re.findall(r"^ ?(\S{18}) +(\S+) +(Pong|Hanoi) +12 +3 +won \(terminated\) +2026-11-22", first, re.MULTILINE)
    assert rows == [
        (str(recorded[2])[:18], "u2@example.org", "Pong"),
        (str(recorded[1])[:18], "u1@example.org", "Hanoi"),
    ]
    hint = re.search(r"--before (\S+)", first)
    assert hint is not None
    second = run("episodes", "--limit", "2", "--before", hint[1]).output
    assert str(recorded[0])[:18] in second
    assert "--before" not in second
    assert str(recorded[1])[:18] in run("episodes", "--user", "u1@example.org", "--status", "won").output


def test_show_command_prints_rows_objects_and_origin(
    run: Run, record: Callable[..., RecordedEpisode], home: Path
) -> None:
    recorded = record(observe=float)
    result = run("show", str(recorded.id)[:18])
    assert result.exit_code == 0
    output = result.output
    for expected in (
        f"Episode {recorded.id}",
        "Pong (pong), played by u1@example.org",
        "won, terminated: score 3 in 12 steps",
        "seed: 123",
        "id: ALE/Pong-v5",
        "transition: 12 rows, steps 0 to 11",
        "segment: 3 rows",
        "event: 1 input",
        f"Objects, in {home / 'objects'}",
        f"{recorded.keys[0]}: 5 frames, steps 0 to 3" if recorded.keys[0].endswith("png") else "",
        "000002.npz: 5 observations, steps 7 to 11",
        "all objects are intact",
    ):
        assert expected in output


def test_show_command_reports_damaged_objects(run: Run, record: Callable[..., RecordedEpisode], home: Path) -> None:
    recorded = record()
    (home / "objects" / recorded.keys[0]).unlink()
    (home / "objects" / recorded.keys[1]).write_bytes(b"other")
    result = run("show", str(recorded.id))
    assert result.exit_code == 1
    assert "000000.png: 5 frames, steps 0 to 3  <- is missing" in result.output
    assert "000001.png: 3 frames, steps 4 to 6  <- has other bytes than were recorded" in result.output
    assert "2 objects" in result.stderr


def test_show_command_reports_files_in_journal(run: Run, record: Callable[..., RecordedEpisode], home: Path) -> None:
    recorded = record((0,))
    journal = home / "journal" / str(recorded.id)
    journal.mkdir(parents=True)
    (journal / "1.sealed").touch()
    output = run("show", str(recorded.id)).output
    assert f"not uploaded yet: 1 files in {journal}" in output
    assert "transition: no rows" in output


@pytest.mark.parametrize(("id_", "reason"), [("zz", "not an episode id"), (str(UUID(int=1)), "No episode id")])
def test_show_command_with_unknown_episode_prints_reason(run: Run, id_: str, reason: str) -> None:
    result = run("show", id_)
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1


def test_schema_command_prints_each_column_with_comment(run: Run) -> None:
    output = run("schema").output
    for table in Table.metadata.tables.values():
        assert f"{table.name}  {table.comment}" in output
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name} has no comment"
            assert re.search(rf"^ {column.name} +.*{re.escape(column.comment)}", output, re.MULTILINE)


def test_migrate_command_reports_current_schema(run: Run, postgres: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "up to date" in run("migrate").output
    monkeypatch.setenv("DATABASE_URL", postgres.render_as_string(False))
    unmigrated = run("episodes")
    assert unmigrated.exit_code == 1
    assert "run `skill-arcade migrate`" in unmigrated.stderr


def test_psql_command_queries_database(
    run: Run, record: Callable[..., RecordedEpisode], capfd: pytest.CaptureFixture[str]
) -> None:
    record()
    assert run("psql", "-Atc", "SELECT count(*) FROM transition").exit_code == 0
    assert run("psql", "-c", "nonsense").exit_code == 1
    output = capfd.readouterr()
    assert output.out == "12\n"
    assert "syntax error" in output.err


def test_command_with_invalid_setting_names_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPLOADER_NUM_WORKERS", "many")
    result = run("episodes")
    assert result.exit_code == 1
    assert "UPLOADER_NUM_WORKERS" in result.stderr
