"""Metrics of this server in Prometheus text format (version 0.0.4)."""

import time
from dataclasses import dataclass
from uuid import uuid4

from skill_arcade.errors import NotReady
from skill_arcade.web.models.operations import UploadAges
from skill_arcade.web.state import AppState

PREFIX = "skill_arcade_"
INSTANCE = uuid4().hex[:12]
"""Label of every sample, so that counters of several servers, which start at 0, are never mixed."""
START_TIME = time.time()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `samples` are pairs of labels and value."""

    name: str
    kind: str
    help: str
    samples: list[tuple[dict[str, str], float]]


def read_ages(state: AppState) -> UploadAges:
    """Return ages that are known without a query; the last poll of the journal is at most a few seconds old."""
    capacity, now = state.sessions.capacity, time.time()
    last_upload = capacity.uploader_status.get("last_upload")
    try:
        free = capacity.free_bytes
    except NotReady:  # the component `journal` reports it
        free = 0
    return UploadAges(
        oldest_pending_seconds=0.0
        if capacity.backlog.oldest_at is None
        else max(0.0, now - capacity.backlog.oldest_at),
        last_upload_seconds=None if last_upload is None else max(0.0, now - last_upload),
        tick_lateness_seconds=state.sessions.late_us / 1e6,
        journal_free_bytes=free,
    )


def read_metrics(state: AppState) -> list[Metric]:
    """Return all metrics, without a query."""
    sessions, ages = state.sessions, read_ages(state)
    backlog, uploader_status, stalled_seconds = (
        sessions.capacity.backlog,
        sessions.capacity.uploader_status,
        sessions.capacity.stalled_seconds,
    )
    oldest, lateness, free = ages.oldest_pending_seconds, ages.tick_lateness_seconds, ages.journal_free_bytes
    rejections = [({"reason": name}, float(count)) for name, count in sorted(sessions.rejections.items())]
    n_steps, n_late_steps = sessions.count_steps()
    heartbeat = state.heartbeat
    metrics = [
        _gauge("servers", "Servers that run on this database.", heartbeat.n_running),
        _gauge("silent_servers", "Servers that were lost within the last day.", heartbeat.n_silent),
        _counter(
            "lost_episodes_total", "Episodes of lost servers that this one has ended.", heartbeat.n_ended_episodes
        ),
        _counter("games_taken_over_total", "Games that another server has taken over.", state.leases.n_lost),
        _counter("moved_games_total", "Games of other servers that go on here.", state.moves.n_moved),
        _counter(
            "moved_incomplete_games_total",
            "Moved games that the other server has not handed over, so that steps may be lost.",
            state.moves.n_incomplete,
        ),
        _counter(
            "recovered_games_total",
            "Games of lost servers to which what those had shipped was added.",
            state.lost_games.n_recovered,
        ),
        _gauge("games", "Running games.", sessions.n_games),
        _counter("game_starts_total", "Started games.", sessions.counts["starts"]),
        _counter("slow_game_starts_total", "Starts over 3 s, and failed ones.", sessions.counts["slow_starts"]),
        _counter("steps_total", "Steps that had a deadline.", n_steps),
        _counter("late_steps_total", "Steps that were over 5 ms late.", n_late_steps),
        Metric("rejected_games_total", "counter", "Rejected games by reason.", rejections),
        _gauge("tick_lateness_seconds", "Greatest lateness of a tick in the last report of all games.", lateness),
        _gauge(
            "oldest_pending_segment_seconds",
            "Age of the oldest segment that waits for upload, 0 if none waits.",
            oldest,
        ),
        _gauge("pending_segments", "Segments that wait for upload.", backlog.n_segments),
        _gauge("pending_bytes", "Bytes that wait for upload.", backlog.n_bytes),
        _gauge("damaged_segments", "Segments that are damaged and need manual repair.", backlog.n_damaged),
        _gauge("quarantined_segments", "Segments that storage rejects for their content.", backlog.n_quarantined),
        _gauge(
            "unstored_segments",
            "Segments that cannot be stored without help: damaged or quarantined.",
            backlog.n_damaged + backlog.n_quarantined,
        ),
        _gauge("upload_stalled_seconds", "Time for which segments have waited without any upload.", stalled_seconds),
        _gauge("journal_free_bytes", "Free bytes on the journal's disk, 0 if it is full or unusable.", free),
        _counter(
            "uploaded_segments_total",
            "Segments uploaded since the uploader started.",
            uploader_status.get("segments", 0),
        ),
        _counter(
            "uploaded_transitions_total",
            "Transitions uploaded since the uploader started.",
            uploader_status.get("transitions", 0),
        ),
        _counter(
            "upload_failures_total", "Failed upload attempts, which are retried.", uploader_status.get("failures", 0)
        ),
    ]
    if ages.last_upload_seconds is not None:
        metrics.append(_gauge("last_upload_seconds", "Time since the last upload.", ages.last_upload_seconds))
    return metrics


def write_text(metrics: list[Metric]) -> str:
    """Format the metrics for Prometheus."""
    lines = []
    for metric in metrics:
        name = PREFIX + metric.name
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        lines += [f"{name}{_write_labels(labels)} {value:.10g}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def _write_labels(labels: dict[str, str]) -> str:
    pairs = {"instance": INSTANCE, **labels}.items()
    return "{" + ",".join(f'{name}="{value}"' for name, value in pairs) + "}"


def _gauge(name: str, help: str, value: float) -> Metric:
    return Metric(name, "gauge", help, [({}, float(value))])


def _counter(name: str, help: str, value: float) -> Metric:
    return Metric(name, "counter", help, [({}, float(value))])
