"""Limits of Cloud Run that gcloud itself does not check."""

import re
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError

DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}$")
ENVIRONMENT_BYTES = 32_768


def check_template(cloud: FakeCloud, spec: dict[str, Any]) -> None:
    """Raise an error for the template of a revision or task that Cloud Run would reject."""
    container = spec["containers"][0]
    check_image(cloud, container["image"])
    check_maximum("timeout", int(spec.get("timeoutSeconds") or 300), 3600)
    check_maximum("concurrency", int(spec.get("containerConcurrency") or 80), 1000)
    if spec.get("serviceAccountName") and spec["serviceAccountName"] not in cloud.resources["accounts"]:
        raise ApiError(400, f"Service account {spec.get('serviceAccountName')} does not exist.", "INVALID_ARGUMENT")
    environment = container.get("env", [])
    if sum(len(str(item.get("value", ""))) for item in environment) > ENVIRONMENT_BYTES:
        raise ApiError(400, "The environment is larger than 32 KB.", "INVALID_ARGUMENT")
    for item in environment:
        if "valueFrom" in item:
            reference = item["valueFrom"]["secretKeyRef"]
            check_secret(cloud, reference["name"], reference["key"], spec["serviceAccountName"])
    for name, probe in container.items():
        if name == "startupProbe":
            check_maximum("timeoutSeconds", int(probe["timeoutSeconds"]), int(probe["periodSeconds"]))
            check_maximum("startup", int(probe["failureThreshold"]) * int(probe["periodSeconds"]), 240)
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes:
            raise ApiError(400, f"volume mount {mount['name']} names no volume.", "INVALID_ARGUMENT")


def check_image(cloud: FakeCloud, image: str) -> None:
    """Raise an error for an image that was not pushed. Google's own images exist."""
    if not is_googles(image) and image not in cloud.resources["images"]:
        raise ApiError(400, f"Image '{image}' not found.", "INVALID_ARGUMENT")


def is_googles(image: str) -> bool:
    """Return whether an image is an example of Google's or a mirrored one, which anybody can use."""
    return image.startswith(("us-docker.pkg.dev/cloudrun/", "mirror.gcr.io/library/"))


def check_secret(cloud: FakeCloud, name: str, version: str, account: str) -> None:
    """Raise an error for a secret that is missing or empty, or that the account may not read."""
    values = cloud.get("secrets", name)["values"]
    if not values or (version != "latest" and int(version) > len(values)):
        raise ApiError(400, f"Secret {name}/versions/{version} was not found.", "INVALID_ARGUMENT")
    if ("roles/secretmanager.secretAccessor", f"serviceAccount:{account}") not in cloud.roles(name):
        raise ApiError(400, f"Permission denied on secret {name} for {account}.", "INVALID_ARGUMENT")


def check_maximum(what: str, value: int, most: int) -> None:
    """Raise an error for a value above its maximum."""
    if value > most:
        raise ApiError(400, f"{what}: {value} is more than {most}.", "INVALID_ARGUMENT")
