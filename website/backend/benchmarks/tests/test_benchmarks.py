"""Small runs of the benchmarks. They assert bytes, counts and equality, but no times."""

import json
from pathlib import Path

import pytest

from benchmarks import (
    certify,
    cost,
    cost_model,
    dashboard,
    frames,
    latency,
    paces,
    players,
    sound,
    spectators,
    ticks,
    uploader,
)
from benchmarks.report import Report, read_results
from skill_arcade.research.charts import CHARTS


def as_dicts(report: Report) -> list[dict[str, object]]:
    return [dict(zip(report.columns, row, strict=True)) for row in report.rows]


def test_frames_benchmark_decodes_equal_frames_but_jpeg_does_not() -> None:
    rows = as_dicts(frames.run(40, ("Breakout", "Tower of Hanoi")))
    assert [row["environment"] for row in rows] == ["Breakout", "Tower of Hanoi"]
    assert [row["differ"] for row in rows] == [0, 0]
    assert [row["JPEG-95 exact"] for row in rows] == ["0 of 4", "0 of 4"]


def test_frames_benchmark_run_twice_has_equal_bytes() -> None:
    columns = ("wire B", "kept B", "PNG B", "JPEG-95 B", "xz B")
    first, second = (as_dicts(frames.run(30, ("Pong",)))[0] for _ in range(2))
    assert {name: first[name] for name in columns} == {name: second[name] for name in columns}


def test_uploader_benchmark_with_failing_store_uploads_everything_once() -> None:
    report = uploader.run(n_steps=700, n_episodes=2, down_seconds=0.6, slow_seconds=0.6)
    facts = report.facts
    assert facts["transitions in Postgres"] == facts["transitions written"]
    assert facts["transitions not uploaded at the end"] == 0
    assert sum(int(row["transitions"]) for row in as_dicts(report)) == 2 * facts["transitions written"]  # type: ignore[call-overload]
    per_episode = facts["objects for 1,000 transitions"] * facts["transitions written"] / 2000
    assert per_episode == pytest.approx(3)  # segments of five seconds at 60 Hz: 300, 300 and 100 steps


def test_players_benchmark_loses_no_steps() -> None:
    report = players.run((2,), 2.0)
    [row] = as_dicts(report)
    assert row["players"] == 2
    assert row["steps lost"] == 0
    assert int(row["steps seen"]) > 0  # type: ignore[call-overload]


def test_ticks_benchmark_measures_every_part_of_each_tick() -> None:
    report = ticks.run(n_games=2, games_per_process=2, seconds=1.0)
    rows = {str(row["part"]).strip(): row for row in as_dicts(report)}
    assert int(report.facts["ticks"]) > 0
    once = ("environment step", "encode", "journal", "session")
    assert {name: rows[name]["calls a tick"] for name in once} == pytest.approx(dict.fromkeys(once, 1.0), abs=0.1)
    parts = sum(float(str(rows[name]["us a tick"])) for name in ("environment step", "encode", "journal"))
    assert 0 < parts < float(str(rows["session"]["us a tick"])) < float(str(rows["process"]["us a tick"]))


def test_spectators_benchmark_loses_no_frame() -> None:
    rows = as_dicts(spectators.run(watchers=3, seconds=2.0, repeats=1))
    assert [row["watchers"] for row in rows] == [0, 3]
    assert [row["frames lost"] for row in rows] == [0, 0]
    assert float(str(rows[1]["B/s a watcher"])) > 0


def test_paces_benchmark_leaves_observations_out_in_real_time_only() -> None:
    rows = as_dicts(paces.run((20,), seconds=1.0, repeats=1))
    assert [row["pace"] for row in rows] == ["stepped", "realtime", "lockstep"]
    assert [row["observations left out %"] == 0 for row in rows if row["pace"] != "realtime"] == [True, True]


