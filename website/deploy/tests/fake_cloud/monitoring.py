"""Cloud Monitoring: sums of counters by revision, and of the values that servers have written, as a test sets them."""

import re
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("monitoring")


@ROUTES.on("GET", "/v3/projects/{project}/timeSeries")
def list_series(cloud: FakeCloud, request: Request, project: str) -> Any:
    """A reducer needs an aligner, and an aligner a period. A counter that nobody has written has no series."""
    query = request.query
    if query.get("aggregation.crossSeriesReducer") and "aggregation.perSeriesAligner" not in query:
        raise ApiError(400, "The reducer requires an aligner.", "INVALID_ARGUMENT")
    if not re.fullmatch(r"[1-9]\d*s", query.get("aggregation.alignmentPeriod", "")):
        raise ApiError(400, "The alignment period must be in seconds.", "INVALID_ARGUMENT")
    found = re.search(r'metric.type="([^"]+)"', query["filter"])
    if not found:
        raise ApiError(400, "The filter must name one metric type.", "INVALID_ARGUMENT")
    name = found[1].rpartition("/")[2] + (" 5xx" if '"5xx"' in query["filter"] else "")
    if "aggregation.groupByFields" not in query:
        return reduce_points(cloud, query, name)
    kind, label = query["aggregation.groupByFields"].split(".labels.")
    series = []
    entries = [entry for entry in cloud.resources["services"]["arcade"]["status"]["traffic"] if entry.get("percent")]
    for role, values in cloud.behaviours.get("metrics", {}).items():
        if name in values:
            revision = (min if role == "live" else max)(entry["revisionName"] for entry in entries)
            point = {"interval": {"endTime": query["interval.endTime"]}, "value": {"doubleValue": values[name]}}
            series.append({kind: {"type": "x", "labels": {label: revision}}, "points": [point]})
    return {"timeSeries": series} if series else {}


def reduce_points(cloud: FakeCloud, query: dict[str, str], name: str) -> Any:
    """Return one series of all servers: the sum of the values that each has written, or the sum of their numbers."""
    values = [value for server in cloud.behaviours.get("points", {}).get(name, []) for value in server]
    if not values:
        return {}
    value = len(values) if query["aggregation.perSeriesAligner"] == "ALIGN_COUNT" else sum(values)
    point = {"interval": {"endTime": query["interval.endTime"]}, "value": {"int64Value": str(value)}}
    return {"timeSeries": [{"points": [point]}]}
