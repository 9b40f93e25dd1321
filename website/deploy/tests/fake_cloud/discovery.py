"""Checks requests against Google's own discovery documents, which the package google-api-python-client contains."""

import json
import re
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import Any

from fake_cloud.requests import ApiError, Request

NAMES = {
    "artifactregistry": "artifactregistry.v1",
    "cloudbilling": "cloudbilling.v1",
    "cloudresourcemanager": "cloudresourcemanager.v1",
    "firebase": "firebase.v1beta1",
    "firebasehosting": "firebasehosting.v1beta1",
    "iam": "iam.v1",
    "logging": "logging.v2",
    "monitoring": "monitoring.v3",
    "run": "run.v1",
    "secretmanager": "secretmanager.v1",
    "serviceusage": "serviceusage.v1",
    "sql": "sqladmin.v1beta4",
    "storage": "storage.v1",
}
OWN_PATHS = re.compile(r"^/(push|show|upload)/")
"""Addresses that are no API: pushes to the registry, pages in a browser, uploads to an address that an API named."""
PLACEHOLDER = re.compile(r"\\\{(\\\+)?\w+\\\}")
"""`{name}` or `{+name}` in an escaped path. The second may contain slashes; for storage the first may too, decoded."""
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "object": dict,
    "array": list,
    "integer": int,
    "number": (int, float),
}
Method = dict[str, Any]


@cache
def read_document(api: str) -> dict[str, Any]:
    """Return the discovery document of an API."""
    found = [file for file in files("google-api-python-client") or () if file.name == f"{NAMES[api]}.json"]
    document: dict[str, Any] = json.loads(Path(str(found[0].locate())).read_text())
    return document


@cache
def list_methods(api: str) -> tuple[tuple[str, re.Pattern[str], Method], ...]:
    """Return HTTP method, pattern of the path and description of every method."""
    document = read_document(api)
    root = f"/{document['servicePath']}"
    found = []

    def collect(resource: dict[str, Any]) -> None:
        for method in resource.get("methods", {}).values():
            path = method.get("flatPath", method["path"])
            pattern = PLACEHOLDER.sub(lambda part: r".+" if part[1] or api == "storage" else r"[^/]+", re.escape(path))
            found.append((method["httpMethod"], re.compile(root + pattern + "$"), method))
        for child in resource.get("resources", {}).values():
            collect(child)

    collect(document)
    return tuple(found)


def check_request(request: Request) -> None:
    """Raise 404 for a method that Google does not have, and 400 for a body that it would not accept."""
    if request.api not in NAMES or OWN_PATHS.match(request.path):
        return
    document = read_document(request.api)
    matches = [
        method
        for verb, pattern, method in list_methods(request.api)
        if verb == request.method and pattern.match(request.path)
    ]
    if not matches:
        raise ApiError(404, f"Google's API has no method for {request.line}.", "NOT_FOUND")
    known = {*document.get("parameters", {}), *(name for method in matches for name in method.get("parameters", {}))}
    # Proto JSON accepts a name in snake case too.
    unknown = {name for name in request.query if camel(name) not in known}
    if unknown:
        raise ApiError(400, f"{request.line} has the unknown parameters {sorted(unknown)}.", "INVALID_ARGUMENT")
    if request.body in ({}, b""):
        return
    problems = []
    for method in matches:
        problem = find_problem(document["schemas"], method.get("request", {}), request.body, "body")
        if not problem:
            return
        problems.append(problem)
    raise ApiError(400, f"Invalid JSON payload received in {request.line}: {problems[0]}", "INVALID_ARGUMENT")


def camel(name: str) -> str:
    """Convert snake case to camel case."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def find_problem(schemas: dict[str, Any], schema: dict[str, Any], value: Any, where: str) -> str:
    """Return what is wrong with a value, or ""."""
    if not schema:
        return f"{where}: the method takes no body"
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    kind = schema.get("type", "any")
    if kind == "any" or value is None:
        return ""
    if schema.get("format") in ("int64", "uint64") and isinstance(value, int):
        return ""
    is_of_type = isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not is_of_type:
        return f"{where}: {value!r} is not of the type {kind}"
    # Google reads the names of enums in any case: gcloud itself sends "Delete" for a cleanup policy.
    if "enum" in schema and str(value).upper() not in {name.upper() for name in schema["enum"]}:
        return f"{where}: {value!r} is not one of {schema['enum']}"
    children: list[tuple[str, dict[str, Any], Any]] = []
    if kind == "array":
        children = [(f"{where}[{index}]", schema["items"], item) for index, item in enumerate(value)]
    elif kind == "object":
        properties, more = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            if name not in properties and more is None:
                return f'{where}: unknown name "{name}"'
            children.append((f"{where}.{name}", properties.get(name, more), item))
    return next((problem for child in children if (problem := find_problem(schemas, child[1], child[2], child[0]))), "")
