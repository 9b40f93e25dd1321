"""Writes the metrics of this server to Google Cloud Monitoring, once a minute.

A scrape of `/metrics` reaches a random server of several, so the servers write their metrics themselves. Each has its
own `task_id`, so that counters of several servers are never mixed, and a server that ends leaves its series behind.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from typing import Any

from skill_arcade.settings import Settings
from skill_arcade.web.metrics import INSTANCE, START_TIME, Metric, read_metrics
from skill_arcade.web.state import AppState

log = logging.getLogger(__name__)

ENDPOINT = "https://monitoring.googleapis.com"
METRIC_PREFIX = "custom.googleapis.com/skill_arcade/"
EXPORT_SECONDS = 60.0
SCOPE = "https://www.googleapis.com/auth/monitoring.write"
Send = Callable[[str, dict[str, Any]], None]


def should_export(settings: Settings) -> bool:
    """Return whether this server runs on Cloud Run, which sets K_SERVICE, with a project to write to."""
    return bool(os.environ.get("K_SERVICE") and settings.gcp_project_name)


async def export_metrics(state: AppState, send: Send | None = None) -> None:
    """Write the metrics once a minute, until cancelled. A failure is logged, and the next minute tries again."""
    project = str(state.settings.gcp_project_name)
    send = send or open_session(project)
    while True:
        await asyncio.sleep(EXPORT_SECONDS)
        body = describe_series(read_metrics(state), project, time.time())
        try:
            await asyncio.to_thread(send, f"/v3/projects/{project}/timeSeries", body)
        except Exception as error:  # noqa: BLE001  no fault of Monitoring may end the games
            log.warning("cannot export the metrics, retrying in %.0f s: %s", EXPORT_SECONDS, error)


def describe_series(metrics: list[Metric], project: str, now: float) -> dict[str, Any]:
    """Return the body of `timeSeries.create`. Counters are cumulative since the start of this process."""
    resource = {
        "type": "generic_task",
        "labels": {
            "project_id": project,
            "location": "global",
            "namespace": os.environ.get("K_SERVICE", "arcade"),
            "job": os.environ.get("K_REVISION", "arcade"),
            "task_id": INSTANCE,
        },
    }
    series = []
    for metric in metrics:
        interval = {"endTime": _format_time(now)}
        if metric.kind == "counter":
            interval["startTime"] = _format_time(START_TIME)
        for labels, value in metric.samples:
            series.append(
                {
                    "metric": {"type": f"{METRIC_PREFIX}{metric.name}", "labels": labels},
                    "resource": resource,
                    "metricKind": "CUMULATIVE" if metric.kind == "counter" else "GAUGE",
                    "valueType": "DOUBLE",
                    "points": [{"interval": interval, "value": {"doubleValue": value}}],
                }
            )
    return {"timeSeries": series}


def open_session(project: str) -> Send:
    """Return a function that sends a body to Cloud Monitoring as this service account."""
    import google.auth  # noqa: PLC0415  takes a tenth of a second, and only servers in the cloud need it
    from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415

    credentials, _ = google.auth.default(scopes=[SCOPE])
    session = AuthorizedSession(credentials)

    def send(path: str, body: dict[str, Any]) -> None:
        answer = session.post(f"{ENDPOINT}{path}", json=body, timeout=10)
        answer.raise_for_status()

    return send


def _format_time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e6):06d}Z"
