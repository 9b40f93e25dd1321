"""A pilot on a real server: its programs walk a study beside a person, and survive `kill -9` in every part of it."""

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import create_engine, database_url
from skill_arcade.storage.database.studies import count_participants, read_places
from skill_arcade.studies.pilot import COMPLETE, DROPPED_OUT, PilotPlan, PilotResult, run_pilot
from skill_arcade.studies.schema import Study
from tests.support.server import ServerUnderTest
from tests.support.studies import export_everything, make_study, run_command
from tests.web.test_study_server import GAMES, Participant, open_study, read_tables

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
ARMS: dict[str, Any] = {"a": {}, "b": {}, "c": {"weight": 2}}
BLOCK = 4
NOTEBOOK = Path(__file__).parents[2] / "examples" / "study.ipynb"
STAGES = ["consent", "screening", "how", "warm-up", "play", "after", "end"]


@pytest.fixture
def server(home: Path) -> Iterator[ServerUnderTest]:
    """A server with one game, which a pilot may ask as often as it wants."""
    (home / "games").mkdir()
    (home / "games" / "frozen-lake.yaml").write_text(GAMES)
    tested = ServerUnderTest(home, {"GAMES_FOLDER": str(home / "games"), "RATE_LIMIT_BURST": "100000"})
    tested.start()
    yield tested
    tested.stop()


def make_plan(server: ServerUnderTest, content: dict[str, Any], **fields: Any) -> PilotPlan:
    return PilotPlan("ice", Study.model_validate(content), server.url, **fields)


async def read_database(home: Path, user_ids: list[str]) -> tuple[list[Any], list[Any]]:
    """Return the places of programs, and the counts of persons."""
    engine = create_engine(await asyncio.to_thread(database_url, Settings(_env_file=None, skill_arcade_home=home)))
    async with engine.connect() as connection:
        found = await read_places(connection, user_ids), await count_participants(connection, "ice")
    await engine.dispose()
    return found


async def walk_as_person(person: Participant) -> None:
    await person.join()
    await person.answer({"document": person.page["stage"]["sha256"], "scopes": ["research"], "birth_year": 1990})
    await person.answer({"round_trip_ms": 5, "has_keyboard": True})
    await person.answer({"key": "left"})
    for _ in range(3):
        await person.play()
        await person.answer({})
    await person.answer({"fun": 5, "check-1": 1, "check-2": 2})
    await person.answer({})


def read_studies(export: Path) -> list[dict[str, Any]]:
    """Return the condition of each exported episode."""
    tables = [pq.read_table(path) for path in export.rglob("*.parquet")]
    return [json.loads(one) for table in tables if "study" in table.column_names for one in table["study"].to_pylist()]


async def test_pilot_with_drop_outs_leaves_arms_within_one_block_and_nothing_in_the_data(
    server: ServerUnderTest, tmp_path: Path
) -> None:
    content = make_study(recruiter={"kind": "prolific"}, arms=ARMS, quota=1)
    await open_study(server.home, content)
    results = await run_pilot(make_plan(server, content, participants=60, drop_out=0.2, seed=1))
    assert [result.error for result in results if result.error] == []
    outcomes = Counter(result.outcome for result in results)
    assert set(outcomes) == {COMPLETE, DROPPED_OUT}
    assert 5 <= outcomes[DROPPED_OUT] <= 20
    assert len({result.last_stage for result in results if result.outcome == DROPPED_OUT}) >= 4
    complete = [result for result in results if result.outcome == COMPLETE]
    assert all(list(result.stage_seconds) == STAGES for result in complete)

    ids = [result.user_id for result in results]
    places, persons = await read_database(server.home, ids)
    held = Counter(place.arm for place in places if place.holds_slot)
    shares = [held[arm] / fields.get("weight", 1) for arm, fields in ARMS.items()]
    assert sum(held.values()) >= len(complete)
    assert max(shares) - min(shares) <= 1
    assert persons == []

    person = Participant(server)
    await walk_as_person(person)  # the quota is one person, whose place no program took
    assert person.page["completion"]["code"] == "COMPLETE"
    await server.wait_until_uploaded()
    files = await export_everything(server.home, tmp_path)
    assert any(person.user_id.encode() in content for content in files.values())
    assert [one for one in ids if any(one.encode() in content for content in files.values())] == []
    exported = read_studies(tmp_path / "export")
    assert {(one["name"], one["stage"], one["input_delay_ms"]) for one in exported} == {
        ("ice", stage, 0) for stage in ("warm-up", "play")
    }
    with (tmp_path / "data" / "trials.csv").open() as file:
        assert {row["player_id"] for row in csv.DictReader(file)} == {person.user_id}
    await check_pilot_tables(server.home, tmp_path / "pilot", results)


