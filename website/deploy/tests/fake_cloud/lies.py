"""Tells the fake clients which beliefs the test breaks that the real clients hold themselves."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("lies")


@ROUTES.on("GET", "/{name}")
def is_broken(cloud: FakeCloud, request: Request, name: str) -> Any:
    return name in cloud.lies
