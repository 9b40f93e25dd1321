"""Outcome of the fake smoke test, which calls this API."""

import re
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("smoke")


@ROUTES.on("POST", "/try")
def try_out(cloud: FakeCloud, request: Request) -> Any:
    smoke_tests = " ".join(request.body["arguments"])
    cloud.behaviours.setdefault("smoke_tests", []).append(smoke_tests)
    cancelled = cloud.behaviours.get("smoke is cancelled")
    if cancelled and re.search(cancelled, smoke_tests):
        raise ApiError(499, "the test cancels the smoke test")
    failing = cloud.behaviours.get("smoke fails")
    if failing and re.search(failing, smoke_tests):
        raise ApiError(400, "the test lets the smoke test fail")
    return {}
