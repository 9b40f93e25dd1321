"""Cloud Billing: the billing account of a project."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("cloudbilling")


@ROUTES.on("GET", "/v1/projects/{project}/billingInfo")
def read_billing(cloud: FakeCloud, request: Request, project: str) -> Any:
    account = cloud.get("projects", project).get("billed to", "")
    return {
        "name": f"projects/{project}/billingInfo",
        "projectId": project,
        "billingAccountName": account,
        "billingEnabled": bool(account),
    }


@ROUTES.on("PUT", "/v1/projects/{project}/billingInfo")
def link_billing(cloud: FakeCloud, request: Request, project: str) -> Any:
    cloud.get("projects", project)["billed to"] = request.body["billingAccountName"]
    return read_billing(cloud, request, project)
