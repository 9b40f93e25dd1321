"""Secret Manager: secrets and their versions."""

import base64
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("secretmanager")
SECRETS = "/v1/projects/{project}/secrets"


@ROUTES.on("GET", SECRETS)
def list_secrets(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"secrets": [{"name": secret["name"]} for secret in cloud.resources["secrets"].values()]}


@ROUTES.on("POST", SECRETS)
def create_secret(cloud: FakeCloud, request: Request, project: str) -> Any:
    name = request.query["secretId"]
    return cloud.add("secrets", name, {"name": f"projects/{project}/secrets/{name}", "values": []})


@ROUTES.on("GET", SECRETS + "/{name}")
def read_secret(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    return cloud.get("secrets", name)


@ROUTES.on("GET", SECRETS + "/{name}/versions")
def list_versions(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    secret = cloud.get("secrets", name)
    return {"versions": [describe(secret, number) for number in range(len(secret["values"]))]}


@ROUTES.on("POST", SECRETS + "/{name}:addVersion")
def add_version(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    secret = cloud.get("secrets", name)
    value = base64.b64decode(request.body["payload"]["data"]).decode()
    if not value:
        raise ApiError(400, "Secret payload cannot be empty.", "INVALID_ARGUMENT")
    secret["values"].append(value)
    checked = "dataCrc32c" in request.body["payload"]
    return {**describe(secret, len(secret["values"]) - 1), "clientSpecifiedPayloadChecksum": checked}


@ROUTES.on("GET", SECRETS + "/{name}/versions/latest:access")
def read_version(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    secret = cloud.get("secrets", name)
    data = base64.b64encode(secret["values"][-1].encode()).decode()
    return {"name": describe(secret, len(secret["values"]) - 1)["name"], "payload": {"data": data}}


@ROUTES.on("GET", SECRETS + "/{name}:getIamPolicy")
def read_policy(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    cloud.get("secrets", name)
    return cloud.read_policy(name)


@ROUTES.on("POST", SECRETS + "/{name}:setIamPolicy")
def write_policy(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    return cloud.write_policy(name, request.body["policy"])


def describe(secret: dict[str, Any], number: int) -> dict[str, Any]:
    return {"name": f"{secret['name']}/versions/{number + 1}", "state": "ENABLED"}
