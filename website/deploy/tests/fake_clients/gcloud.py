"""A fake gcloud with only the commands and flags that the scripts use."""

import sys

from fake_clients.cloud_run import deploy_job, deploy_service, run_job
from fake_clients.command_line import (
    CommandError,
    UsageError,
    call,
    parse_command_line,
    print_result,
    require_credentials,
)
from fake_clients.flags import read_table
from fake_clients.operations import (
    POOLS,
    SECRETS,
    SQL,
    Operation,
    access_version,
    add_version,
    bind_operation,
    create_bucket,
    create_operation,
    create_provider,
    create_role,
    create_user,
    delete_operation,
    describe_bucket,
    describe_operation,
    fill,
    list_objects,
    list_operation,
    remove_objects,
    update_provider,
)

RUN = "/apis/serving.knative.dev/v1/namespaces"
JOBS = "/apis/run.googleapis.com/v1/namespaces"
REPOSITORIES = "/v1/projects/{project}/locations/{location}/repositories"
COMMANDS: dict[str, Operation] = {
    "auth print-access-token": lambda line: print("token"),
    "projects list": lambda line: call("cloudresourcemanager", "GET", "/v1/projects", filter=line.value("filter"))[
        "projects"
    ],
    "projects create": lambda line: call("cloudresourcemanager", "POST", "/v1/projects", {"projectId": line.word()}),
    "projects describe": describe_operation("cloudresourcemanager", "/v1/projects/{word}"),
    "projects get-iam-policy": lambda line: call(
        "cloudresourcemanager", "POST", f"/v1/projects/{line.word()}:getIamPolicy", {}
    ),
    "projects add-iam-policy-binding": bind_operation("cloudresourcemanager", "POST", "/v1/projects/{word}"),
    "billing projects describe": describe_operation("cloudbilling", "/v1/projects/{word}/billingInfo"),
    "billing projects link": lambda line: call(
        "cloudbilling",
        "PUT",
        f"/v1/projects/{line.word()}/billingInfo",
        {"billingAccountName": f"billingAccounts/{line.value('billing-account')}"},
    ),
    "services list": list_operation("serviceusage", "/v1/projects/{project}/services", "services"),
    "services enable": create_operation(
        "serviceusage", "/v1/projects/{project}/services:batchEnable", lambda line: {"serviceIds": line.words}
    ),
    "iam service-accounts list": list_operation("iam", "/v1/projects/{project}/serviceAccounts", "accounts"),
    "iam service-accounts create": create_operation(
        "iam",
        "/v1/projects/{project}/serviceAccounts",
        lambda line: {"accountId": line.word(), "serviceAccount": {"displayName": line.value("display-name")}},
    ),
    "iam service-accounts get-iam-policy": lambda line: call(
        "iam", "POST", fill("/v1/projects/{project}/serviceAccounts/{word}:getIamPolicy", line), {}
    ),
    "iam service-accounts add-iam-policy-binding": bind_operation(
        "iam", "POST", "/v1/projects/{project}/serviceAccounts/{word}"
    ),
    "iam roles list": list_operation("iam", "/v1/projects/{project}/roles", "roles"),
    "iam roles create": create_role,
    "iam workload-identity-pools list": list_operation("iam", POOLS, "workloadIdentityPools"),
    "iam workload-identity-pools create": create_operation(
        "iam", POOLS, lambda line: {"displayName": line.value("display-name")}, workloadIdentityPoolId="word"
    ),
    "iam workload-identity-pools providers list": list_operation(
        "iam", POOLS + "/{workload_identity_pool}/providers", "workloadIdentityPoolProviders"
    ),
    "iam workload-identity-pools providers describe": describe_operation(
        "iam", POOLS + "/{workload_identity_pool}/providers/{word}"
    ),
    "iam workload-identity-pools providers create-oidc": create_provider,
    "iam workload-identity-pools providers update-oidc": update_provider,
    "storage buckets list": list_operation("storage", "/storage/v1/b", "items"),
    "storage buckets create": create_bucket,
    "storage buckets describe": describe_bucket,
    "storage buckets update": lambda line: call(
        "storage", "PATCH", fill("/storage/v1/b/{word}", line), {"versioning": {"enabled": True}}
    ),
    "storage buckets get-iam-policy": describe_operation("storage", "/storage/v1/b/{word}/iam"),
    "storage buckets add-iam-policy-binding": bind_operation("storage", "PUT", "/storage/v1/b/{word}/iam"),
    "storage objects list": list_objects,
    "storage rm": remove_objects,
    "artifacts repositories list": list_operation("artifactregistry", REPOSITORIES, "repositories"),
    "artifacts repositories describe": describe_operation("artifactregistry", REPOSITORIES + "/{word}"),
    "artifacts repositories create": create_operation(
        "artifactregistry", REPOSITORIES, lambda line: {"format": "DOCKER"}, repositoryId="word"
    ),
    "artifacts repositories set-cleanup-policies": lambda line: call(
        "artifactregistry", "PATCH", fill(REPOSITORIES + "/{word}", line), {"cleanupPolicies": {"set": {}}}
    ),
    "artifacts repositories get-iam-policy": describe_operation(
        "artifactregistry", REPOSITORIES + "/{word}:getIamPolicy"
    ),
    "artifacts repositories add-iam-policy-binding": bind_operation(
        "artifactregistry", "GET", REPOSITORIES + "/{word}"
    ),
    "artifacts packages list": list_operation("artifactregistry", REPOSITORIES + "/{repository}/packages", "packages"),
    "artifacts packages delete": delete_operation("artifactregistry", REPOSITORIES + "/{repository}/packages/{word}"),
    "secrets list": list_operation("secretmanager", SECRETS, "secrets"),
    "secrets create": create_operation(
        "secretmanager", SECRETS, lambda line: {"replication": {"automatic": {}}}, secretId="word"
    ),
    "secrets get-iam-policy": describe_operation("secretmanager", SECRETS + "/{word}:getIamPolicy"),
    "secrets add-iam-policy-binding": bind_operation("secretmanager", "GET", SECRETS + "/{word}"),
    "secrets versions list": list_operation("secretmanager", SECRETS + "/{word}/versions", "versions"),
    "secrets versions add": add_version,
    "secrets versions access": access_version,
    "sql instances list": list_operation("sql", SQL + "/instances", "items"),
    "sql instances create": create_operation(
        "sql", SQL + "/instances", lambda line: {"name": line.word(), "settings": {"tier": line.value("tier")}}
    ),
    "sql operations list": lambda line: [],
    "sql operations wait": lambda line: None,
    "sql users list": list_operation("sql", SQL + "/instances/{instance}/users", "items"),
    "sql users create": create_user,
    "sql databases list": list_operation("sql", SQL + "/instances/{instance}/databases", "items"),
    "sql databases create": create_operation(
        "sql", SQL + "/instances/{instance}/databases", lambda line: {"name": line.word()}
    ),
    "sql databases delete": delete_operation("sql", SQL + "/instances/{instance}/databases/{word}"),
    "run services list": list_operation("run", RUN + "/{project}/services", "items"),
    "run services describe": describe_operation("run", RUN + "/{project}/services/{word}"),
    "run services delete": delete_operation("run", RUN + "/{project}/services/{word}"),
    "run services get-iam-policy": describe_operation(
        "run", "/v1/projects/{project}/locations/{region}/services/{word}:getIamPolicy"
    ),
    "run services add-iam-policy-binding": bind_operation(
        "run", "GET", "/v1/projects/{project}/locations/{region}/services/{word}"
    ),
    "run deploy": deploy_service,
    "run jobs list": list_operation("run", JOBS + "/{project}/jobs", "items"),
    "run jobs delete": delete_operation("run", JOBS + "/{project}/jobs/{word}"),
    "run jobs deploy": deploy_job,
    "run jobs execute": run_job,
}


def main() -> int:
    """Run a command. Returns 2 if gcloud would reject the command line, and 1 if the command fails."""
    try:
        command, line = parse_command_line(sys.argv[1:], read_table())
        require_credentials("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "You do not currently have an active account selected.")
        print_result(COMMANDS[command](line), line)
    except (UsageError, CommandError) as error:
        print(f"ERROR: (gcloud) {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0
