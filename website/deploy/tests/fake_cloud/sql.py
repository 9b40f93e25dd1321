"""Cloud SQL Admin: the instance, its users and databases."""

import copy
import re
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("sql")
INSTANCES = "/sql/v1beta4/projects/{project}/instances"


@ROUTES.on("GET", INSTANCES)
def list_instances(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"kind": "sql#instancesList", "items": list(cloud.resources["instances"].values())}


@ROUTES.on("POST", INSTANCES)
def create_instance(cloud: FakeCloud, request: Request, project: str) -> Any:
    name = request.body["name"]
    cloud.add("instances", name, {"kind": "sql#instance", "state": "RUNNABLE", "project": project, **request.body})
    return finish(project, "CREATE", name)


@ROUTES.on("GET", INSTANCES + "/{instance}")
def read_instance(cloud: FakeCloud, request: Request, project: str, instance: str) -> Any:
    return cloud.get("instances", instance)


@ROUTES.on("POST", INSTANCES + "/{instance}/clone")
def clone_instance(cloud: FakeCloud, request: Request, project: str, instance: str) -> Any:
    """A clone inherits the settings, also the protection against deletion."""
    source, context = cloud.get("instances", instance), request.body["cloneContext"]
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,97}", context["destinationInstanceName"]):
        raise ApiError(400, "Invalid instance name.", "INVALID_ARGUMENT")
    if cloud.behaviours.get("clone fails"):
        return finish(project, "CLONE", instance) | {"error": {"errors": [{"code": "INTERNAL", "message": "no space"}]}}
    name = context["destinationInstanceName"]
    cloud.add("instances", name, {**copy.deepcopy(source), "name": name, "pointInTime": context["pointInTime"]})
    return finish(project, "CLONE", instance) | {"status": "PENDING"}


@ROUTES.on("PATCH", INSTANCES + "/{instance}")
def patch_instance(cloud: FakeCloud, request: Request, project: str, instance: str) -> Any:
    cloud.get("instances", instance).setdefault("settings", {}).update(request.body["settings"])
    return finish(project, "UPDATE", instance)


@ROUTES.on("DELETE", INSTANCES + "/{instance}")
def delete_instance(cloud: FakeCloud, request: Request, project: str, instance: str) -> Any:
    if cloud.get("instances", instance).get("settings", {}).get("deletionProtectionEnabled"):
        raise ApiError(400, "The instance is protected against deletion.", "FAILED_PRECONDITION")
    cloud.remove("instances", instance)
    return finish(project, "DELETE", instance)


@ROUTES.on("GET", "/sql/v1beta4/projects/{project}/operations")
def list_operations(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"kind": "sql#operationsList", "items": [finish(project, "CREATE", request.query.get("instance", ""))]}


@ROUTES.on("GET", "/sql/v1beta4/projects/{project}/operations/{name}")
def read_operation(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    return finish(project, "CREATE", "arcade")


@ROUTES.on("GET", INSTANCES + "/{instance}/users")
def list_users(cloud: FakeCloud, request: Request, project: str, instance: str) -> Any:
    cloud.get("instances", instance)
    return {"kind": "sql#usersList", "items": list(cloud.resources["users"].values())}


@ROUTES.on("POST", INSTANCES + "/{instance}/users")
def create_user(cloud: FakeCloud, request: Request, project: str, instance: str) -> Any:
    cloud.get("instances", instance)
    user = request.body
    if (
        user.get("type") == "CLOUD_IAM_SERVICE_ACCOUNT"
        and user["name"] + ".gserviceaccount.com" not in cloud.resources["accounts"]
    ):
        raise ApiError(400, f"Invalid request: {user['name']} is no service account.", "INVALID_ARGUMENT")
    if user.get("type") in (None, "BUILT_IN") and not user.get("password"):
        raise ApiError(400, "Invalid request: a password is needed.", "INVALID_ARGUMENT")
    cloud.add("users", user["name"], {"kind": "sql#user", "host": "", **user})
    return finish(project, "CREATE_USER", instance)


@ROUTES.on("GET", INSTANCES + "/{instance}/databases")
def list_databases(cloud: FakeCloud, request: Request, project: str, instance: str) -> Any:
    cloud.get("instances", instance)
    names = ["postgres", *cloud.resources["databases"]]
    items = [{"kind": "sql#database", "name": name, "instance": instance, "project": project} for name in names]
    return {"kind": "sql#databasesList", "items": items}


@ROUTES.on("POST", INSTANCES + "/{instance}/databases")
def create_database(cloud: FakeCloud, request: Request, project: str, instance: str) -> Any:
    cloud.get("instances", instance)
    cloud.add("databases", request.body["name"], {})
    return finish(project, "CREATE_DATABASE", instance)


@ROUTES.on("DELETE", INSTANCES + "/{instance}/databases/{name}")
def delete_database(cloud: FakeCloud, request: Request, project: str, instance: str, name: str) -> Any:
    cloud.get("databases", name)
    if cloud.behaviours.get("sessions", 0) > 0:
        cloud.behaviours["sessions"] -= 1
        raise ApiError(
            400, f'Invalid request: failed to delete database "{name}". Detail: it is being accessed by other users.'
        )
    cloud.remove("databases", name)
    return finish(project, "DELETE_DATABASE", instance)


def finish(project: str, kind: str, instance: str) -> dict[str, Any]:
    """An operation that is over at once."""
    where = {"targetProject": project, "targetId": instance, "operationType": kind}
    return {"kind": "sql#operation", "name": "o1", "status": "DONE", **where}
