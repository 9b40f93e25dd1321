"""Tests of the charts for researchers: equal to their SQL and snippet, with answers that are known."""

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import ValidationError
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import skill_arcade.dataset as sa
from benchmarks.synthetic_play import SyntheticPlayer, fill
from skill_arcade.analysis.learning_laws import Law
from skill_arcade.errors import InvalidRequest
from skill_arcade.research.answers import Answer, answer_chart, write_csv
from skill_arcade.research.charts import CHARTS, MAX_FITTED_PLAYERS, MAX_PLAYER_POINTS, MAX_POINT_PLAYERS
from skill_arcade.research.flags import FLAGS
from skill_arcade.research.selection import Selection
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.episode_measures import count_unmeasured, list_unmeasured, measure_episodes
from skill_arcade.storage.database.researcher_role import ROLE
from skill_arcade.storage.objects.disk import DiskObjects
from tests.support.board_data import add_episode, add_user
from tests.support.consent import write_consent
from tests.support.database import fresh_database, opened_engine

N_EPISODES = 12_000
OBJECTS = DiskObjects(Path("/nonexistent"))
"""No episode of these tests is archived."""
SELECTIONS = (
    {"game": "breakout"},
    {"game": "breakout", "split": "daytime", "zone": "Europe/Berlin", "min_episodes": 10},
    {"game": "breakout", "flagged": "leave-out", "x": "minutes", "split": "device", "measure": "dropped_share"},
    {"game": "breakout", "metric": "normalised", "x": "steps", "certified": True, "daytime": "morning"},
    {"game": "breakout", "study": "synthetic-delay", "split": "arm", "mode": "lockstep", "measure": "reaction_ms"},
    {"variant": "breakout", "since": "2026-02-01", "until": "2026-03-01", "device": "keyboard", "split": "mode"},
    {"game": "breakout", "players": "all", "split": "kind", "flagged": "leave-out"},
)


@pytest.fixture(scope="module")
def played(postgres: URL) -> Iterator[tuple[URL, list[SyntheticPlayer]]]:
    """A database with generated play: players that count as people who allow research."""

    async def write(url: URL) -> list[SyntheticPlayer]:
        async with opened_engine(url) as engine, transaction(engine) as connection:
            return await fill(connection, N_EPISODES, is_synthetic=False)

    with fresh_database(postgres) as url:
        yield url, asyncio.run(write(url))


async def ask(url: URL, chart: str, **fields: Any) -> Answer:
    async with opened_engine(url) as engine, transaction(engine) as connection:
        return await answer_chart(connection, chart, Selection(**fields))


def run_python(source: str, url: URL) -> list[dict[str, Any]]:
    """Run the snippet of a chart on a database, and return its rows."""
    namespace: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
        exec(compile(source, "snippet", "exec"), namespace)
    rows: list[dict[str, Any]] = namespace["rows"]
    return rows


