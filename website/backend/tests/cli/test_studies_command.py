"""`skill-arcade studies`: files are checked and opened, and participants are counted and downloaded."""

import asyncio
import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import URL, insert, select, update
from typer.testing import CliRunner, Result

from skill_arcade.cli import app
from skill_arcade.ids import new_episode_id, transition_id
from skill_arcade.storage.database.consents import add_answer, add_document
from skill_arcade.storage.database.studies import add_participant, read_newest, update_participant
from skill_arcade.storage.database.tables import Table
from tests.conftest import opened_engine
from tests.support.studies import make_study, write_study

USER, EPISODE, GAME = (Table.metadata.tables[name] for name in ("user", "episode", "game"))


@pytest.fixture
def folder(tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a study, and this run's Postgres."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(False))
    (tmp_path / "studies").mkdir()
    write_study(tmp_path / "studies", make_study(counterbalance=["warm-up", "play"]))
    return tmp_path / "studies"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["studies", *arguments])


def test_check_prints_hash_or_file_field_and_reason(folder: Path) -> None:
    good = run("check", "ice")
    assert (good.exit_code, "OK, 7 stages" in good.output) == (0, True)
    write_study(folder, make_study(quota=0), "bad")
    bad = run("check", "bad")
    assert bad.exit_code == 1
    assert "bad.yaml: quota: Input should be greater than or equal to 1" in bad.output


def test_preview_prints_every_arm_and_order(folder: Path) -> None:
    output = run("preview", "ice").output
    assert output.count("Ice: arm a, order") == output.count("Ice: arm b, order") == 2
    first, second = output.split("Ice: arm a, order ")[1:3]
    assert first.index("warm-up") < first.index(" play ")
    assert second.index(" play ") < second.index("warm-up")


def test_preregister_prints_the_sheet_with_the_hash_of_check(folder: Path) -> None:
    digest = run("check", "ice").output.split()[-1]
    assert digest in run("preregister", "ice").output


