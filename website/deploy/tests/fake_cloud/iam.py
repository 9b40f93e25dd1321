"""IAM: service accounts, roles, and the workload identity pool for GitHub."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("iam")


@ROUTES.on("GET", "/v1/projects/{project}/serviceAccounts")
def list_accounts(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"accounts": list(cloud.resources["accounts"].values())}


@ROUTES.on("POST", "/v1/projects/{project}/serviceAccounts")
def create_account(cloud: FakeCloud, request: Request, project: str) -> Any:
    email = f"{request.body['accountId']}@{project}.iam.gserviceaccount.com"
    resource = {"name": f"projects/{project}/serviceAccounts/{email}", "email": email, **request.body["serviceAccount"]}
    return cloud.add("accounts", email, resource)


@ROUTES.on("POST", "/v1/projects/{project}/serviceAccounts/{email}:getIamPolicy")
def read_policy(cloud: FakeCloud, request: Request, project: str, email: str) -> Any:
    cloud.get("accounts", email)
    return cloud.read_policy(email)


@ROUTES.on("POST", "/v1/projects/{project}/serviceAccounts/{email}:setIamPolicy")
def write_policy(cloud: FakeCloud, request: Request, project: str, email: str) -> Any:
    cloud.get("accounts", email)
    return cloud.write_policy(email, request.body["policy"])


@ROUTES.on("GET", "/v1/projects/{project}/roles")
def list_roles(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"roles": list(cloud.resources["roles"].values())}


@ROUTES.on("POST", "/v1/projects/{project}/roles")
def create_role(cloud: FakeCloud, request: Request, project: str) -> Any:
    name = request.body["roleId"]
    return cloud.add("roles", name, {"name": f"projects/{project}/roles/{name}", **request.body["role"]})


POOLS = "/v1/projects/{project}/locations/global/workloadIdentityPools"


@ROUTES.on("GET", POOLS)
def list_pools(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"workloadIdentityPools": list(cloud.resources["pools"].values())}


@ROUTES.on("POST", POOLS)
def create_pool(cloud: FakeCloud, request: Request, project: str) -> Any:
    name = request.query["workloadIdentityPoolId"]
    resource = {
        "name": f"projects/{project}/locations/global/workloadIdentityPools/{name}",
        "state": "ACTIVE",
        **request.body,
    }
    return finish(cloud.add("pools", name, resource))


@ROUTES.on("GET", POOLS + "/{pool}/providers")
def list_providers(cloud: FakeCloud, request: Request, project: str, pool: str) -> Any:
    cloud.get("pools", pool)
    return {"workloadIdentityPoolProviders": list(cloud.resources["providers"].values())}


@ROUTES.on("POST", POOLS + "/{pool}/providers")
def create_provider(cloud: FakeCloud, request: Request, project: str, pool: str) -> Any:
    cloud.get("pools", pool)
    check_condition(request.body)
    name = request.query["workloadIdentityPoolProviderId"]
    parent = f"projects/{project}/locations/global/workloadIdentityPools/{pool}"
    return finish(
        cloud.add("providers", name, {"name": f"{parent}/providers/{name}", "state": "ACTIVE", **request.body})
    )


@ROUTES.on("GET", POOLS + "/{pool}/providers/{name}")
def read_provider(cloud: FakeCloud, request: Request, project: str, pool: str, name: str) -> Any:
    return cloud.get("providers", name)


@ROUTES.on("PATCH", POOLS + "/{pool}/providers/{name}")
def update_provider(cloud: FakeCloud, request: Request, project: str, pool: str, name: str) -> Any:
    check_condition(request.body)
    cloud.get("providers", name).update(request.body)
    return finish(cloud.get("providers", name))


@ROUTES.on("GET", POOLS + "/.+/operations/{name}")
def read_operation(cloud: FakeCloud, request: Request, project: str, name: str) -> Any:
    return {"name": request.path.removeprefix("/v1/"), "done": True, "response": {}}


def check_condition(provider: dict[str, Any]) -> None:
    """Like Google, reject a provider for GitHub that any repository could use."""
    if "assertion.repository" not in provider.get("attributeCondition", ""):
        raise ApiError(400, "The attribute condition must reference one of the provider's claims.", "INVALID_ARGUMENT")


def finish(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a long-running operation that is finished."""
    return {"name": f"{resource['name']}/operations/o1", "done": True, "response": resource}
