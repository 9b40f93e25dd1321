"""What Terraform has applied, as the other fake APIs know it."""

from collections.abc import Callable
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.jobs import settle
from fake_cloud.requests import Request, Routes
from fake_cloud.run import apply_service

ROUTES = Routes("terraform")
Values = dict[str, Any]


@ROUTES.on("POST", "/state")
def apply_state(cloud: FakeCloud, request: Request) -> Any:
    """Take over the resources of a state, those first that others name."""
    values = request.body["values"]
    resources = values["root_module"]["resources"]
    project = values["outputs"]["github_variables"]["value"]["GCP_PROJECT_ID"]
    for kind, handler in HANDLERS.items():
        for part in resources:
            if part["type"] == kind:
                handler(cloud, part["values"], project)
    return {}


def add_api(cloud: FakeCloud, values: Values, project: str) -> None:
    cloud.resources["apis"][values["service"]] = True


def add_bucket(cloud: FakeCloud, values: Values, project: str) -> None:
    cloud.resources["buckets"][values["name"]] = {"kind": "storage#bucket", "id": values["name"], **values}


def add_repository(cloud: FakeCloud, values: Values, project: str) -> None:
    name = values["repository_id"]
    full = f"projects/{project}/locations/{values['location']}/repositories/{name}"
    cloud.resources["repositories"][name] = {"name": full, "format": values["format"]}


def add_account(cloud: FakeCloud, values: Values, project: str) -> None:
    email = values["email"]
    cloud.resources["accounts"][email] = {"name": f"projects/{project}/serviceAccounts/{email}", "email": email}


def add_secret(cloud: FakeCloud, values: Values, project: str) -> None:
    name = values["secret_id"]
    cloud.resources["secrets"].setdefault(name, {"name": f"projects/{project}/secrets/{name}", "values": []})


def add_role(cloud: FakeCloud, values: Values, project: str) -> None:
    cloud.resources["roles"][values["role_id"]] = {"name": f"projects/{project}/roles/{values['role_id']}"}


def add_provider(cloud: FakeCloud, values: Values, project: str) -> None:
    body = {"attributeCondition": values["attribute_condition"], "attributeMapping": values["attribute_mapping"]}
    cloud.resources["providers"][values["workload_identity_pool_provider_id"]] = body


def add_instance(cloud: FakeCloud, values: Values, project: str) -> None:
    body = {"kind": "sql#instance", "state": "RUNNABLE", "project": project, "name": values["name"]}
    (settings,) = values["settings"]
    body["settings"] = {"deletionProtectionEnabled": settings["deletion_protection_enabled"]}
    cloud.resources["instances"][values["name"]] = body


def add_user(cloud: FakeCloud, values: Values, project: str) -> None:
    cloud.resources["users"][values["name"]] = {"kind": "sql#user", "name": values["name"], "type": values["type"]}


def add_database(cloud: FakeCloud, values: Values, project: str) -> None:
    cloud.resources["databases"][values["name"]] = {}


def add_firebase(cloud: FakeCloud, values: Values, project: str) -> None:
    cloud.resources["firebase"][project] = True


def add_app(cloud: FakeCloud, values: Values, project: str) -> None:
    app = {"appId": values["app_id"], "projectId": project, "platform": "WEB", "displayName": values["display_name"]}
    cloud.resources["apps"][values["app_id"]] = {"name": f"projects/{project}/webApps/{values['app_id']}", **app}


def add_site(cloud: FakeCloud, values: Values, project: str) -> None:
    site = values["site_id"]
    cloud.resources["sites"][site] = {
        "name": f"projects/{project}/sites/{site}",
        "defaultUrl": f"https://{site}.web.app",
        "type": "DEFAULT_SITE",
    }
    cloud.resources["channels"].setdefault("live", {"retainedReleaseCount": 10})


def add_service(cloud: FakeCloud, values: Values, project: str) -> None:
    (template,) = values["template"]
    (container,) = template["containers"]
    spec = {"serviceAccountName": template["service_account"], "containers": [{"image": container["image"]}]}
    service: Values = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": values["name"], "namespace": project, "generation": 0, "resourceVersion": "1"},
        "spec": {"template": {"spec": spec}},
    }
    service["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    if values["name"] not in cloud.resources["services"]:
        apply_service(cloud, service)
        cloud.resources["services"][values["name"]] = service


def add_job(cloud: FakeCloud, values: Values, project: str) -> None:
    ((template,),) = ([inner for outer in values["template"] for inner in outer["template"]],)
    (container,) = template["containers"]
    spec = {"serviceAccountName": template["service_account"], "containers": [{"image": container["image"]}]}
    job: Values = {
        "apiVersion": "run.googleapis.com/v1",
        "kind": "Job",
        "metadata": {"name": values["name"], "namespace": project},
        "spec": {"template": {"spec": {"template": {"spec": spec}}}},
    }
    if values["name"] not in cloud.resources["jobs"]:
        cloud.resources["jobs"][values["name"]] = settle(cloud, job, 1)


def add_schedule(cloud: FakeCloud, values: Values, project: str) -> None:
    (target,) = values["http_target"]
    cloud.resources["schedules"][values["name"]] = {"uri": target["uri"], "schedule": values["schedule"]}


def add_member(policy: Callable[[Values], str]) -> Callable[[FakeCloud, Values, str], None]:
    """Return a handler that adds a member to the policy of this name."""

    def handler(cloud: FakeCloud, values: Values, project: str) -> None:
        found = cloud.read_policy(policy(values))
        binding = {"role": values["role"], "members": [values["member"]]}
        cloud.write_policy(policy(values), {**found, "bindings": [*found["bindings"], binding]})

    return handler


HANDLERS: dict[str, Callable[[FakeCloud, Values, str], None]] = {
    "google_project_service": add_api,
    "google_storage_bucket": add_bucket,
    "google_artifact_registry_repository": add_repository,
    "google_service_account": add_account,
    "google_secret_manager_secret": add_secret,
    "google_project_iam_custom_role": add_role,
    "google_iam_workload_identity_pool_provider": add_provider,
    "google_sql_database_instance": add_instance,
    "google_sql_user": add_user,
    "google_sql_database": add_database,
    "google_firebase_project": add_firebase,
    "google_firebase_web_app": add_app,
    "google_firebase_hosting_site": add_site,
    "google_cloud_run_v2_service": add_service,
    "google_cloud_run_v2_job": add_job,
    "google_cloud_scheduler_job": add_schedule,
    "google_cloud_run_v2_job_iam_member": add_member(lambda values: f"job {values['name']}"),
    "google_project_iam_member": add_member(lambda values: "project"),
    "google_storage_bucket_iam_member": add_member(lambda values: "bucket"),
    "google_artifact_registry_repository_iam_member": add_member(lambda values: "repository"),
    "google_secret_manager_secret_iam_member": add_member(lambda values: str(values["secret_id"])),
    "google_service_account_iam_member": add_member(
        lambda values: str(values["service_account_id"]).rpartition("/")[2]
    ),
    "google_cloud_run_v2_service_iam_member": add_member(lambda values: f"service {values['name']}"),
}
