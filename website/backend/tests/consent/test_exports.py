"""Exports and the dataset take only episodes whose players allow it, and say how many were left out."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import URL, delete, update
from typer.testing import CliRunner, Result

import skill_arcade.dataset as sa
from skill_arcade.cli import app
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.formats import FormatName
from skill_arcade.export.hub import check_export
from skill_arcade.export.run import export_part, finish_export, open_plan
from skill_arcade.export.selection import ExportSelection
from skill_arcade.export.stream import stream_export
from skill_arcade.storage.database.consents import withdraw_scopes
from skill_arcade.storage.database.tables import Table
from tests.support.consent import write_consent
from tests.support.database import opened_engine
from tests.support.recorded_episode import RecordedEpisode, record_episode

Run = Callable[..., Result]
EPISODE = Table.metadata.tables["episode"]


async def connect_consent(url: URL, user: str, scopes: tuple[str, ...], episode: UUID) -> None:
    async with opened_engine(url) as engine, engine.begin() as connection:
        consent = UUID(await write_consent(connection, user, scopes))
        await connection.execute(update(EPISODE).where(EPISODE.c.id == episode).values(consent_id=consent))


@pytest.fixture
def episodes(database_url: URL, tmp_path: Path) -> dict[str, RecordedEpisode]:
    """An episode for research, one for publication too, one for neither, and one without a consent on record."""
    record = partial(record_episode, database_url, tmp_path / "objects")
    scopes: dict[str, tuple[str, ...]] = {
        "research": ("research",),
        "publication": ("research", "publication"),
        "boards": ("boards",),
    }
    made = {user: record(user=user) for user in (*scopes, "old")}

    async def take_decision_back() -> None:
        async with opened_engine(database_url) as engine, engine.begin() as connection:
            await connection.execute(delete(Table.metadata.tables["consent_decision"]))

    asyncio.run(take_decision_back())
    for user, allowed in scopes.items():
        asyncio.run(connect_consent(database_url, user, allowed, made[user].id))
    return made


@pytest.fixture
def run(database_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command of `skill-arcade` on these episodes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(hide_password=False))
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def test_export_takes_episodes_for_research_and_counts_the_others(
    episodes: dict[str, RecordedEpisode], run: Run, tmp_path: Path
) -> None:
    result = run("export", "--format", "parquet", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "2 episodes" in result.stderr
    assert "skill-arcade consent status" in result.stderr
    manifest = read_manifest(tmp_path / "out")
    assert manifest["episodes"] == manifest["players"] == 2
    assert manifest["consent"] == {"scope": "research", "episodes_without": 2}


def test_export_for_publication_takes_fewer(episodes: dict[str, RecordedEpisode], run: Run, tmp_path: Path) -> None:
    assert run("export", "--format", "parquet", "--scope", "publication", tmp_path / "out").exit_code == 0
    assert read_manifest(tmp_path / "out")["consent"] == {"scope": "publication", "episodes_without": 3}


def test_export_without_any_consent_is_refused_with_what_to_do(
    episodes: dict[str, RecordedEpisode], run: Run, tmp_path: Path
) -> None:
    result = run("export", "--format", "parquet", "--where", "player_id = 'old'", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 episodes" in result.stderr
    assert "docs/consent.md" in result.stderr
    assert run("consent", "decide-old", "--scope", "research", "--reason", "paper consents").exit_code == 0
    assert "paper consents" in run("consent", "status").output
    assert run("export", "--format", "parquet", "--where", "player_id = 'old'", tmp_path / "out").exit_code == 0


def test_decide_old_without_a_reason_or_with_an_unknown_scope_is_refused(run: Run, database_url: URL) -> None:
    assert run("consent", "decide-old", "--scope", "research", "--reason", " ").exit_code == 1
    assert run("consent", "decide-old", "--scope", "sale", "--reason", "why not").exit_code == 1


def test_publish_refuses_an_export_for_research(episodes: dict[str, RecordedEpisode], run: Run, tmp_path: Path) -> None:
    run("export", "--format", "parquet", tmp_path / "out")
    with pytest.raises(InvalidRequest, match="--scope publication"):
        check_export(tmp_path / "out")


def test_dataset_yields_consented_episodes_only(
    episodes: dict[str, RecordedEpisode], database_url: URL, tmp_path: Path
) -> None:
    with sa.open(database_url.render_as_string(False), tmp_path / "objects") as dataset:
        found = {episode.user_id for episode in dataset.episodes()}
        assert found == {"research", "publication"}
        assert {episode.user_id for episode in dataset.episodes(scope="boards")} == {"boards"}
        assert len(list(dataset.episodes(scope=None))) == 4
        assert dataset.episode(episodes["old"].id).user_id == "old"


def test_withdrawal_after_the_plan_leaves_the_episode_out(
    episodes: dict[str, RecordedEpisode], database_url: URL, tmp_path: Path
) -> None:
    async def withdraw() -> None:
        async with opened_engine(database_url) as engine, engine.begin() as connection:
            consent = Table.metadata.tables["consent"]
            document = (await connection.execute(consent.select())).first()
            assert document is not None
            scopes = {"document": document.document_sha256, "build": "test"}
            await withdraw_scopes(connection, "publication", ["research"], **scopes)

    out = tmp_path / "out"
    with sa.open(database_url.render_as_string(False), tmp_path / "objects") as dataset:
        plan = open_plan(dataset, FormatName.parquet, None, out)
        asyncio.run(withdraw())
        for part in plan.parts:
            export_part(dataset, plan, part, out)
        manifest = finish_export(plan, out)
    assert (manifest["episodes"], manifest["left_out"]["episodes"]) == (1, 1)


def test_download_of_a_researcher_says_what_is_left_out_and_a_player_gets_their_own(
    episodes: dict[str, RecordedEpisode], database_url: URL, tmp_path: Path
) -> None:
    ended = {"format": FormatName.parquet, "ended_before": "2100-01-01T00:00:00Z"}
    with sa.open(database_url.render_as_string(False), tmp_path / "objects") as dataset:
        for user, expected in ((None, (2, 2)), ("old", (1, 0))):
            reports: list[dict[str, Any]] = []
            selection = ExportSelection.model_validate({**ended, "user_id": user})
            with (tmp_path / "out.zip").open("wb") as pipe:
                stream_export(dataset, selection, pipe, reports.append)
            assert (reports[0]["of"], reports[0]["without_consent"]) == expected
