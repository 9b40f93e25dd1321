"""Google's front end before Cloud Run: which requests reach a container, and which it answers itself."""

import re
import time
from dataclasses import dataclass
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.logging import log_request
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("front")
HOST = re.compile(r"(?:(?P<tag>[a-z0-9-]+)---)?(?P<service>[a-z0-9-]+)-\d+\.[a-z0-9-]+\.run\.app")
NOT_FOUND = "<html><title>404 (Not Found)</title>The requested URL was not found on this server. That's all we know."
CLIENT = "198.51.100.1"
"""Address of every client, as the front end reports it to the container."""


@dataclass(frozen=True)
class Admission:
    """The front end passes a request, also a WebSocket, on to the container at `port` and cuts it after a time."""

    port: int
    host: str
    forwarded_for: str
    timeout_seconds: float


def answer_request(cloud: FakeCloud, request: Request, host: str, path: str) -> Any:
    """Return an `Admission` if the revision has a container. Otherwise answer like the server that `prove` deploys."""
    # cloud.google.com/run/docs/known-issues: some paths that end in "z" are reserved. This fake reserves all of them.
    if path.endswith("z") and "front-z" not in cloud.lies:
        raise ApiError(404, path, html=NOT_FOUND)
    if path.startswith("/health/") and "front-health" in cloud.lies:
        raise ApiError(404, path, html=NOT_FOUND)
    name = find_revision(cloud, host)
    revision = cloud.resources["revisions"][name]
    spec = revision["spec"]
    annotations = revision["metadata"].get("annotations", {})
    # Unlike the service's limit, that of a revision is what one server takes at once.
    slots = spec["containerConcurrency"] * int(annotations.get("autoscaling.knative.dev/maxScale") or 100)
    if cloud.in_flight(request) > slots:
        lie = {"access-control-allow-origin": "*"} if "requests-429" in cloud.lies else {}
        raise ApiError(429, "Rate exceeded.", html="Rate exceeded.", headers=lie)
    log_request(cloud, request)
    own = request.headers.get("x-forwarded-for")
    entries = [own] if own and "forwarded-for" in cloud.lies else [own, CLIENT] if own else [CLIENT]
    if name in cloud.ports:
        timeout = float(spec["timeoutSeconds"])
        return Admission(cloud.ports[name], host, ", ".join(entries), timeout)
    if float(request.query.get("seconds", 0)) > spec["timeoutSeconds"] and "timeout-cut" not in cloud.lies:
        raise ApiError(504, "upstream request timeout", html="upstream request timeout")
    has_minimum = int(annotations.get("autoscaling.knative.dev/minScale") or 0) > 0
    is_kept = has_minimum and "tag-minimum" not in cloud.lies
    return {
        "path": path,
        "status": "alive",
        "ready": True,
        "started_at": 0.0 if is_kept else time.time() + 60,
        "forwarded_for": ", ".join(entries),
        "volume_owner": 10001 if "volume-owner" in cloud.lies else 0,
        "volume_mode": "0o755",
    }


for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    ROUTES.on(method, "/{host}(?P<path>/.*)")(answer_request)


def find_revision(cloud: FakeCloud, host: str) -> str:
    """Return the revision that receives the requests of a host name, or raise the front end's 404."""
    parts = HOST.fullmatch(host)
    service = cloud.resources["services"].get(parts["service"]) if parts else None
    tag = parts and parts["tag"]
    if ("tag-host" if tag else "host-name") in cloud.lies:
        raise ApiError(404, host, html=NOT_FOUND)
    for entry in service["status"]["traffic"] if service else []:
        if entry.get("tag") == tag if tag else entry.get("percent"):
            return str(entry["revisionName"])
    raise ApiError(404, host, html=NOT_FOUND)
