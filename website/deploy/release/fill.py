"""Measures how full the game servers were, from the metric `games` that each writes once a minute."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from release.errors import UserFacingError
from release.google import Google

GAMES = 'metric.type="custom.googleapis.com/skill_arcade/games" AND resource.type="generic_task"'


@dataclass(frozen=True)
class ServerFill:
    """Mean number of games on a running server, and the time that all servers ran for together."""

    mean_games: float
    server_hours: float


def measure_fill(google: Google, days: float) -> ServerFill:
    """Read the fill of the last days. Raises `UserFacingError` if no server has written the metric in this time."""
    minutes = _reduce(google, "ALIGN_COUNT", days)
    if not minutes:
        raise UserFacingError(f"no server has reported its games in the last {days:g} days, so no fill is measured")
    return ServerFill(_reduce(google, "ALIGN_SUM", days) / minutes, minutes / 60)


def _reduce(google: Google, aligner: str, days: float) -> float:
    """Return the sum over all servers of what the aligner makes of each server's values."""
    now = datetime.now(UTC)
    query = {
        "filter": GAMES,
        "interval.startTime": f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}",
        "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "aggregation.alignmentPeriod": f"{round(days * 86_400)}s",
        "aggregation.perSeriesAligner": aligner,
        "aggregation.crossSeriesReducer": "REDUCE_SUM",
    }
    series = google.read_all("monitoring", f"/v3/projects/{google.project.id}/timeSeries", "timeSeries", **query)
    values = [point["value"] for part in series for point in part["points"]]
    return sum(float(value.get("doubleValue") or value.get("int64Value") or 0) for value in values)
