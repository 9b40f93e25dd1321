"""Artifact Registry: the repository of images and its packages."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("artifactregistry")
REPOSITORIES = "/v1/projects/{project}/locations/{region}/repositories"


@ROUTES.on("GET", REPOSITORIES)
def list_repositories(cloud: FakeCloud, request: Request, project: str, region: str) -> Any:
    return {"repositories": list(cloud.resources["repositories"].values())}


@ROUTES.on("POST", REPOSITORIES)
def create_repository(cloud: FakeCloud, request: Request, project: str, region: str) -> Any:
    name = request.query["repositoryId"]
    full = f"projects/{project}/locations/{region}/repositories/{name}"
    resource = cloud.add("repositories", name, {**request.body, "name": full})
    return {"name": f"projects/{project}/locations/{region}/operations/o1", "done": True, "response": resource}


@ROUTES.on("GET", REPOSITORIES + "/{name}")
def read_repository(cloud: FakeCloud, request: Request, project: str, region: str, name: str) -> Any:
    return cloud.get("repositories", name)


@ROUTES.on("PATCH", REPOSITORIES + "/{name}")
def update_repository(cloud: FakeCloud, request: Request, project: str, region: str, name: str) -> Any:
    cloud.get("repositories", name).update({key: value for key, value in request.body.items() if key != "name"})
    return cloud.get("repositories", name)


@ROUTES.on("GET", REPOSITORIES + "/{name}:getIamPolicy")
def read_policy(cloud: FakeCloud, request: Request, project: str, region: str, name: str) -> Any:
    cloud.get("repositories", name)
    return cloud.read_policy("repository")


@ROUTES.on("POST", REPOSITORIES + "/{name}:setIamPolicy")
def write_policy(cloud: FakeCloud, request: Request, project: str, region: str, name: str) -> Any:
    return cloud.write_policy("repository", request.body["policy"])


@ROUTES.on("GET", REPOSITORIES + "/{name}/packages")
def list_packages(cloud: FakeCloud, request: Request, project: str, region: str, name: str) -> Any:
    cloud.get("repositories", name)
    return {"packages": list(cloud.resources["packages"].values())}


@ROUTES.on("DELETE", REPOSITORIES + "/{name}/packages/{package}")
def delete_package(cloud: FakeCloud, request: Request, project: str, region: str, name: str, package: str) -> Any:
    cloud.remove("packages", package)
    return {"name": f"projects/{project}/locations/{region}/operations/o2", "done": True, "response": {}}


@ROUTES.on("GET", "/v1/projects/{project}/locations/{region}/operations/{name}")
def read_operation(cloud: FakeCloud, request: Request, project: str, region: str, name: str) -> Any:
    return {"name": request.path.removeprefix("/v1/"), "done": True, "response": {}}


@ROUTES.on("POST", "/push/(?P<image>.+)")
def push_image(cloud: FakeCloud, request: Request, image: str) -> Any:
    """Push an image. The fake skopeo calls this instead of the registry's own protocol."""
    host, project, repository, package = image.split("@", maxsplit=1)[0].split("/")
    cloud.get("repositories", repository)
    parent = f"projects/{project}/locations/{host.removesuffix('-docker.pkg.dev')}/repositories/{repository}"
    cloud.resources["packages"][package] = {"name": f"{parent}/packages/{package}"}
    cloud.resources["images"][image] = True
    return {}
