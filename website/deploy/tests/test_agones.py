"""The manifests for Agones, by the schemas that it publishes, and against the server's settings and the client."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from harness import DEPLOY
from skill_arcade.settings import Settings
from skill_arcade.web.agones import COUNTER, HEALTH_SECONDS
from skill_arcade.web.startup_checks import check_settings

SECRET = "s" * 32
FOLDER = DEPLOY / "agones"
KINDS: dict[str, Any] = json.loads((Path(__file__).parent / "fixtures/agones/crds.json").read_text())["kinds"]
MANIFESTS = {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}


def close(schema: Any) -> Any:
    """Forbid fields that a schema does not have: Kubernetes drops them silently, so a misspelt one does nothing."""
    if isinstance(schema, list):
        return [close(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: close(part) for name, part in schema.items()}
    if isinstance(closed.get("properties"), dict) and "additionalProperties" not in closed:
        closed["additionalProperties"] = False
    return closed


def find_problems(manifest: dict[str, Any]) -> list[str]:
    """Return what the schema of a manifest's kind says about it."""
    kind = KINDS[manifest["kind"]]
    schema = deepcopy(kind["schema"])
    schema["properties"] |= {name: {} for name in ("apiVersion", "kind", "metadata")}
    problems = [error.message for error in jsonschema_rs.Draft4Validator(close(schema)).iter_errors(manifest)]
    return problems if manifest["apiVersion"] == kind["apiVersion"] else [*problems, "wrong apiVersion"]


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest_fits_the_published_schema(name: str) -> None:
    assert find_problems(MANIFESTS[name]) == []


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("fleet.yaml", ("spec", "scheduling"), "Tight"),
        ("fleet.yaml", ("spec", "replica"), 2),
        ("fleet.yaml", ("spec", "template", "spec", "ports", 0, "containerPort"), 0),
        ("fleet.yaml", ("spec", "template", "spec", "health", "periodSecond"), 5),
        ("fleet.yaml", ("spec", "template", "spec", "template", "spec", "containers", 0, "env", 0, "val"), "x"),
        ("autoscaler.yaml", ("spec", "policy", "type"), "Buffers"),
        ("autoscaler.yaml", ("spec", "policy", "buffer", "maxReplicas"), 0),
        ("autoscaler.yaml", ("apiVersion",), "autoscaling/v1"),
    ],
)
def test_manifest_with_planted_mistake_is_rejected(name: str, path: tuple[Any, ...], value: object) -> None:
    manifest = deepcopy(MANIFESTS[name])
    part = manifest
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert find_problems(manifest) != []


def test_fleet_agrees_with_the_server() -> None:
    server = MANIFESTS["fleet.yaml"]["spec"]["template"]["spec"]
    container = server["template"]["spec"]["containers"][0]
    values = {variable["name"]: variable.get("value", SECRET) for variable in container["env"]}
    fields = {
        name.lower(): value.replace("$(POD_NAME)", "pod-1") for name, value in values.items() if name != "POD_NAME"
    }
    assert set(fields) <= set(Settings.model_fields)
    settings = Settings(_env_file=None, **(fields | {"database_url": "postgresql://host/name"}))
    check_settings(settings, {})
    assert server["counters"][COUNTER]["capacity"] == int(values["MAX_GAMES"])
    assert server["health"]["periodSeconds"] > HEALTH_SECONDS
    assert server["container"] == container["name"]
    domain = MANIFESTS["fleet.yaml"]["spec"]["template"]["metadata"]["annotations"][
        "octops.io/gameserver-ingress-domain"
    ]
    assert values["SOCKET_ORIGIN"] == f"wss://$(POD_NAME).{domain}"
    assert values["SOCKET_ORIGINS"] == f"wss://*.{domain}"
    assert f"*.{domain}" in values["TRUSTED_HOSTS"].split(",")
    assert MANIFESTS["autoscaler.yaml"]["spec"]["fleetName"] == MANIFESTS["fleet.yaml"]["metadata"]["name"]