def test_open_draws_codes_once_and_counts_versions(folder: Path) -> None:
    first = run("open", "ice", "--code", "complete=C0DE")
    assert "open as version 1" in first.output
    codes = [line.split()[-1] for line in first.output.splitlines() if "no-consent" in line]
    again = run("open", "ice")
    assert "version 1, which it had before" in again.output
    assert codes[0] in again.output
    assert "C0DE" in again.output
    write_study(folder, make_study(title="Snow"))
    assert "open as version 2" in run("open", "ice").output
    assert "Snow" in run("status").output
    assert run("close", "ice").exit_code == 0
    assert "closed" in run("status").output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("open", "ice", "--code", "done=1"), "write OUTCOME=CODE"),
        (("open", "snow"), "There is no study 'snow'"),
        (("close", "ice"), "never opened"),
        (("status", "ice"), "never opened"),
        (("download", "ice", "new"), "never opened"),
        (("download", "ice", "studies"), "exists already"),
    ],
)
def test_command_that_cannot_work_says_why(folder: Path, arguments: tuple[str, ...], reason: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert reason in result.output


def test_sona_needs_its_credit_token(folder: Path) -> None:
    write_study(folder, make_study(recruiter={"kind": "sona", "site": "uni", "experiment_id": 7}), "credits")
    assert "--code complete=TOKEN" in run("open", "credits").output
    assert run("open", "credits", "--code", "complete=tok").exit_code == 0
    assert run("open", "credits").exit_code == 0


def test_download_has_participants_who_allow_research_and_no_recruiter_id(folder: Path, database_url: URL) -> None:
    run("open", "ice")
    asyncio.run(write_participants(database_url))
    result = run("download", "ice", "data")
    assert result.exit_code == 0, result.output
    tables = {path.stem: list(csv.DictReader(path.read_text().splitlines())) for path in Path("data").glob("*.csv")}
    assert {name: [row.get("user_id", row.get("player_id")) for row in rows] for name, rows in tables.items()} == {
        "participants": ["ada"],
        "answers": ["ada", "ada"],
        "trials": ["ada"],
    }
    assert {row["question"]: row["answer"] for row in tables["answers"]} == {"fun": "3", "pads": '["x"]'}
    assert (tables["trials"][0]["arm"], tables["trials"][0]["is_complete"]) == ("a", "True")
    assert "person" not in "".join(path.read_text() for path in Path("data").glob("*.csv"))
    assert "1" in run("status", "ice").output


def test_exclusion_has_a_reason_and_the_newest_decision_counts(folder: Path, database_url: URL) -> None:
    run("open", "ice")
    asyncio.run(write_participants(database_url))
    assert run("exclude", "ice", "a", "--reason", " ").exit_code == 1
    assert "no participant 'zoe'" in run("exclude", "ice", "zoe", "--reason", "x").output
    assert "Several participants" in run("exclude", "ice", "b", "--reason", "x").output
    for number, (command, is_excluded) in enumerate([("exclude", "True"), ("include", "False"), ("exclude", "True")]):
        assert run(command, "ice", "ad", "--reason", f"reason {number}").output.startswith("ada is")
        run("download", "ice", f"data-{number}")
        files = [Path(f"data-{number}/{name}.csv").read_text() for name in ("participants", "trials")]
        participants, trials = (list(csv.DictReader(file.splitlines())) for file in files)
        assert (participants[0]["is_excluded"], trials[0]["is_excluded"]) == (is_excluded, is_excluded)
        assert participants[0]["exclusion_reason"] == f"reason {number}"


def test_bonus_writes_recruiter_ids_once(folder: Path, database_url: URL) -> None:
    run("open", "ice")
    asyncio.run(write_participants(database_url))
    Path("grants.csv").write_text("user_id,amount\nada,1.25\nbob,0.5\n")
    assert run("bonus", "ice", "grants.csv", "first.csv").output == "first.csv: 2 bonuses\n"
    assert Path("first.csv").read_text() == "participant_id,amount\nperson-ada,1.25\nperson-bob,0.50\n"
    assert run("bonus", "ice", "grants.csv", "second.csv").output == "second.csv: 0 bonuses\n"
    Path("grants.csv").write_text("user_id,amount\nada,2\n")
    refused = run("bonus", "ice", "grants.csv", "first.csv")  # nothing is noted, so the next file has it
    assert "Name a new file" in refused.output
    run("bonus", "ice", "grants.csv", "third.csv")
    assert Path("third.csv").read_text() == "participant_id,amount\nperson-ada,0.75\n"
    Path("grants.csv").write_text("user_id,amount\nbot,1\n")
    assert "no participant 'bot'" in run("bonus", "ice", "grants.csv", "fourth.csv").output


def test_download_of_study_without_participants_has_the_columns(folder: Path) -> None:
    run("open", "ice")
    assert run("download", "ice", "data").exit_code == 0
    heads = {path.stem: path.read_text().strip().split(",") for path in Path("data").glob("*.csv")}
    assert {"user_id", "attention_checks", "frames_dropped", "idle_seconds"} <= set(heads["participants"])
    assert {"episode_id", "latency_p95_ms", "focus_lost"} <= set(heads["trials"])
    assert heads["answers"][-2:] == ["question", "answer"]


def test_download_has_the_quality_of_trials_and_participants(folder: Path, database_url: URL) -> None:
    run("open", "ice")
    asyncio.run(write_participants(database_url))
    asyncio.run(write_play(database_url))
    assert run("download", "ice", "data").exit_code == 0
    [participant], trials = (
        list(csv.DictReader(Path(f"data/{name}.csv").read_text().splitlines())) for name in ("participants", "trials")
    )
    played = next(trial for trial in trials if trial["n_steps"] == "6")
    # Inputs after 1 and 3 s, focus lost twice, one of six pictures not painted, and the last step after 9 s.
    assert (played["frames_dropped"], played["focus_lost"], float(played["idle_seconds"])) == ("1", "2", 6.0)
    assert float(played["latency_p95_ms"]) == pytest.approx(70, abs=0.01)
    assert (participant["n_trials"], participant["frames"], participant["frames_dropped"]) == ("2", "6", "1")
    assert (participant["focus_lost"], float(participant["idle_seconds"])) == ("2", 6.0)
    assert float(participant["latency_p95_ms"]) == pytest.approx(70, abs=0.01)
    assert participant["attention_checks"] == "2"


@pytest.mark.parametrize(
    ("imposed", "recorded", "mode", "differs"),
    [
        (False, {}, "streamed", "False"),
        (True, {"mode": "lockstep"}, "lockstep", "False"),
        (True, {}, "streamed", "True"),
        (False, {"mode": "lockstep"}, "lockstep", "True"),
        (None, {}, "streamed", "False"),
    ],
)
def test_download_flags_trials_in_another_mode_than_their_stage_imposed(
    folder: Path, database_url: URL, imposed: bool | None, recorded: dict[str, str], mode: str, differs: str
) -> None:
    run("open", "ice")
    asyncio.run(write_participants(database_url))
    asyncio.run(set_mode(database_url, imposed, recorded))
    assert run("download", "ice", "data").exit_code == 0
    [participant], [trial] = (
        list(csv.DictReader(Path(f"data/{name}.csv").read_text().splitlines())) for name in ("participants", "trials")
    )
    assert (trial["mode"], trial["mode_differs"]) == (mode, differs)
    assert participant["mode_differs"] == str(int(differs == "True"))


async def set_mode(url: URL, imposed: bool | None, recorded: dict[str, str]) -> None:
    """Set what a stage imposed on all stored trials, and what their records say."""
    async with opened_engine(url) as engine, engine.begin() as connection:
        for row in await connection.execute(select(EPISODE.c.id, EPISODE.c.provenance)):
            study = row.provenance["study"] | ({} if imposed is None else {"lockstep": imposed})
            values = {**row.provenance, **recorded, "study": study}
            await connection.execute(update(EPISODE).where(EPISODE.c.id == row.id).values(provenance=values))


async def write_play(url: URL) -> None:
    """Write an episode of Ada with six steps and two inputs, each painted 70 ms after it."""
    transition, event = (Table.metadata.tables[name] for name in ("transition", "event"))
    async with opened_engine(url) as engine, engine.begin() as connection:
        consent = (
            await connection.execute(
                select(Table.metadata.tables["consent"].c.id).where(Table.metadata.tables["consent"].c.user_id == "ada")
            )
        ).scalar_one()
        id_ = await write_results(connection, "ada", consent, stage="second", n_steps=6)
        seconds = [0.5, 1.0, 2.0, 3.0, 8.0, 9.0]
        inputs, painted = {1: 1_000_000, 3: 3_000_000}, {2: 1_070_000, 4: 3_070_000, 5: None}
        for step, at in enumerate(seconds):
            values = {"id": transition_id(id_, step), "episode_id": id_, "step": step, "action": 0, "reward": 0.0}
            values |= {"time_created": datetime.now(UTC), "server_us": round(at * 1e6), "late_us": 0}
            values |= {"shown_us": painted.get(step, round(at * 1e6)), "terminated": step == 5, "truncated": False}
            values |= {"input_us": inputs.get(step), "obs_key": f"0/{step}", "next_obs_key": f"0/{step + 1}"}
            values["input_received_us"] = inputs.get(step)
            await connection.execute(insert(transition).values(**values))
        events = [("input", 1.0, {}), ("focus", 1.2, {"state": "blur"}), ("focus", 1.3, {"state": "focus"})]
        events += [("focus", 1.4, {"state": "hidden"}), ("input", 3.0, {})]
        for number, (kind, at, data) in enumerate(events):
            values = {"episode_id": id_, "number": number, "kind": kind, "server_us": round(at * 1e6), "step": 0}
            await connection.execute(insert(event).values(**values, data=data))


async def write_participants(url: URL) -> None:
    """Write one participant who allows research, one who does not, and a program."""
    async with opened_engine(url) as engine, engine.begin() as connection:
        study = await read_newest(connection, "ice")
        assert study is not None
        await connection.execute(insert(GAME).values(id="frozen-lake"))
        await add_document(connection, "5" * 64, {"version": 1, "language": "en"}, "ice")
        for name, scopes in (("ada", ["research"]), ("bob", []), ("bot", ["research"])):
            await connection.execute(insert(USER).values(id=name, is_synthetic=name == "bot"))
            await add_participant(
                connection,
                name,
                "ice",
                study.version_id,
                name * 9,
                external_id=f"person-{name}",
                details={},
                is_synthetic=name == "bot",
            )
            await update_participant(connection, name, arm="a")
            decision = "given" if scopes else "declined"
            consent = await add_answer(
                connection, name, document="5" * 64, decision=decision, build="test", scopes=scopes
            )
            await write_results(connection, name, consent)


async def write_results(
    connection: Any, name: str, consent: Any, *, stage: str = "play", n_steps: int | None = None
) -> UUID:
    table = Table.metadata.tables["participant_answer"]
    data = {"answers": {"fun": 3, "pads": ["x"]}}
    now = {"time_began": datetime.now(UTC)}
    values = {
        "user_id": name,
        "stage": "after" if stage == "play" else stage,
        "attempt": 0,
        "is_passed": True,
        "data": data,
        **now,
    }
    await connection.execute(insert(table).values(**values))
    study = {"name": "ice", "version": 1, "arm": "a", "sequence": 1, "stage": stage, "trial": 0, "attempt": 0}
    episode = {"id": new_episode_id(), "user_id": name, "game_id": "frozen-lake", "seed": 1, "consent_id": consent}
    episode |= {"end_reason": "terminated", "provenance": {"study": {**study, "practice": False}}}
    episode |= {} if n_steps is None else {"n_steps": n_steps}
    await connection.execute(insert(EPISODE).values(**episode, time_created=datetime.now(UTC)))
    return cast("UUID", episode["id"])
