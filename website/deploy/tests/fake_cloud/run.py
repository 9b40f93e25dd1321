"""Cloud Run services: revisions, traffic, tags and IAM policies."""

import copy
import json
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.limits import check_template, is_googles
from fake_cloud.requests import ApiError, Request, Routes
from fake_cloud.resource_manager import NUMBER

ROUTES = Routes("run")
SERVICES = "/apis/serving.knative.dev/v1/namespaces/{project}/services"
POLICY = "/v1/projects/{project}/locations/{region}/services/{name}"


@ROUTES.on("GET", SERVICES)
def list_services(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {
        "kind": "ServiceList",
        "apiVersion": "serving.knative.dev/v1",
        "items": list(cloud.resources["services"].values()),
    }


@ROUTES.on("GET", SERVICES + "/{name}")
def read_service(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    return cloud.get("services", name)


@ROUTES.on("POST", SERVICES)
def create_service(cloud: FakeCloud, request: Request, project: str) -> Any:
    service = request.body
    name = service["metadata"]["name"]
    service["metadata"] |= {"generation": 0, "selfLink": name, "uid": name, "resourceVersion": "1"}
    service["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    if name in cloud.resources["services"]:
        raise ApiError(409, f"Resource '{name}' already exists.", "ALREADY_EXISTS")
    apply_service(cloud, service)
    return cloud.add("services", name, service)


@ROUTES.on("PUT", SERVICES + "/{name}")
def replace_service(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    service = request.body
    before = cloud.get("services", name)["metadata"]
    version = service["metadata"].get("resourceVersion", before["resourceVersion"])
    if version != before["resourceVersion"] and "put-conflict" not in cloud.lies:
        raise ApiError(409, "Conflict for resource: version was modified since it was read.", "ABORTED")
    service["metadata"]["generation"] = before["generation"]
    service["metadata"]["resourceVersion"] = str(int(before["resourceVersion"]) + 1)
    apply_service(cloud, service, cloud.get("services", name))
    cloud.resources["services"][name] = service
    return service


@ROUTES.on("DELETE", SERVICES + "/{name}")
def delete_service(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    cloud.remove("services", name)
    cloud.policies.pop(f"service {name}", None)
    return {"kind": "Status", "status": "Success"}


@ROUTES.on("GET", "/apis/serving.knative.dev/v1/namespaces/{project}/revisions/{name}")
def read_revision(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    return cloud.get("revisions", name)


@ROUTES.on("GET", POLICY + ":getIamPolicy")
def read_policy(cloud: FakeCloud, request: Request, project: str, region: str, name: str) -> Any:
    cloud.get("services", name)
    return cloud.read_policy(f"service {name}")


@ROUTES.on("POST", POLICY + ":setIamPolicy")
def write_policy(cloud: FakeCloud, request: Request, project: str, region: str, name: str) -> Any:
    return cloud.write_policy(f"service {name}", request.body["policy"])


def apply_service(cloud: FakeCloud, service: dict[str, Any], before: dict[str, Any] | None = None) -> None:
    """Create a revision if the template changed, and distribute the traffic according to the spec."""
    metadata, spec = service["metadata"], service["spec"]
    metadata["generation"] += 1
    template = spec["template"]
    template.setdefault("metadata", {})
    # Cloud Run stores its default, which gcloud's --no-traffic reads.
    spec["traffic"] = spec.get("traffic") or [{"latestRevision": True, "percent": 100}]
    if (
        before is None
        or "put-no-revision" in cloud.lies
        or comparable(template) != comparable(before["spec"]["template"])
    ):
        check_template(cloud, template["spec"])
        name = template["metadata"].get("name") or f"{metadata['name']}-{metadata['generation']:05d}-abc"
        revision = {"apiVersion": "serving.knative.dev/v1", "kind": "Revision", **copy.deepcopy(template)}
        revision["metadata"] |= {"name": name, "labels": {**template["metadata"].get("labels", {})}}
        revision["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
        if cloud.containers and not is_googles(template["spec"]["containers"][0]["image"]):
            cloud.ports[name] = cloud.containers.start_server(template["spec"])
        cloud.add("revisions", name, revision)
    else:
        name = before["status"]["latestCreatedRevisionName"]
    set_status(service, name)


def count_running(cloud: FakeCloud, name: str) -> int:
    """Return the number of servers of a service that run without any request.

    A minimum of a revision counts for each revision that has traffic or a tag; a minimum of the service once.
    """
    service = cloud.resources["services"][name]
    named = {entry["revisionName"] for entry in service["status"]["traffic"]}
    minimum = "autoscaling.knative.dev/minScale"
    annotations = [cloud.resources["revisions"][revision]["metadata"].get("annotations", {}) for revision in named]
    own = sum(int(found.get(minimum) or 0) for found in annotations)
    return own + int(service["metadata"].get("annotations", {}).get("run.googleapis.com/minScale") or 0)


def comparable(template: dict[str, Any]) -> str:
    """Return a template without the annotations that gcloud adds."""
    bare = copy.deepcopy(template)
    for noise in ("run.googleapis.com/client-name", "run.googleapis.com/client-version"):
        bare.get("metadata", {}).get("annotations", {}).pop(noise, None)
    return json.dumps(bare, sort_keys=True)


def set_status(service: dict[str, Any], latest: str) -> None:
    """Set the status of a service after all changes are applied."""
    name = service["metadata"]["name"]
    host = f"{name}-{NUMBER}.europe-west1.run.app"
    traffic = []
    for target in service["spec"]["traffic"]:
        entry = {key: value for key, value in target.items() if key != "url"}
        if entry.get("latestRevision"):
            entry["revisionName"] = latest
        if tag := entry.get("tag"):
            entry["url"] = f"https://{tag}---{host}"
        traffic.append(entry)
    if sum(entry.get("percent") or 0 for entry in traffic) != 100:
        raise ApiError(400, "Traffic targets must sum to 100.", "INVALID_ARGUMENT")
    conditions = [{"type": kind, "status": "True"} for kind in ("Ready", "ConfigurationsReady", "RoutesReady")]
    service["status"] = {
        "observedGeneration": service["metadata"]["generation"],
        "conditions": conditions,
        "latestCreatedRevisionName": latest,
        "latestReadyRevisionName": latest,
        "traffic": traffic,
        "url": f"https://{host}",
        "address": {"url": f"https://{host}"},
    }
