"""The operations of the fake gcloud: calls of the fake APIs at FAKE_URL, as gcloud makes them."""

import base64
import sys
from collections.abc import Callable
from typing import Any

from fake_clients.command_line import CommandError, CommandLine, UsageError, call
from fake_clients.iam_policy import change_policy

Operation = Callable[[CommandLine], Any]
SECRETS = "/v1/projects/{project}/secrets"
SQL = "/sql/v1beta4/projects/{project}"
POOLS = "/v1/projects/{project}/locations/global/workloadIdentityPools"


def list_operation(api: str, path: str, key: str) -> Operation:
    """Return a command that lists resources. Project and flags are inserted into `path`."""
    return lambda line: call(api, "GET", fill(path, line)).get(key, [])


def describe_operation(api: str, path: str) -> Operation:
    """Return a command that describes a resource, which the first argument names."""
    return lambda line: call(api, "GET", fill(path, line))


def delete_operation(api: str, path: str) -> Operation:
    """Return a command that deletes a resource, which the first argument names. Without --quiet gcloud would ask."""

    def remove(line: CommandLine) -> Any:
        if "quiet" not in line.flags:
            raise CommandError("This prompt could not be answered because you are not in an interactive session")
        return call(api, "DELETE", fill(path, line))

    return remove


def fill(path: str, line: CommandLine) -> str:
    """Insert project, flags and the first argument into a path."""
    values = {name.replace("-", "_"): value for name, value in line.flags.items()}
    word = line.words[0] if line.words else ""
    return path.format(**{"project": "", **values}, word=word.removeprefix("gs://").partition("/")[0])


def create_provider(line: CommandLine) -> Any:
    """Create the identity provider for GitHub."""
    body = {"attributeCondition": line.value("attribute-condition"), "oidc": {"issuerUri": line.value("issuer-uri")}}
    pairs = (pair.split("=", 1) for pair in line.value("attribute-mapping").split(","))
    return call(
        "iam",
        "POST",
        fill(POOLS + "/{workload_identity_pool}/providers", line),
        {**body, "attributeMapping": dict(pairs)},
        workloadIdentityPoolProviderId=line.word(),
    )


def update_provider(line: CommandLine) -> Any:
    """Change the condition of the identity provider."""
    path = fill(POOLS + "/{workload_identity_pool}/providers/{word}", line)
    return call("iam", "PATCH", path, {"attributeCondition": line.value("attribute-condition")})


def create_user(line: CommandLine) -> Any:
    """Create a database user."""
    body = {"name": line.word(), "type": line.value("type").upper() or None, "password": line.value("password")}
    return call("sql", "POST", fill(SQL + "/instances/{instance}/users", line), {k: v for k, v in body.items() if v})


def create_role(line: CommandLine) -> Any:
    """Create a custom role of the project."""
    role = {"title": line.value("title"), "includedPermissions": line.value("permissions").split(",")}
    return call("iam", "POST", fill("/v1/projects/{project}/roles", line), {"roleId": line.word(), "role": role})


def list_objects(line: CommandLine) -> Any:
    """List the objects that match a pattern which ends in **."""
    bucket, _, prefix = line.word().removeprefix("gs://").partition("/")
    if not prefix.endswith("**"):
        raise UsageError("the fake gcloud lists gs://bucket/prefix** only")
    return call("storage", "GET", f"/storage/v1/b/{bucket}/o", prefix=prefix.removesuffix("**")).get("items", [])


def remove_objects(line: CommandLine) -> Any:
    """Remove the objects that match a pattern. Like gcloud, fails if there are none."""
    bucket = line.word().removeprefix("gs://").partition("/")[0]
    found = list_objects(line)
    if not found:
        raise CommandError("The following URLs matched no objects or files")
    for item in found:
        call("storage", "DELETE", f"/storage/v1/b/{bucket}/o/{item['name']}")
    return None


def add_version(line: CommandLine) -> Any:
    """Add a version of a secret from standard input."""
    if line.value("data-file") != "-":
        raise UsageError("a secret must be passed by standard input")
    data = base64.b64encode(sys.stdin.buffer.read()).decode()
    return call("secretmanager", "POST", fill(SECRETS + "/{word}:addVersion", line), {"payload": {"data": data}})


def access_version(line: CommandLine) -> Any:
    """Print the value of a secret."""
    data = call("secretmanager", "GET", fill(SECRETS + "/{secret}/versions/latest:access", line))["payload"]["data"]
    sys.stdout.write(base64.b64decode(data).decode())


def create_bucket(line: CommandLine) -> Any:
    """Create a bucket."""
    body = {"name": line.word().removeprefix("gs://"), "location": line.value("location").upper()}
    return call("storage", "POST", "/storage/v1/b", body, project=line.project)


def describe_bucket(line: CommandLine) -> Any:
    """Return a bucket as `gcloud storage buckets describe` prints it: with names of its own, in snake case."""
    bucket = call("storage", "GET", fill("/storage/v1/b/{word}", line))
    return {**bucket, "versioning_enabled": bucket.get("versioning", {}).get("enabled", False)}


def create_operation(api: str, path: str, body: Callable[[CommandLine], Any], **query: str) -> Operation:
    """Return a command that creates a resource with a POST. The query value `word` means the first argument."""

    def post(line: CommandLine) -> Any:
        asked = {name: line.word() if value == "word" else value for name, value in query.items()}
        return call(api, "POST", fill(path, line), body(line), **asked)

    return post


def bind_operation(api: str, read: str, path: str) -> Operation:
    """Return `add-iam-policy-binding` for one kind of resource."""
    return lambda line: change_policy(line, api, read, fill(path, line))