def test_certify_benchmark_certifies_every_family_and_detects_tampering() -> None:
    report = certify.run(("breakout", "minigrid-lava-gap", "cart-pole", "tower-of-hanoi", "drifting"), 3.0)
    rows = {row["game"]: row for row in as_dicts(report)}
    assert [row["family"] for row in rows.values()] == ["atari", "gymnasium", "minigrid", "own", "unseeded"]
    drifting = rows.pop("drifting")
    assert drifting["not reproducible"] == drifting["episodes"]
    for row in rows.values():
        assert row["certified"] == row["episodes"]
        assert row["byte"] == "object"
        assert str(row["action"]) == "rows" or str(row["action"]).startswith("step ")
        assert str(row["frame"]).startswith("step ")


def test_price_tiers_charges_each_tier_at_its_price() -> None:
    tiers = [(10.0, 3.0), (30.0, 2.0), (None, 1.0)]
    assert [cost_model.price_tiers(amount, tiers) for amount in (0, 5, 10, 20, 40)] == [0, 15, 30, 50, 80]


def test_cost_benchmark_from_results_and_prices_computes_instances(tmp_path: Path) -> None:
    row = {"players": 16, "CPU a player %": 3.5, "postgres %": 0.5, "certifier %": 0.5}
    results = {
        "players": {"rows": [row]},
        "frames": {"facts": {"Atari, mean of wire B": 200.0, "Atari, mean of kept B": 200.0}},
        "uploader": {
            "facts": {"Postgres B a transition, indexes included": 250.0, "objects for 1,000 transitions": 4.0}
        },
    }
    for name, value in results.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    rows = as_dicts(cost.run(tmp_path))
    assert [row["players"] for row in rows] == [1, 100, 10_000]
    assert [row["instances"] for row in rows] == [1, 5, 417]  # 24 players on each
    assert {row["largest part"] for row in rows[1:]} == {"database"}  # the rows of a year


def test_read_results_without_file_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="python -m benchmarks frames"):
        read_results("frames", tmp_path)


def test_report_save_writes_table_and_json(tmp_path: Path) -> None:
    report = Report("sample", ("what", "size B"))
    report.add("one", 1234.5)
    path = report.save(tmp_path)
    assert "| one  | 1,234" in report.markdown()
    assert json.loads(path.read_text())["rows"] == [{"what": "one", "size B": 1234.5}]


def test_latency_row_floor_includes_lag_of_the_game() -> None:
    lag = latency.count_lag()
    assert lag == 2
    row = {"delay": 80, "jitter": 10, "throttle": 1, "presses": [120.0, 130.0], "start": 90.0, "gaps": [16.7] * 3}
    row |= {"painted": 60, "seconds": 1.0, "skipped": 0, "up": 100, "down": 200}
    row |= {"cold": 300.0, "warm": 90.0, "seen": 10.0}
    report = Report("latency", latency.COLUMNS)
    for mode in ("streamed", "lockstep"):
        report.add(*latency.make_row(row | {"mode": mode}, lag))
    streamed, lockstep = as_dicts(report)
    assert (streamed["floor p50 ms"], lockstep["floor p50 ms"]) == pytest.approx((85 + 25, 25))
    assert (streamed["presses"], streamed["painted/s"], streamed["down B/s"]) == (2, 60, 200)


def test_latency_plan_has_equal_networks_in_both_modes() -> None:
    plan = latency.make_plan((0, 80))
    streamed, lockstep = ([{**one, "mode": ""} for one in plan if one["mode"] == mode] for mode in latency.MODES)
    assert streamed == lockstep
    assert [one["throttle"] for one in streamed] == [1, 1, 1, 6]


def test_sound_benchmark_with_sound_plays_equal_steps() -> None:
    rows = as_dicts(sound.run(400, ("breakout", "seaquest")))
    assert [row["equal"] for row in rows] == [True, True]


def test_dashboard_benchmark_has_no_answer_above_100_kb() -> None:
    rows = as_dicts(dashboard.run(episodes=3_000, repeats=1))
    assert {row["chart"] for row in rows} == set(CHARTS)
    assert max(float(str(row["kB"])) for row in rows) < 100
