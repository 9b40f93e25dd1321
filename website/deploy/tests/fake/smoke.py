"""The smoke test's stand-in asks here whether it passes; each try is a call like any other."""

import re
from typing import Any

from fake.cloud import Cloud
from fake.wire import Refusal, Request, Routes

ROUTES = Routes("smoke")


@ROUTES.on("POST", "/try")
def try_out(cloud: Cloud, request: Request) -> Any:
    tried = " ".join(request.body["arguments"])
    cloud.notes.setdefault("tried", []).append(tried)
    cancelled = cloud.notes.get("smoke is cancelled")
    if cancelled and re.search(cancelled, tried):
        raise Refusal(499, "told to be cancelled")
    failing = cloud.notes.get("smoke fails")
    if failing and re.search(failing, tried):
        raise Refusal(400, "told to fail")
    return {}
