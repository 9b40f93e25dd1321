"""Firebase Management: projects and their web app."""

from typing import Any

from fake.cloud import Cloud
from fake.manager import NUMBER
from fake.wire import Refusal, Request, Routes

ROUTES = Routes("firebase")


def describe(project: str) -> dict[str, Any]:
    names = {"name": f"projects/{project}", "projectId": project, "projectNumber": NUMBER, "displayName": project}
    return {**names, "state": "ACTIVE", "resources": {"hostingSite": project}}


@ROUTES.on("GET", "/v1beta1/projects")
def list_projects(cloud: Cloud, request: Request) -> Any:
    return {"results": [describe(name) for name in cloud.things["firebase"]]}


@ROUTES.on("GET", "/v1beta1/projects/{project}")
def read_project(cloud: Cloud, request: Request, project: str) -> Any:
    cloud.get("firebase", project)
    return describe(project)


@ROUTES.on("POST", "/v1beta1/projects/{project}:addFirebase")
def add_firebase(cloud: Cloud, request: Request, project: str) -> Any:
    if project not in cloud.things["projects"]:
        raise Refusal(403, "The caller does not have permission", "PERMISSION_DENIED")
    cloud.add("firebase", project, True)
    cloud.things["channels"].setdefault("live", {})
    return finish(cloud, "add", describe(project))


@ROUTES.on("GET", "/v1beta1/projects/{project}/webApps")
def list_apps(cloud: Cloud, request: Request, project: str) -> Any:
    return {"apps": list(cloud.things["apps"].values())}


@ROUTES.on("POST", "/v1beta1/projects/{project}/webApps")
def create_app(cloud: Cloud, request: Request, project: str) -> Any:
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
def read_config(cloud: Cloud, request: Request, project: str, app: str) -> Any:
    return {"projectId": project, "appId": app, "apiKey": "AIza-web", "authDomain": f"{project}.firebaseapp.com"}


@ROUTES.on("GET", "/v1beta1/operations/{name}")
def read_operation(cloud: Cloud, request: Request, name: str) -> Any:
    return {"name": f"operations/{name}", "done": True, "response": cloud.get("firebase operations", name)}


def finish(cloud: Cloud, name: str, response: dict[str, Any]) -> dict[str, Any]:
    """A long-running operation that is over at once."""
    cloud.things["firebase operations"][name] = response
    return {"name": f"operations/{name}", "done": True, "response": response}
