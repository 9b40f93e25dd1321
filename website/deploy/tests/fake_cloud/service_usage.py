"""Service Usage: enabled APIs."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("serviceusage")


def describe(name: str, state: str = "ENABLED") -> dict[str, Any]:
    return {"name": f"projects/1/services/{name}", "config": {"name": name}, "state": state}


@ROUTES.on("GET", "/v1/projects/{project}/services")
def list_services(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"services": [describe(name) for name in cloud.resources["apis"]]}


@ROUTES.on("GET", "/v1/projects/{project}/services/{name}")
def read_service(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    # The Firebase CLI takes the name of an API from the host that it calls.
    name = "firebasehosting.googleapis.com" if name == "127.0.0.1" else name
    return describe(name, "ENABLED" if name in cloud.resources["apis"] else "DISABLED")


@ROUTES.on("POST", "/v1/projects/{project}/services:batchEnable")
def enable_services(cloud: FakeCloud, request: Request, project: str) -> Any:
    cloud.resources["apis"].update(dict.fromkeys(request.body["serviceIds"], True))
    return {"name": "operations/acat.1", "done": True, "response": {}}


@ROUTES.on("POST", "/v1/projects/{project}/services/{name}:enable")
def enable_service(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    cloud.resources["apis"][name] = True
    return {"name": "operations/acat.2", "done": True, "response": {}}


@ROUTES.on("GET", "/v1/operations/{name}")
def read_operation(cloud: FakeCloud, request: Request, name: str) -> Any:
    return {"name": f"operations/{name}", "done": True, "response": {}}
