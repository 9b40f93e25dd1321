"""Figures of this server in Prometheus' text format (version 0.0.4)."""

import time
from dataclasses import dataclass

from skill_arcade.errors import NotReady
from skill_arcade.web.models import UploadAges
from skill_arcade.web.state import AppState

PREFIX = "skill_arcade_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. `samples`: (labels, value)."""

    name: str
    kind: str
    help: str
    samples: list[tuple[str, float]]


def read_ages(state: AppState) -> UploadAges:
    """What is known without asking anybody: the newest look at the journal is at most a few seconds old."""
    capacity, now = state.sessions.capacity, time.time()
    delivered = capacity.uploader_status.get("last_delivery")
    try:
        free = capacity.free_bytes
    except NotReady:  # the journal's part says so
        free = 0
    return UploadAges(
        oldest_undelivered_seconds=0.0 if capacity.backlog.oldest is None else max(0.0, now - capacity.backlog.oldest),
        last_delivery_seconds=None if delivered is None else max(0.0, now - delivered),
        tick_lateness_seconds=state.sessions.late_us / 1e6,
        journal_free_bytes=free,
    )


def read_metrics(state: AppState) -> list[Metric]:
    """Every figure there is; as `read_ages`, without asking anybody."""
    sessions, ages = state.sessions, read_ages(state)
    backlog, report, stuck = (
        sessions.capacity.backlog,
        sessions.capacity.uploader_status,
        sessions.capacity.stalled_seconds,
    )
    oldest, late, free = ages.oldest_undelivered_seconds, ages.tick_lateness_seconds, ages.journal_free_bytes
    refusals = [(f'{{reason="{name}"}}', float(count)) for name, count in sorted(sessions.rejections.items())]
    metrics = [
        _gauge("games", "Games that run now.", sessions.n_games),
        Metric("refused_games_total", "counter", "Games that were refused, by reason.", refusals),
        _gauge("tick_lateness_seconds", "Worst lateness of a tick, as all games told last.", late),
        _gauge("oldest_undelivered_segment_seconds", "Age of the oldest sealed segment; 0: none waits.", oldest),
        _gauge("undelivered_segments", "Sealed segments that wait.", backlog.n_segments),
        _gauge("undelivered_bytes", "Their size.", backlog.n_bytes),
        _gauge("damaged_segments", "Segments that were set aside, and wait for a person.", backlog.n_damaged),
        _gauge("delivery_stuck_seconds", "How long segments have waited with none delivered.", stuck),
        _gauge("journal_free_bytes", "Room on the journal's disk; 0: full, or it can't be used.", free),
        _counter("delivered_segments_total", "Segments delivered since delivery began.", report.get("segments", 0)),
        _counter("delivered_transitions_total", "Transitions delivered since.", report.get("transitions", 0)),
        _counter("delivery_failures_total", "Attempts that failed and are repeated.", report.get("failures", 0)),
    ]
    if ages.last_delivery_seconds is not None:
        metrics.append(
            _gauge("last_delivery_seconds", "Time since a segment was delivered.", ages.last_delivery_seconds)
        )
    return metrics


def write_text(metrics: list[Metric]) -> str:
    """Lay the figures out as Prometheus reads them."""
    lines = []
    for metric in metrics:
        name = PREFIX + metric.name
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        lines += [f"{name}{labels} {value:.10g}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def _gauge(name: str, help: str, value: float) -> Metric:
    return Metric(name, "gauge", help, [("", float(value))])


def _counter(name: str, help: str, value: float) -> Metric:
    return Metric(name, "counter", help, [("", float(value))])
