"""What Cloud Run refuses: limits that gcloud itself does not hold anybody to."""

import re
from typing import Any

from fake.cloud import Cloud
from fake.wire import Refusal

DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}$")
ENVIRONMENT_BYTES = 32_768


def check_template(cloud: Cloud, spec: dict[str, Any]) -> None:
    """Refuse a revision's or a task's template that Cloud Run would refuse."""
    container = spec["containers"][0]
    check_image(cloud, container["image"])
    check_limit("timeout", int(spec.get("timeoutSeconds") or 300), 3600)
    check_limit("concurrency", int(spec.get("containerConcurrency") or 80), 1000)
    if spec.get("serviceAccountName") not in cloud.things["accounts"]:
        raise Refusal(400, f"Service account {spec.get('serviceAccountName')} does not exist.", "INVALID_ARGUMENT")
    environment = container.get("env", [])
    if sum(len(str(item.get("value", ""))) for item in environment) > ENVIRONMENT_BYTES:
        raise Refusal(400, "The environment is larger than 32 KB.", "INVALID_ARGUMENT")
    for item in environment:
        if "valueFrom" in item:
            check_secret(cloud, item["valueFrom"]["secretKeyRef"]["name"], spec["serviceAccountName"])
    for name, probe in container.items():
        if name == "startupProbe":
            check_limit("timeoutSeconds", int(probe["timeoutSeconds"]), int(probe["periodSeconds"]))
            check_limit("startup", int(probe["failureThreshold"]) * int(probe["periodSeconds"]), 240)
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes:
            raise Refusal(400, f"volume mount {mount['name']} names no volume.", "INVALID_ARGUMENT")


def check_image(cloud: Cloud, image: str) -> None:
    """Refuse an image that was never pushed. Google's own are there."""
    if not image.startswith("us-docker.pkg.dev/cloudrun/") and image not in cloud.things["images"]:
        raise Refusal(400, f"Image '{image}' not found.", "INVALID_ARGUMENT")


def check_secret(cloud: Cloud, name: str, account: str) -> None:
    """Refuse a secret that is not there, is empty, or that the account may not read."""
    if not cloud.get("secrets", name)["values"]:
        raise Refusal(400, f"Secret {name}/versions/latest was not found.", "INVALID_ARGUMENT")
    if ("roles/secretmanager.secretAccessor", f"serviceAccount:{account}") not in cloud.roles(name):
        raise Refusal(400, f"Permission denied on secret {name} for {account}.", "INVALID_ARGUMENT")


def check_limit(what: str, value: int, most: int) -> None:
    """Refuse more than the most."""
    if value > most:
        raise Refusal(400, f"{what}: {value} is more than {most}.", "INVALID_ARGUMENT")