async def check_pilot_tables(home: Path, folder: Path, results: list[PilotResult]) -> None:
    """Check that the download of the pilot has its programs, with the columns of the download of people."""
    written = await run_command(home, "studies", "download", "ice", str(folder), "--pilot")
    assert written.exit_code == 0, written.output
    tables = {path.stem: list(csv.DictReader(path.read_text().splitlines())) for path in folder.glob("*.csv")}
    ids = {result.user_id for result in results}
    complete = {result.user_id for result in results if result.outcome == COMPLETE}
    assert {row["user_id"] for row in tables["participants"]} == ids
    assert {row["user_id"] for row in tables["participants"] if row["status"] == "complete"} == complete
    assert complete <= {row["user_id"] for row in tables["answers"]} <= ids
    trials = [row for row in tables["trials"] if row["player_id"] in complete]
    assert Counter(row["stage"] for row in trials) == {"warm-up": len(complete), "play": 2 * len(complete)}
    assert {(row["study"], row["version"], row["is_complete"], row["lockstep"]) for row in trials} == {
        ("ice", "1", "True", "False")
    }
    values = run_notebook(NOTEBOOK, STUDY_TABLES=str(folder))
    assert values["result"]["participants"].sum() == len(complete)
    assert values["low"] <= values["difference"] <= values["high"]


def run_notebook(path: Path, **environment: str) -> dict[str, Any]:
    """Run the code of a notebook in this process, and return its variables."""
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    values: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        for cell in cells:
            exec(compile("".join(cell["source"]), str(path), "exec"), values)
    return values


async def test_pilot_survives_killed_server_in_every_stage(server: ServerUnderTest) -> None:
    content = make_study(arms=ARMS)
    await open_study(server.home, content)
    killed: list[str] = []
    one_at_a_time = asyncio.Lock()

    async def kill_once(stage: str) -> None:
        async with one_at_a_time:
            if stage not in killed:
                killed.append(stage)
                await asyncio.to_thread(server.kill, server.server)
                await asyncio.to_thread(server.start)

    results = await run_pilot(make_plan(server, content, participants=3, at_once=3), on_stage=kill_once)
    assert killed == STAGES
    assert [(result.outcome, result.error) for result in results] == [(COMPLETE, "")] * 3


async def test_pilot_steps_real_time_games_unless_it_plays_in_real_time(home: Path) -> None:
    content = make_study(arms={"a": {}})
    trial = {"game": "breakout", "amount": {"trials": 1}, "max_trial_frames": 60}
    content["stages"][3] |= trial
    content["stages"][4] |= {**trial, "input_delay_ms": 10}
    server = ServerUnderTest(home)
    server.start()
    try:
        await open_study(home, content)
        for is_real_time in (False, True):
            [result] = await run_pilot(make_plan(server, content, participants=1, is_real_time=is_real_time))
            assert (result.outcome, result.error) == (COMPLETE, "")
        await server.wait_until_uploaded()
        episodes = (await read_tables(home))["episode"]
    finally:
        server.stop()
    played = Counter(
        (one.provenance["study"]["stage"], one.provenance.get("program", {}).get("pace"), one.n_steps)
        for one in episodes
    )
    # Trials with delays are played by input in real time, also by a program.
    assert played == {("warm-up", "stepped", 60): 1, ("warm-up", None, 60): 1, ("play", None, 60): 2}


async def test_pilot_command_reports_outcomes_stages_and_arms(server: ServerUnderTest) -> None:
    await open_study(server.home, make_study())
    result = await run_command(
        server.home, "studies", "pilot", "ice", "--participants", "4", "--drop-out", "0.5", "--url", server.url
    )
    assert result.exit_code == 0, result.output
    for word in ("complete", "dropped out", "warm-up", "places held"):
        assert word in result.output
    refused = await run_command(server.home, "studies", "pilot", "ice", "--url", "http://127.0.0.1:1")
    assert refused.exit_code == 1
    assert "No arcade answers" in refused.output


async def test_pilot_reports_why_a_participant_cannot_go_on(server: ServerUnderTest) -> None:
    content = make_study()
    await open_study(server.home, content)
    other = make_study()
    other["stages"][2]["checks"][0]["correct"] = "right"  # a file that is not the open version
    results: list[PilotResult] = await run_pilot(make_plan(server, other, participants=1))
    assert results[0].last_stage == "how"
    assert "not accepted" in results[0].error
