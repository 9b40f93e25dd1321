"""Cloud Resource Manager: projects and their IAM policies."""

import re
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("cloudresourcemanager")
NUMBER = "123456789012"


@ROUTES.on("GET", "/v1/projects")
def list_projects(cloud: FakeCloud, request: Request) -> Any:
    wanted = re.search(r'\b(?:projectId|id)[:=]"?([a-z0-9-]+)', request.query.get("filter", ""))
    if not wanted:
        raise ApiError(400, f"expected a filter by project ID, not {request.query}", "INVALID_ARGUMENT")
    return {"projects": [project for name, project in cloud.resources["projects"].items() if name == wanted[1]]}


@ROUTES.on("POST", "/v1/projects")
def create_project(cloud: FakeCloud, request: Request) -> Any:
    name = request.body["projectId"]
    cloud.add("projects", name, {"projectId": name, "projectNumber": NUMBER, "lifecycleState": "ACTIVE", "name": name})
    return {"name": "operations/cp.1", "done": True, "response": cloud.get("projects", name)}


@ROUTES.on("GET", "/v1/operations/{name}")
def read_operation(cloud: FakeCloud, request: Request, name: str) -> Any:
    return {"name": f"operations/{name}", "done": True, "response": {}}


@ROUTES.on("GET", "/v1/projects/{project}")
def read_project(cloud: FakeCloud, request: Request, project: str) -> Any:
    return cloud.get("projects", project)


@ROUTES.on("POST", "/v1/projects/{project}:getIamPolicy")
def read_policy(cloud: FakeCloud, request: Request, project: str) -> Any:
    cloud.get("projects", project)
    return cloud.read_policy("project")


@ROUTES.on("POST", "/v1/projects/{project}:setIamPolicy")
def write_policy(cloud: FakeCloud, request: Request, project: str) -> Any:
    for binding in request.body["policy"]["bindings"]:
        role = binding["role"].rpartition("/")[2]
        if binding["role"].startswith("projects/") and role not in cloud.resources["roles"]:
            raise ApiError(400, f"Role {binding['role']} does not exist.", "INVALID_ARGUMENT")
    return cloud.write_policy("project", request.body["policy"])
