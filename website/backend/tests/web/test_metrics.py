"""Metrics: counters of the games, the label of the instance, and the export to Cloud Monitoring."""

import asyncio
from typing import Any

import pytest

from skill_arcade.web import metric_export, metrics
from skill_arcade.web.metric_export import describe_series, export_metrics, should_export
from skill_arcade.web.metrics import Metric, write_text
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio
COUNTERS = [Metric("steps_total", "counter", "Steps.", [({}, 5.0)])]


def test_write_text_labels_every_sample_with_the_instance() -> None:
    lines = write_text([*COUNTERS, Metric("rejected_games_total", "counter", "x", [({"reason": "Full"}, 1.0)])])
    assert f'skill_arcade_steps_total{{instance="{metrics.INSTANCE}"}} 5' in lines
    assert f'skill_arcade_rejected_games_total{{instance="{metrics.INSTANCE}",reason="Full"}} 1' in lines


def test_series_of_two_servers_are_different_and_cumulative(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = []
    for instance in ("one", "two"):
        monkeypatch.setattr(metric_export, "INSTANCE", instance)
        (series,) = describe_series(COUNTERS, "project", 2e9)["timeSeries"]
        bodies.append(series)
    assert bodies[0]["resource"]["labels"]["task_id"] != bodies[1]["resource"]["labels"]["task_id"]
    assert {body["metricKind"] for body in bodies} == {"CUMULATIVE"}
    assert bodies[0]["points"][0]["interval"]["startTime"] < bodies[0]["points"][0]["interval"]["endTime"]


async def test_export_after_failure_continues(arcade: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric_export, "EXPORT_SECONDS", 0.01)
    sent: list[tuple[str, Any]] = []
    twice = asyncio.Event()
    loop = asyncio.get_running_loop()

    def send(path: str, body: Any) -> None:
        sent.append((path, body))
        if len(sent) == 1:
            raise OSError("no network")
        loop.call_soon_threadsafe(twice.set)

    task = asyncio.create_task(export_metrics(arcade.state, send))
    await asyncio.wait_for(twice.wait(), 10)
    task.cancel()
    path, body = sent[-1]
    assert path.endswith("/timeSeries")
    assert {series["metric"]["type"].rpartition("/")[2] for series in body["timeSeries"]} >= {"games", "steps_total"}


def test_export_runs_only_on_cloud_run_with_a_project(arcade: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = arcade.state.settings
    assert not should_export(settings)
    monkeypatch.setenv("K_SERVICE", "arcade")
    assert not should_export(settings)
    assert should_export(settings.model_copy(update={"gcp_project_name": "arcade-prod"}))
