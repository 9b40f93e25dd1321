"""Cloud Logging: the request log of Cloud Run."""

import re
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("logging")


@ROUTES.on("POST", "/v2/entries:list")
def list_entries(cloud: FakeCloud, request: Request) -> Any:
    wanted = re.search(r'httpRequest.requestUrl:"([^"]+)"', request.body["filter"])
    entries = [entry for entry in cloud.request_log if wanted and wanted[1] in entry["httpRequest"]["requestUrl"]]
    return {"entries": entries} if entries else {}


def log_request(cloud: FakeCloud, request: Request) -> None:
    """Add the entry of a request, with its address and without its headers."""
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    url = request.path if "log-has-query" in cloud.lies else f"{request.path}?{query}"
    entry: dict[str, Any] = {"httpRequest": {"requestMethod": request.method, "requestUrl": url}}
    if "log-no-protocol" in cloud.lies:
        entry["labels"] = {"protocol": request.headers.get("sec-websocket-protocol", "")}
    cloud.request_log.append(entry)
