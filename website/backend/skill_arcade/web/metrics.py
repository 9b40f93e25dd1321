"""Figures of this server in Prometheus' text format (version 0.0.4)."""

import time
from dataclasses import dataclass

from skill_arcade.errors import NotReady
from skill_arcade.web.state import AppState

PREFIX = "skill_arcade_"


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure. `samples`: (labels, value)."""

    name: str
    kind: str
    help: str
    samples: list[tuple[str, float]]


def read_metrics(state: AppState) -> list[Metric]:
    """What is known without asking anybody: the newest look at the journal is at most a few seconds old."""
    room, roster = state.roster.room, state.roster
    backlog, report, now = room.backlog, room.delivery, time.time()
    oldest = 0.0 if backlog.oldest is None else max(0.0, now - backlog.oldest)
    delivered = report.get("last_delivery")
    refusals = [(f'{{reason="{name}"}}', float(count)) for name, count in sorted(roster.refusals.items())]
    metrics = [
        _gauge("games", "Games that run now.", roster.n_games),
        Metric("refused_games_total", "counter", "Games that were refused, by reason.", refusals),
        _gauge("tick_lateness_seconds", "Worst lateness of a tick, as all games told last.", roster.late_us / 1e6),
        _gauge("oldest_undelivered_segment_seconds", "Age of the oldest sealed segment; 0: none waits.", oldest),
        _gauge("undelivered_segments", "Sealed segments that wait.", backlog.n_segments),
        _gauge("undelivered_bytes", "Their size.", backlog.n_bytes),
        _gauge("damaged_segments", "Segments that were set aside, and wait for a person.", backlog.n_damaged),
        _gauge("delivery_stuck_seconds", "How long segments have waited with none delivered.", room.stuck_seconds),
        _counter("delivered_segments_total", "Segments delivered since delivery began.", report.get("segments", 0)),
        _counter("delivered_transitions_total", "Transitions delivered since.", report.get("transitions", 0)),
        _counter("delivery_failures_total", "Attempts that failed and are repeated.", report.get("failures", 0)),
    ]
    if delivered is not None:
        age = max(0.0, now - delivered)
        metrics.append(_gauge("last_delivery_seconds", "Time since a segment was delivered.", age))
    try:
        metrics.append(_gauge("journal_free_bytes", "Room on the journal's disk.", room.free_bytes))
    except NotReady:
        metrics.append(_gauge("journal_free_bytes", "Room on the journal's disk; it can't be used.", 0))
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
