"""Canary: a share of the new players gets the new version, whose lateness and errors are compared with the old one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from release.console import log_info
from release.errors import UserFacingError
from release.google import Google

PERCENT = 10
DEFAULT_MINUTES = 10.0
INGESTION_MINUTES = 3.0
"""Time until Cloud Monitoring shows what servers write once a minute."""
POLL_SECONDS = 15.0
MIN_STEPS, MIN_REQUESTS = 3600, 50
"""A minute of one player, and requests, below which a share means nothing."""
MAX_LATE_EXCESS, MAX_ERROR_EXCESS = 0.005, 0.01
"""How much larger the share of late steps (the objective is 99.5 % on time) and of requests with 5xx may be."""
OWN = "custom.googleapis.com/skill_arcade"
REQUESTS = 'metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision"'


@dataclass(frozen=True)
class Behaviour:
    """What a revision did in the time that is compared."""

    steps: float
    late_steps: float
    requests: float
    errors: float

    def __str__(self) -> str:
        return f"late={self.late_steps:.0f}/{self.steps:.0f} errors={self.errors:.0f}/{self.requests:.0f}"


def watch(google: Google, live: str, candidate: str, minutes: float, check: Callable[[], None]) -> None:
    """Wait, and compare the two revisions. `check` is called meanwhile and raises an error to end the wait.

    Raises `UserFacingError` if the candidate is worse, or if nobody can tell because Cloud Monitoring does not answer.
    """
    started = datetime.now(UTC)
    # A test waits a fraction of a minute, and nobody has to wait for its metrics.
    end = time.monotonic() + 60 * (minutes + (INGESTION_MINUTES if minutes >= 1 else 0))
    log_info(f"watching the canary percent={PERCENT} minutes={minutes:g} candidate={candidate}")
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(POLL_SECONDS, left))
        check()
    old, new = read_behaviour(google, live, candidate, started)
    log_info(f"canary {new}, before {old}")
    if problem := compare(old, new):
        raise UserFacingError(f"the canary is worse: {problem}")
    if new.steps < MIN_STEPS:
        log_info(f"too few steps for a comparison of lateness, fewer than {MIN_STEPS}; the smoke tests decide")


def compare(old: Behaviour, new: Behaviour) -> str:
    """Return what is worse with the new revision, or "". A share of too few steps or requests is not compared."""
    if new.steps >= MIN_STEPS:
        before = old.late_steps / old.steps if old.steps else 0.0
        after = new.late_steps / new.steps
        if after > before + MAX_LATE_EXCESS:
            return f"{after:.2%} of its steps are late, and {before:.2%} before"
    if new.requests >= MIN_REQUESTS:
        before = old.errors / old.requests if old.requests else 0.0
        after = new.errors / new.requests
        if after > before + MAX_ERROR_EXCESS:
            return f"{after:.2%} of its requests fail with 5xx, and {before:.2%} before"
    return ""


def read_behaviour(google: Google, live: str, candidate: str, since: datetime) -> tuple[Behaviour, Behaviour]:
    """Read what both revisions did since then."""
    own = {
        name: _sum_by(
            google, f'metric.type="{OWN}/{name}" AND resource.type="generic_task"', "resource.labels.job", since
        )
        for name in ("steps_total", "late_steps_total")
    }
    revision = "resource.labels.revision_name"
    requests = _sum_by(google, REQUESTS, revision, since)
    errors = _sum_by(google, f'{REQUESTS} AND metric.labels.response_code_class="5xx"', revision, since)
    old, new = (
        Behaviour(
            own["steps_total"].get(name, 0.0),
            own["late_steps_total"].get(name, 0.0),
            requests.get(name, 0.0),
            errors.get(name, 0.0),
        )
        for name in (live, candidate)
    )
    return old, new


def _sum_by(google: Google, wanted: str, label: str, since: datetime) -> dict[str, float]:
    """Return how much a counter has grown since then, by the value of a label of its resource."""
    now = datetime.now(UTC)
    seconds = max(60, int((now - since).total_seconds()))
    query = {
        "filter": wanted,
        "interval.startTime": f"{since:%Y-%m-%dT%H:%M:%SZ}",
        "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "aggregation.alignmentPeriod": f"{seconds}s",
        "aggregation.perSeriesAligner": "ALIGN_DELTA",
        "aggregation.crossSeriesReducer": "REDUCE_SUM",
        "aggregation.groupByFields": label,
    }
    series = google.read_all("monitoring", f"/v3/projects/{google.project.id}/timeSeries", "timeSeries", **query)
    kind, _, name = label.partition(".labels.")
    sums: dict[str, float] = {}
    for part in series:
        value = part[kind]["labels"][name]
        points = [point["value"] for point in part["points"]]
        grown = sum(float(point.get("doubleValue") or point.get("int64Value") or 0) for point in points)
        sums[value] = sums.get(value, 0.0) + grown
    return sums
