"""What the commands say to people."""

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
    """An arcade on this run's Postgres, in a folder without `.env`."""
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


def test_help_says_what_each_command_does(run: Run) -> None:
    said = run("--help").output
    for command in ("serve", "migrate", "games", "episodes", "show", "schema", "psql"):
        assert re.search(rf"{command} +\S+", said)
        assert run(command, "--help").exit_code == 0


def test_games_are_listed(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "pong.yaml").write_text(GAME)
    monkeypatch.setenv("GAMES_FOLDER", str(home))
    result = run("games")
    assert re.search(r"pong +Pong +60 Hz +ALE/Pong-v5 +min_score 1", result.output)


def test_a_wrong_manifest_is_one_sentence(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "pong.yaml").write_text(GAME.replace("noop: 0", "noop: often"))
    monkeypatch.setenv("GAMES_FOLDER", str(home))
    result = run("games")
    assert result.exit_code == 1
    assert "pong.yaml: noop" in result.stderr
    assert "Traceback" not in result.output


def test_no_episodes_yet(run: Run) -> None:
    assert run("episodes").output == "Nothing was played yet.\n"
    assert run("episodes", "--game", "pong").output == "No such episodes.\n"


def test_episodes_are_listed_and_older_ones_follow(run: Run, record: Callable[..., RecordedEpisode]) -> None:
    made = [record(user=f"u{i}", game=("pong", "hanoi")[i % 2]).id for i in range(3)]
    first = run("episodes", "--limit", "2").output
    rows = re.findall(r"^ ?(\S{18}) +(\S+) +(Pong|Hanoi) +12 +3 +won \(terminated\) +2026-11-22", first, re.MULTILINE)
    assert rows == [(str(made[2])[:18], "u2@example.org", "Pong"), (str(made[1])[:18], "u1@example.org", "Hanoi")]
    hint = re.search(r"--before (\S+)", first)
    assert hint is not None
    second = run("episodes", "--limit", "2", "--before", hint[1]).output
    assert str(made[0])[:18] in second
    assert "--before" not in second
    assert str(made[1])[:18] in run("episodes", "--user", "u1@example.org", "--status", "won").output


def test_show_explains_an_episode(run: Run, record: Callable[..., RecordedEpisode], home: Path) -> None:
    made = record(observe=float)
    result = run("show", str(made.id)[:18])
    assert result.exit_code == 0
    told = result.output
    for words in (
        f"Episode {made.id}",
        "Pong (pong), played by u1@example.org",
        "won, terminated: score 3 in 12 steps",
        "seed: 123",
        "id: ALE/Pong-v5",
        "transition: 12 rows, steps 0 to 11",
        "segment: 3 rows",
        "event: 1 input",
        f"Objects, in {home / 'objects'}",
        f"{made.keys[0]}: 5 frames, steps 0 to 3" if made.keys[0].endswith("png") else "",
        "000002.npz: 5 observations, steps 7 to 11",
        "all are there and have the bytes that were recorded",
    ):
        assert words in told


def test_show_says_what_is_not_whole(run: Run, record: Callable[..., RecordedEpisode], home: Path) -> None:
    made = record()
    (home / "objects" / made.keys[0]).unlink()
    (home / "objects" / made.keys[1]).write_bytes(b"other")
    result = run("show", str(made.id))
    assert result.exit_code == 1
    assert "000000.png: 5 frames, steps 0 to 3  <- is missing" in result.output
    assert "000001.png: 3 frames, steps 4 to 6  <- has other bytes than were recorded" in result.output
    assert "2 of its objects" in result.stderr


def test_show_says_what_waits_in_the_journal(run: Run, record: Callable[..., RecordedEpisode], home: Path) -> None:
    made = record((0,))
    journal = home / "journal" / str(made.id)
    journal.mkdir(parents=True)
    (journal / "1.sealed").touch()
    told = run("show", str(made.id)).output
    assert f"not delivered yet: 1 pieces in {journal}" in told
    assert "transition: no rows" in told


@pytest.mark.parametrize(("id_", "reason"), [("zz", "no episode's id"), (str(UUID(int=1)), "There is no episode")])
def test_an_unknown_episode_is_one_sentence(run: Run, id_: str, reason: str) -> None:
    result = run("show", id_)
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1


def test_schema_tells_every_column_with_its_meaning(run: Run) -> None:
    said = run("schema").output
    for table in Table.metadata.tables.values():
        assert f"{table.name}  {table.comment}" in said
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name} has no comment"
            assert re.search(rf"^ {column.name} +.*{re.escape(column.comment)}", said, re.MULTILINE)


def test_migrate_says_where(run: Run, postgres: URL, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "are those of this version" in run("migrate").output
    monkeypatch.setenv("DATABASE_URL", postgres.render_as_string(False))
    unmigrated = run("episodes")
    assert unmigrated.exit_code == 1
    assert "run `skill-arcade migrate`" in unmigrated.stderr


def test_psql_reaches_the_database(
    run: Run, record: Callable[..., RecordedEpisode], capfd: pytest.CaptureFixture[str]
) -> None:
    record()
    assert run("psql", "-Atc", "SELECT count(*) FROM transition").exit_code == 0
    assert run("psql", "-c", "nonsense").exit_code == 1
    said = capfd.readouterr()
    assert said.out == "12\n"
    assert "syntax error" in said.err


def test_a_wrong_setting_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPLOADER_NUM_WORKERS", "many")
    result = run("episodes")
    assert result.exit_code == 1
    assert "UPLOADER_NUM_WORKERS" in result.stderr
