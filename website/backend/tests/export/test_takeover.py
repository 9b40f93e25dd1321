"""Who acted at each step, in the columns that readers of data sets for DAgger know."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_array_equal
from sqlalchemy import URL
from typer.testing import CliRunner

import skill_arcade.dataset as sa
from skill_arcade.agents.catalogue import find_agent
from skill_arcade.cli import app
from skill_arcade.dataset.takeover import REASONS
from skill_arcade.export.tfrecord import read_example, read_records
from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import upsert_games, upsert_user
from tests.conftest import fresh_database, opened_engine
from tests.support.catalogue import load_games
from tests.support.session_harness import SessionHarness, upload_all


@pytest.fixture(scope="module")
def settings(postgres: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Two rounds of Pong: in the first one a person takes over from an agent and plays together with it.

    In the second one there is no agent.
    """
    home = tmp_path_factory.mktemp("arcade")
    agent = find_agent("pong-follower", load_games()["pong"])
    for one in (agent, None):
        harness = SessionHarness(home / "journal", "pong", agent=one)
        harness.send("start")
        harness.ticks(60)
        harness.press("right")
        harness.ticks(20)
        harness.press("right", down=False)
        harness.ticks(60)
        if one is not None:
            harness.send("reason", reason="danger")
            harness.send("agent", interval_ms=None, mode="together")
            harness.press("fire")
            harness.ticks(40)
            harness.press("fire", down=False)
            harness.ticks(10)
        harness.send("leave")

    async def store(url: URL) -> None:
        async with opened_engine(url) as engine:
            async with engine.begin() as connection:
                await upsert_user(connection, "user", "somebody@example.org")
                await upsert_games(connection, {"pong": {}})
            await upload_all(home / "journal", home / "objects", engine)

    with fresh_database(postgres) as url:
        asyncio.run(store(url))
        yield Settings(skill_arcade_home=home, database_url=url.render_as_string(hide_password=False))


@pytest.fixture
def rounds(settings: Settings) -> Iterator[list[sa.Episode]]:
    with sa.open(settings=settings) as recordings:
        yield sorted(recordings.episodes(), key=lambda episode: episode.id)


def export(settings: Settings, format_: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(settings.skill_arcade_home))
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    result = CliRunner().invoke(app, ["export", "--format", format_, str(folder)])
    assert result.exit_code == 0, result.output
    return folder


def test_lerobot_export_has_the_interventions(
    settings: Settings, rounds: list[sa.Episode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export(settings, "lerobot", tmp_path / "out", monkeypatch)
    table = pq.read_table(folder / "pong/data").to_pydict()
    takeover = rounds[0].takeover
    assert takeover is not None
    first = slice(0, len(rounds[0]))
    assert_array_equal(table["intervention"][first], takeover.is_intervention)
    assert_array_equal(table["intervention_label"][first], takeover.intervention_labels)
    assert set(table["actor"][first]) == {0, 1, 2}
    assert_array_equal(table["actor"][first], takeover.actors)
    assert set(table["intervention_reason"]) == {-1, REASONS.index("danger")}
    assert_array_equal(table["intervention_reason"][first], takeover.reason_codes)
    assert_array_equal(table["near_switch"][first], takeover.is_near_switch)
    assert_array_equal(table["agent_action"][first], takeover.agent_actions)
    assert_array_equal(table["human_action"][first], takeover.human_actions)
    assert all(table["intervention"][len(rounds[0]) :])
    assert set(table["agent_action"][len(rounds[0]) :]) == {-1}


def test_rlds_export_has_the_interventions(
    settings: Settings, rounds: list[sa.Episode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export(settings, "rlds", tmp_path / "out", monkeypatch)
    file = next((folder / "pong").rglob("*.tfrecord-*"))
    examples = [read_example(record) for record in read_records(file)]
    takeover = rounds[0].takeover
    assert takeover is not None
    found: dict[str, Any] = examples[0]
    assert_array_equal(found["steps/is_intervention"], np.append(takeover.is_intervention, False))
    assert_array_equal(found["steps/action_mode"], np.append(takeover.is_intervention, False))
    assert_array_equal(found["steps/intv_label"], np.append(takeover.intervention_labels, 0))
    assert_array_equal(found["steps/actor"], np.append(takeover.actors, 0))
    assert_array_equal(found["steps/intervention_reason"], np.append(takeover.reason_codes, -1))
    assert_array_equal(found["steps/agent_action"], np.append(takeover.agent_actions, -1))
    assert_array_equal(found["steps/human_action"], np.append(takeover.human_actions, -1))


def test_export_without_agents_has_no_such_columns(
    settings: Settings, rounds: list[sa.Episode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(settings.skill_arcade_home))
    monkeypatch.setenv("DATABASE_URL", str(settings.database_url))
    where = ["--where", "NOT provenance ? 'takeover'"]
    result = CliRunner().invoke(app, ["export", "--format", "lerobot", *where, str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "intervention" not in pq.read_table(tmp_path / "out/pong/data").column_names


def test_facts_of_a_round_name_the_agent(
    settings: Settings, rounds: list[sa.Episode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export(settings, "parquet", tmp_path / "out", monkeypatch)
    facts = pq.read_table(next(folder.rglob("episodes*.parquet"))).to_pylist()
    assert [one["takeover"] is not None for one in facts] == [True, False]
    assert "pong-follower" in facts[0]["takeover"]


def test_input_latency_has_no_row_where_the_agent_acts_again(settings: Settings, rounds: list[sa.Episode]) -> None:
    """A step of the agent follows from no input."""
    with sa.open(settings=settings) as recordings:
        latencies = recordings.query("SELECT episode_id::text AS id, latency_ms FROM input_latency").to_pylist()
    assert {row["id"] for row in latencies} == {str(round_.id) for round_ in rounds}
    assert all(row["latency_ms"] > 0 for row in latencies)
