"""Firebase Management: projects and their web app."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes
from fake_cloud.resource_manager import NUMBER

ROUTES = Routes("firebase")


def describe(project: str) -> dict[str, Any]:
    names = {"name": f"projects/{project}", "projectId": project, "projectNumber": NUMBER, "displayName": project}
    return {**names, "state": "ACTIVE", "resources": {"hostingSite": project}}


@ROUTES.on("GET", "/v1beta1/projects")
def list_projects(cloud: FakeCloud, request: Request) -> Any:
    return {"results": [describe(name) for name in cloud.resources["firebase"]]}


@ROUTES.on("GET", "/v1beta1/projects/{project}")
def read_project(cloud: FakeCloud, request: Request, project: str) -> Any:
    cloud.get("firebase", project)
    return describe(project)


@ROUTES.on("POST", "/v1beta1/projects/{project}:addFirebase")
def add_firebase(cloud: FakeCloud, request: Request, project: str) -> Any:
    if project not in cloud.resources["projects"]:
        raise ApiError(403, "The caller does not have permission", "PERMISSION_DENIED")
    cloud.add("firebase", project, True)
    if "no-site" in cloud.lies:
        cloud.resources["sites"][project] = {"type": "DEFAULT_SITE"}
        cloud.resources["channels"]["live"] = {"retainedReleaseCount": 10}
    return finish(cloud, "add", describe(project))


@ROUTES.on("GET", "/v1beta1/projects/{project}/webApps")
def list_apps(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"apps": list(cloud.resources["apps"].values())}


@ROUTES.on("POST", "/v1beta1/projects/{project}/webApps")
def create_app(cloud: FakeCloud, request: Request, project: str) -> Any:
    name = "1:1:web:1"
    app = {
        "name": f"projects/{project}/webApps/{name}",
        "appId": name,
        "projectId": project,
        "platform": "WEB",
        **request.body,
    }
    cloud.add("apps", app["appId"], app)
    return finish(cloud, "app", app)


@ROUTES.on("GET", "/v1beta1/projects/(?P<project>[^/]+)/webApps/(?P<app>[^/]+)/config")
def read_config(cloud: FakeCloud, request: Request, project: str, app: str) -> Any:
    return {"projectId": project, "appId": app, "apiKey": "AIza-web", "authDomain": f"{project}.firebaseapp.com"}


@ROUTES.on("GET", "/v1beta1/operations/{name}")
def read_operation(cloud: FakeCloud, request: Request, name: str) -> Any:
    return {"name": f"operations/{name}", "done": True, "response": cloud.get("firebase operations", name)}


def finish(cloud: FakeCloud, name: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return a long-running operation that is finished."""
    cloud.resources["firebase operations"][name] = response
    return {"name": f"operations/{name}", "done": True, "response": response}