def assert_equal_rows(rows: list[dict[str, Any]], others: list[dict[str, Any]]) -> None:
    """Compare rows. Postgres adds numbers in the order of its plan, which changes the last digits of sums."""
    assert len(rows) == len(others)
    for row, other in zip(rows, others, strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            if isinstance(value, float) and isinstance(other[name], float):
                assert value == pytest.approx(other[name], rel=1e-9, abs=1e-12)
            else:
                assert value == other[name]


@pytest.mark.anyio
@pytest.mark.parametrize("fields", SELECTIONS, ids=str)
@pytest.mark.parametrize("chart", CHARTS)
async def test_chart_has_rows_that_its_sql_gives_to_role_of_researchers(
    chart: str, fields: dict[str, Any], played: tuple[URL, list[SyntheticPlayer]]
) -> None:
    url, _ = played
    answer = await ask(url, chart, **fields)
    assert answer.rows
    assert answer.episodes > 0
    assert all(list(row) == list(CHARTS[chart].columns) for row in answer.rows)
    async with opened_engine(url) as engine, engine.connect() as connection:
        await connection.execute(text(f"SET ROLE {ROLE}"))
        await connection.execute(text("SET enable_nestloop = off"))  # as the docs ask researchers to
        rows = [dict(row) for row in (await connection.exec_driver_sql(answer.sql)).mappings()]
    assert_equal_rows(CHARTS[chart].summarise_rows(rows), answer.rows)


@pytest.mark.parametrize("chart", CHARTS)
def test_snippet_run_gives_rows_of_chart(chart: str, played: tuple[URL, list[SyntheticPlayer]]) -> None:
    url, _ = played
    answer = asyncio.run(ask(url, chart, **SELECTIONS[1]))
    assert_equal_rows(run_python(answer.python, url), answer.rows)


@pytest.mark.anyio
async def test_csv_of_chart_read_back_gives_rows(played: tuple[URL, list[SyntheticPlayer]]) -> None:
    answer = await ask(played[0], "curve", game="breakout")
    read = list(csv.DictReader(io.StringIO(write_csv(answer))))
    assert [float(row["median"]) for row in read] == [row["median"] for row in answer.rows]
    assert list(read[0]) == list(CHARTS["curve"].columns)


@pytest.mark.anyio
async def test_learning_curve_counts_each_player_once_per_bin(played: tuple[URL, list[SyntheticPlayer]]) -> None:
    url, players = played
    members = [player for player in players if player.game_id == "breakout"]
    answer = await ask(url, "curve", game="breakout")
    assert answer.rows[0]["players"] == answer.players == len(members)
    assert sum(row["episodes"] for row in answer.rows) == answer.episodes == sum(p.n_episodes for p in members)
    for row in answer.rows:
        assert row["players"] == sum(player.n_episodes > row["x_from"] for player in members)
    async with opened_engine(url) as engine, engine.connect() as connection:
        query = "SELECT player_id, episode_index, return FROM learning_curve WHERE game_id = 'breakout'"
        episodes = (await connection.execute(text(query))).all()
    row = answer.rows[3]
    inside: dict[str, list[float]] = {}
    for player_id, index, score in episodes:
        if row["x_from"] < index <= row["x_to"]:
            inside.setdefault(player_id, []).append(score)
    means = [np.mean(scores) for scores in inside.values()]
    assert [row["p25"], row["median"], row["p75"]] == pytest.approx(np.percentile(means, [25, 50, 75]))


@pytest.mark.anyio
async def test_speed_split_by_daytime_shows_that_morning_players_improve_faster(
    played: tuple[URL, list[SyntheticPlayer]],
) -> None:
    rows = {row["group"]: row for row in (await ask(played[0], "speed", game="breakout", split="daytime")).rows}
    assert rows["morning"]["p_faster"] > 0.6
    assert rows["morning"]["low"] > rows["afternoon"]["iqm"]
    assert all(row["p_faster"] < 0.55 for name, row in rows.items() if name != "morning")


@pytest.mark.anyio
async def test_laws_of_generated_learners_are_told_or_undecided(played: tuple[URL, list[SyntheticPlayer]]) -> None:
    """The noise is 0.1 of the gain. Of those with enough episodes nearly all are right or undecided."""
    url, players = played
    truth = {player.user_id: player for player in players}
    told = wrong = 0
    for game in sorted({player.game_id for player in players}):
        for row in (await ask(url, "laws", game=game)).rows:
            law = truth[row["player"]].law
            told += row["verdict"] == law
            wrong += row["verdict"] not in (law, "undecided")
            assert (row["verdict"] == "undecided") == (", " in row["candidates"])
            if law is Law.flat and row["best"] == Law.flat:
                assert row["noise_to_gain"] is None
    assert told >= 24
    assert wrong <= 3


@pytest.mark.anyio
async def test_points_are_limited_and_open_episodes(played: tuple[URL, list[SyntheticPlayer]]) -> None:
    url, _ = played
    answer = await ask(url, "points", game="breakout")
    players = {row["player"] for row in answer.rows}
    assert len(players) <= MAX_POINT_PLAYERS
    assert max(sum(row["player"] == player for row in answer.rows) for player in players) <= MAX_PLAYER_POINTS
    assert len((await ask(url, "laws", game="breakout")).rows) <= MAX_FITTED_PLAYERS
    async with opened_engine(url) as engine, engine.connect() as connection:
        row = answer.rows[-1]
        query = text("SELECT score FROM episode WHERE id = CAST(:id AS uuid)")
        assert (await connection.execute(query, {"id": row["episode_id"]})).scalar_one() == row["value"]


@pytest.mark.anyio
async def test_flagged_episodes_left_out_are_counted(played: tuple[URL, list[SyntheticPlayer]]) -> None:
    url, _ = played
    kept, without = await ask(url, "flags"), await ask(url, "flags", flagged="leave-out")
    assert kept.left_out is None
    assert without.left_out is not None
    assert kept.episodes == without.episodes + without.left_out
    assert {row["flag"]: row["episodes"] for row in without.rows} == dict.fromkeys(FLAGS, 0)
    counts = {row["flag"]: row["episodes"] for row in kept.rows}
    assert counts["focus"] == pytest.approx(0.05 * N_EPISODES, rel=0.2)
    assert max(counts.values()) <= without.left_out <= sum(counts.values())


@pytest.mark.anyio
async def test_programs_and_people_are_never_in_one_chart(played: tuple[URL, list[SyntheticPlayer]]) -> None:
    url, _ = played
    async with opened_engine(url) as engine, transaction(engine) as connection:
        await fill(connection, 300, seed=2)
        people = await answer_chart(connection, "games", Selection())
    programs = await ask(url, "games", players="programs")
    assert (people.episodes, programs.episodes) == (N_EPISODES, 300)
    assert sum(row["episodes"] for row in programs.rows) == 300


@pytest.mark.anyio
async def test_episode_without_consent_for_research_is_in_no_chart(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        for user, scopes in (("ada", ("research",)), ("bob", ("boards",))):
            await add_user(connection, user)
            consent = await write_consent(connection, user, scopes)
            await add_episode(connection, user, 3.0, consent_id=consent)
        await measure_episodes(connection, OBJECTS, await list_unmeasured(connection, 10))
        assert await count_unmeasured(connection) == 0
    async with transaction(engine) as connection:
        answer = await answer_chart(connection, "games", Selection())
    assert (answer.episodes, answer.players) == (1, 1)


@pytest.mark.anyio
async def test_measures_equal_summary(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        first = await add_episode(connection, "ada", 1.0, game="pong", presses=3)
        second = await add_episode(connection, "ada", 2.0, game="pong", provenance={"study": {"name": "s", "arm": "b"}})
        await measure_episodes(connection, OBJECTS, await list_unmeasured(connection, 10))
        columns = "latency_p50_ms, dropped_frames, device, mode, active_speed, paused_seconds, variant"
        measured = await connection.execute(text(f"SELECT {columns} FROM episode_measure ORDER BY episode_id"))
        summary = await connection.execute(text(f"SELECT {columns} FROM episode_summary ORDER BY episode_id"))
        assert measured.all() == summary.all()
        query = text("SELECT study, arm, actions, entropy_bits, hold_steps FROM episode_measure WHERE episode_id = :id")
        assert tuple((await connection.execute(query, {"id": second})).one()) == ("s", "b", {"0": 21}, 0.0, 21.0)
        await connection.execute(
            text("UPDATE episode SET time_updated = now() + interval '1 s' WHERE id = :id"), {"id": first}
        )
        assert await list_unmeasured(connection, 10) == [first]


@pytest.mark.anyio
async def test_days_and_daytime_use_zone_of_selection(engine: AsyncEngine) -> None:
    start = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    async with transaction(engine) as connection:
        await add_episode(connection, "ada", 1.0, at=start + timedelta(seconds=2))
        await measure_episodes(connection, OBJECTS, await list_unmeasured(connection, 10))
    async with transaction(engine) as connection:
        for zone in ("UTC", "Asia/Tokyo"):
            local = start.astimezone(ZoneInfo(zone))
            selection = Selection(zone=zone, since=local.date(), until=local.date())
            assert [row["day"] for row in (await answer_chart(connection, "days", selection)).rows] == [
                local.date().isoformat()
            ]
        for daytime, n in (("night", 0), ("morning", 1)):
            answer = await answer_chart(connection, "days", Selection(zone="Asia/Tokyo", daytime=daytime))
            assert answer.episodes == n


@pytest.mark.anyio
async def test_breaks_and_days_compare_neighbouring_episodes(engine: AsyncEngine) -> None:
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    scores = {0: 1.0, 60: 3.0, 2 * 3600: 2.0, 26 * 3600: 7.0}
    async with transaction(engine) as connection:
        for seconds, score in scores.items():
            await add_episode(connection, "ada", score, at=start + timedelta(seconds=seconds))
        await measure_episodes(connection, OBJECTS, await list_unmeasured(connection, 10))
    async with transaction(engine) as connection:
        selection = Selection(game="lake")
        breaks = (await answer_chart(connection, "breaks", selection)).rows
        days = (await answer_chart(connection, "within-days", selection)).rows
    changes = {row["change"].partition(":")[0]: row["median"] for row in days}
    assert {row["pause"]: row["median"] for row in breaks} == {
        "under 1 min": 2.0,
        "30 min to 8 h": -1.0,
        "8 to 24 h": 5.0,
    }
    assert changes == {"within a day": 1.0, "between days": 5.0}


@pytest.mark.anyio
async def test_chart_without_game_says_why(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        with pytest.raises(InvalidRequest, match="Choose a game"):
            await answer_chart(connection, "curve", Selection())
        with pytest.raises(InvalidRequest, match="normalised scores"):
            await answer_chart(connection, "groups", Selection())
        with pytest.raises(InvalidRequest, match="dqn-zoo"):
            await answer_chart(connection, "groups", Selection(metric="normalised", source="nobody"))
        assert (await answer_chart(connection, "groups", Selection(metric="normalised"))).rows == []


@pytest.mark.parametrize(
    "fields",
    [
        {"game": "breakout' OR true --"},
        {"zone": "Europe/Atlantis"},
        {"arm": "a'; DROP TABLE episode; --"},
        {"colour": "red"},
        {"min_episodes": 0},
        {"split": "user_id"},
        {"measure": "score; SELECT 1"},
        {"since": "yesterday"},
    ],
    ids=str,
)
def test_selection_with_invalid_field_is_rejected(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Selection(**fields)


@pytest.mark.anyio
async def test_people_and_programs_are_in_one_chart_only_if_asked_for(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        players = await fill(connection, 2000, is_synthetic=False)
        members = sorted(player.user_id for player in players if player.game_id == "breakout")
        programs = members[: len(members) // 3]
        marked = text('UPDATE "user" SET is_synthetic = true WHERE id = ANY(:ids)')
        await connection.execute(marked, {"ids": programs})
        # Somebody whose consent is not on record and whom no decision allows is in neither group.
        await connection.execute(text("DELETE FROM consent_decision"))
        people = members[len(members) // 3 : -1]
        for user in people:
            consent = await write_consent(connection, user)
            own = text("UPDATE episode SET consent_id = :consent WHERE user_id = :user")
            await connection.execute(own, {"consent": consent, "user": user})
    expected = {"people": {"people": len(people)}, "programs": {"programs": len(programs)}}
    expected["all"] = expected["people"] | expected["programs"]
    for wanted, groups in expected.items():
        async with transaction(engine) as connection:
            selection = Selection(game="breakout", players=wanted, split="kind")
            answer = await answer_chart(connection, "groups", selection)
        assert {row["group"]: row["players"] for row in answer.rows} == groups
        assert answer.players == sum(groups.values())
        assert any("Programs are among the players" in note for note in answer.notes) == (wanted == "all")


def test_query_of_dataset_cannot_write(played: tuple[URL, list[SyntheticPlayer]]) -> None:
    with sa.open(played[0].render_as_string(hide_password=False)) as arcade:
        assert arcade.query("SELECT count(*) AS n FROM game WHERE id = 'pong' OR ':x' = '?'").to_pylist() == [{"n": 1}]
        assert arcade.query("SELECT id, config FROM game WHERE false").column_names == ["id", "config"]
        with pytest.raises(InvalidRequest, match="read-only transaction"):
            arcade.query("DELETE FROM episode_measure")
        with pytest.raises(InvalidRequest, match="no_table"):
            arcade.query("SELECT * FROM no_table")


def test_selection_writes_dates_and_texts_as_literals() -> None:
    sql = Selection(arm="it", since=date(2026, 1, 2), player="synthetic-1").to_sql()
    assert "arm = 'it'" in sql
    assert "local_start >= '2026-01-02'" in sql
    assert json.dumps(sql).count("synthetic-1") == 1


async def add_program(connection: AsyncConnection, name: str, score: float, *, pace: str, sticky: float) -> None:
    """Add an episode of a program, as `skill_arcade.client` plays it."""
    await add_user(connection, name, is_synthetic=True)
    facts = {"player": {"browser": f"skill_arcade.client {name}"}, "program": {"pace": pace, "seed": 1}}
    kwargs = {"frameskip": 1, "repeat_action_probability": sticky, "max_num_frames_per_episode": 108_000}
    await add_episode(connection, name, score, game="pong", provenance=facts, kwargs=kwargs)


@pytest.mark.anyio
async def test_references_have_published_scores_and_programs_with_their_protocol(engine: AsyncEngine) -> None:
    kwargs = {"frameskip": 1, "repeat_action_probability": 0.0, "max_num_frames_per_episode": 108_000}
    async with transaction(engine) as connection:
        await add_user(connection, "ada")
        consent = await write_consent(connection, "ada", ("research",))
        await add_episode(connection, "ada", 3.0, game="pong", kwargs=kwargs, consent_id=consent)
        for score in (10.0, 20.0):
            await add_program(connection, "follower", score, pace="stepped", sticky=0.0)
        await add_program(connection, "follower", -5.0, pace="realtime", sticky=0.25)
        renamed = "UPDATE episode SET environment = jsonb_set(environment, '{id}', '\"ALE/Pong-v5\"')"
        await connection.execute(text(renamed))
        await measure_episodes(connection, OBJECTS, await list_unmeasured(connection, 10))

        async def read(**fields: Any) -> tuple[dict[str, dict[str, Any]], Answer]:
            answer = await answer_chart(connection, "references", Selection(game="pong", **fields))
            return {f"{row['name']} {row['protocol']}": row for row in answer.rows}, answer

        published, answer = await read()
        programs, _ = await read(lines="programs")
        normalised, _ = await read(metric="normalised", lines="all")
    assert {row["kind"] for row in published.values()} == {"shown", "random", "human", "agent"}
    by_name = {row["name"]: row for row in published.values()}
    assert (by_name["DQN"]["value"], by_name["Rainbow"]["value"]) == (18.9, 20.9)  # as the papers print them
    assert by_name["Random agent"]["value"] == -20.7
    assert by_name["Random agent"]["protocol"] == "random agent of dqn_zoo 45061f4"
    assert by_name["Human, nature-2015"]["value"] == 9.3
    assert "5 minutes" in by_name["Human, nature-2015"]["protocol"]
    assert by_name["DQN"]["differs"] == "pace, frame skip, length of an episode, start"
    assert by_name["DQN (Dopamine)"]["differs"] == "pace, sticky actions, frame skip"
    assert "sticky actions with probability 0.25, an action every 4 frames" in by_name["DQN (Dopamine)"]["protocol"]
    shown = by_name["Shown episodes"]["protocol"]
    assert (
        shown == "real time, as people play, no sticky actions, an action each frame, at most 108,000 frames an episode"
    )
    assert any(shown in note for note in answer.notes)
    assert any("Measured by another protocol: " in note and "DQN" in note for note in answer.notes)
    own = [row for row in programs.values() if row["kind"] == "program"]
    assert [(row["value"], row["episodes"], row["differs"]) for row in own] == [
        (15.0, 2, "pace"),
        (-5.0, 1, "sticky actions"),
    ]
    values = {row["name"]: row["value"] for row in normalised.values() if row["kind"] != "program"}
    assert (values["Random agent"], values["Human, dqn-zoo"]) == (0, 1)
    assert values["DQN"] == pytest.approx((18.9 + 20.7) / (14.6 + 20.7))


@pytest.mark.anyio
async def test_references_of_unpublished_game_say_that_none_are_known(engine: AsyncEngine) -> None:
    async with transaction(engine) as connection:
        await add_user(connection, "ada")
        consent = await write_consent(connection, "ada", ("research",))
        await add_episode(connection, "ada", 1.0, consent_id=consent)
        await measure_episodes(connection, OBJECTS, await list_unmeasured(connection, 10))
        answer = await answer_chart(connection, "references", Selection(game="lake"))
    assert [row["kind"] for row in answer.rows] == ["shown"]
    assert "No published scores are known for this game." in answer.notes
