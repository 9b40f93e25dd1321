"""`skill-arcade judgements`: sets are drawn by options or by a file, results are shown and exported."""

import asyncio
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sqlalchemy import URL, text
from typer.testing import CliRunner, Result

from devtools.paths import DOCS
from skill_arcade.cli import app
from skill_arcade.judgements.export import CLIP_SCHEMA, JUDGEMENT_SCHEMA, clips_path
from skill_arcade.judgements.schema import parse_specification, read_file
from skill_arcade.storage.database.queries import upsert_user
from tests.conftest import opened_engine
from tests.support.judging import write_answer
from tests.support.recorded_episode import RecordedEpisode, record_episode

OPTIONS = ("--game", "pong", "--pairs", "4", "--seconds", "0.1", "--gold", "0.25", "--repeats", "0.25")


@pytest.fixture
def episodes(tmp_path: Path, database_url: URL, monkeypatch: pytest.MonkeyPatch) -> list[RecordedEpisode]:
    """Episodes of two people, with observations that are not the pictures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(False))
    observe = lambda i: np.full(3, i, np.float32)  # noqa: E731
    return [record_episode(database_url, tmp_path / "objects", user=user, observe=observe) for user in ("ada", "eva")]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["judgements", *arguments])


def answer_all(url: URL, judge: str, answers: dict[int, str], **fields: Any) -> None:
    async def work() -> None:
        async with opened_engine(url) as engine, engine.begin() as connection:
            await upsert_user(connection, judge, f"{judge}@example.org")
            for number, answer in answers.items():
                assert await write_answer(connection, "pairs", number, judge, answer, **fields)

    asyncio.run(work())


def test_set_is_drawn_by_options_and_by_a_file_alike(episodes: list[RecordedEpisode], tmp_path: Path) -> None:
    made = run("create", "pairs", *OPTIONS, "--seed", "3")
    assert made.exit_code == 0, made.output
    assert "Drew 4 pairs of 6 frames, and 1 repeats. Judges open /judge/pairs" in made.output
    (tmp_path / "set.yaml").write_text("game: pong\nitems: 9\nseconds: 0.1\ngold: 0.25\nrepeats: 0.25\nseed: 3\n")
    by_file = run("create", "by-file", "--file", "set.yaml", "--pairs", "4")
    assert by_file.output.splitlines()[-1] == made.output.splitlines()[-1]
    assert by_file.output.splitlines()[-1].startswith("sha256 ")
    again = run("create", "pairs", *OPTIONS)
    assert (again.exit_code, "never change" in again.output) == (1, True)
    listed = run("list").output
    assert "pairs" in listed
    assert "by-file" in listed


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("Pairs", *OPTIONS), "no name"),
        (("pairs", "--game", "pong"), "items"),
        (("pairs", *OPTIONS, "--no-people"), "sources"),
        (("pairs", *OPTIONS, "--no-people", "--programs"), "No episode"),
        (("pairs", "--file", "missing.yaml"), "Cannot read"),
    ],
)
def test_set_that_cannot_be_drawn_is_refused(
    arguments: tuple[str, ...], reason: str, episodes: list[RecordedEpisode]
) -> None:
    result = run("create", *arguments)
    assert result.exit_code == 1
    assert reason in result.output


def test_results_are_shown_as_a_table_and_as_json(episodes: list[RecordedEpisode], database_url: URL) -> None:
    assert run("create", "pairs", *OPTIONS).exit_code == 0
    nothing = run("show", "pairs")
    assert "alpha is not defined" in nothing.output
    answer_all(database_url, "judy", {0: "left", 1: "right", 2: "left", 3: "skip"})
    answer_all(database_url, "joan", {0: "left", 1: "right", 2: "right"})
    shown = run("show", "pairs")
    assert shown.exit_code == 0, shown.output
    assert "7 answers to 4 items, 3 of them by several judges." in shown.output
    found = json.loads(run("show", "pairs", "--json").output)
    assert found["alpha"] == pytest.approx(1 - (2 / 6) / (2 * 3 * 3 / (6 * 5)))
    assert [judge["counts"] for judge in found["judges"]] == [
        {"left": 2, "right": 1, "skip": 1},
        {"left": 1, "right": 2},
    ]
    assert run("show", "nothing").exit_code == 1


def test_closed_set_stays_readable(episodes: list[RecordedEpisode]) -> None:
    run("create", "pairs", *OPTIONS)
    assert run("close", "pairs").exit_code == 0
    assert run("show", "pairs").exit_code == 0
    assert run("close", "others").exit_code == 1


def test_export_has_judgements_and_clips_under_pseudonyms(
    episodes: list[RecordedEpisode], database_url: URL, tmp_path: Path
) -> None:
    run("create", "pairs", *OPTIONS)
    answer_all(database_url, "judy", {0: "left", 1: "left", 4: "right"}, is_swapped=True)
    path = tmp_path / "out" / "judged.parquet"
    exported = run("export", "pairs", str(path), "--clips")
    assert exported.exit_code == 0, exported.output
    table, clips = pq.read_table(path), pq.read_table(clips_path(path))
    assert (table.schema, clips.schema) == (JUDGEMENT_SCHEMA, CLIP_SCHEMA)
    rows = table.to_pylist()
    # Judgements of the same millisecond come in any order.
    preferred = sorted((row["is_repeat"], row["preferred"]) for row in rows)
    assert preferred == [(False, "second"), (False, "second"), (True, "first")]
    assert len({row["judge_id"] for row in rows}) == 1
    content = path.read_bytes() + clips_path(path).read_bytes()
    for secret in ("judy", "ada", "eva", *(str(episode.id) for episode in episodes)):
        assert secret.encode() not in content
    by_key = {(clip["item"], clip["side"]): clip for clip in clips.to_pylist()}
    assert {key[0] for key in by_key} == {row["item"] for row in rows}
    for row in rows:
        for side in ("first", "second"):
            clip = by_key[row["item"], side]
            start, end = clip["frame_from"], clip["frame_to"]
            assert (row[f"{side}_episode_id"], row[f"{side}_frame_from"]) == (clip["episode_id"], start)
            assert clip["actions"] == [step % 3 for step in range(start, end - 1)]
            assert clip["rewards"] == [step / 4 for step in range(start, end - 1)]
            assert clip["terminal"] == (end == 13)
            observations = np.load(io.BytesIO(clip["observations"]))["observation"]
            np.testing.assert_array_equal(observations[:, 0], np.arange(start, end))
    assert run("export", "pairs", str(path)).exit_code == 1


def test_r38_export_leaves_out_what_lacks_the_scope(
    episodes: list[RecordedEpisode], database_url: URL, tmp_path: Path
) -> None:
    run("create", "pairs", *OPTIONS)
    answer_all(database_url, "judy", {0: "left"})

    async def decide() -> None:
        async with opened_engine(database_url) as engine, engine.begin() as connection:
            await connection.execute(text("UPDATE consent_decision SET scopes = '[\"research\"]'"))

    asyncio.run(decide())
    assert "Wrote 1 judgements" in run("export", "pairs", str(tmp_path / "a.parquet")).output
    published = run("export", "pairs", str(tmp_path / "b.parquet"), "--scope", "publication", "--clips")
    assert "Wrote 0 judgements" in published.output
    assert pq.read_table(tmp_path / "b-clips.parquet").num_rows == 0


def read_example(language: str) -> str:
    """Return the first code block of a language in the page about judgements."""
    page = (DOCS / "judgements.md").read_text(encoding="utf-8")
    block = re.search(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1]


def test_file_of_the_page_is_a_specification(tmp_path: Path) -> None:
    (tmp_path / "set.yaml").write_text(read_example("yaml"))
    specification = parse_specification(read_file(tmp_path / "set.yaml"))
    assert (specification.game, specification.n_gold, specification.n_repeats) == ("breakout", 20, 20)


def test_fit_of_the_page_prefers_the_clips_that_won(
    episodes: list[RecordedEpisode], database_url: URL, tmp_path: Path
) -> None:
    run("create", "pairs", *OPTIONS)
    answer_all(database_url, "judy", {0: "left", 1: "right", 2: "equal", 3: "skip"})
    run("export", "pairs", str(tmp_path / "judged.parquet"))
    names: dict[str, Any] = {}
    exec(compile(read_example("python"), "example", "exec"), names)  # the test has changed to this folder
    rewards = names["rewards"]
    assert len(names["pairs"]) == 3
    (winner, loser), (other_loser, other_winner), _ = names["pairs"]
    assert rewards[winner] > rewards[loser]
    assert rewards[other_winner] > rewards[other_loser]
