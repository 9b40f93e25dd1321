"""gcloud where there is none: the commands that the scripts call, with the flags that gcloud has, and no other."""

import sys

from standin.acts import (
    POOLS,
    SECRETS,
    SQL,
    Act,
    access_version,
    add_version,
    binder,
    create_bucket,
    create_provider,
    create_role,
    create_user,
    fill,
    list_objects,
    lister,
    poster,
    reader,
    remove_objects,
    remover,
    update_provider,
)
from standin.flags import read_table
from standin.line import BadLine, Failure, call, need_credentials, print_answer, read_line
from standin.running import deploy_job, deploy_service, run_job, update_traffic

RUN = "/apis/serving.knative.dev/v1/namespaces"
JOBS = "/apis/run.googleapis.com/v1/namespaces"
REPOSITORIES = "/v1/projects/{project}/locations/{location}/repositories"
COMMANDS: dict[str, Act] = {
    "auth print-access-token": lambda line: print("token"),
    "projects list": lambda line: call("cloudresourcemanager", "GET", "/v1/projects", filter=line.value("filter"))[
        "projects"
    ],
    "projects create": lambda line: call("cloudresourcemanager", "POST", "/v1/projects", {"projectId": line.word()}),
    "projects describe": reader("cloudresourcemanager", "/v1/projects/{word}"),
    "projects get-iam-policy": lambda line: call(
        "cloudresourcemanager", "POST", f"/v1/projects/{line.word()}:getIamPolicy", {}
    ),
    "projects add-iam-policy-binding": binder("cloudresourcemanager", "POST", "/v1/projects/{word}"),
    "billing projects describe": reader("cloudbilling", "/v1/projects/{word}/billingInfo"),
    "billing projects link": lambda line: call(
        "cloudbilling",
        "PUT",
        f"/v1/projects/{line.word()}/billingInfo",
        {"billingAccountName": f"billingAccounts/{line.value('billing-account')}"},
    ),
    "services list": lister("serviceusage", "/v1/projects/{project}/services", "services"),
    "services enable": poster(
        "serviceusage", "/v1/projects/{project}/services:batchEnable", lambda line: {"serviceIds": line.words}
    ),
    "iam service-accounts list": lister("iam", "/v1/projects/{project}/serviceAccounts", "accounts"),
    "iam service-accounts create": poster(
        "iam",
        "/v1/projects/{project}/serviceAccounts",
        lambda line: {"accountId": line.word(), "serviceAccount": {"displayName": line.value("display-name")}},
    ),
    "iam service-accounts get-iam-policy": lambda line: call(
        "iam", "POST", fill("/v1/projects/{project}/serviceAccounts/{word}:getIamPolicy", line), {}
    ),
    "iam service-accounts add-iam-policy-binding": binder(
        "iam", "POST", "/v1/projects/{project}/serviceAccounts/{word}"
    ),
    "iam roles list": lister("iam", "/v1/projects/{project}/roles", "roles"),
    "iam roles create": create_role,
    "iam workload-identity-pools list": lister("iam", POOLS, "workloadIdentityPools"),
    "iam workload-identity-pools create": poster(
        "iam", POOLS, lambda line: {"displayName": line.value("display-name")}, workloadIdentityPoolId="word"
    ),
    "iam workload-identity-pools providers list": lister(
        "iam", POOLS + "/{workload_identity_pool}/providers", "workloadIdentityPoolProviders"
    ),
    "iam workload-identity-pools providers describe": reader(
        "iam", POOLS + "/{workload_identity_pool}/providers/{word}"
    ),
    "iam workload-identity-pools providers create-oidc": create_provider,
    "iam workload-identity-pools providers update-oidc": update_provider,
    "storage buckets list": lister("storage", "/storage/v1/b", "items"),
    "storage buckets create": create_bucket,
    "storage buckets get-iam-policy": reader("storage", "/storage/v1/b/{word}/iam"),
    "storage buckets add-iam-policy-binding": binder("storage", "PUT", "/storage/v1/b/{word}/iam"),
    "storage objects list": list_objects,
    "storage rm": remove_objects,
    "artifacts repositories list": lister("artifactregistry", REPOSITORIES, "repositories"),
    "artifacts repositories describe": reader("artifactregistry", REPOSITORIES + "/{word}"),
    "artifacts repositories create": poster(
        "artifactregistry", REPOSITORIES, lambda line: {"format": "DOCKER"}, repositoryId="word"
    ),
    "artifacts repositories set-cleanup-policies": lambda line: call(
        "artifactregistry", "PATCH", fill(REPOSITORIES + "/{word}", line), {"cleanupPolicies": {"set": {}}}
    ),
    "artifacts repositories get-iam-policy": reader("artifactregistry", REPOSITORIES + "/{word}:getIamPolicy"),
    "artifacts repositories add-iam-policy-binding": binder("artifactregistry", "GET", REPOSITORIES + "/{word}"),
    "artifacts packages list": lister("artifactregistry", REPOSITORIES + "/{repository}/packages", "packages"),
    "artifacts packages delete": remover("artifactregistry", REPOSITORIES + "/{repository}/packages/{word}"),
    "secrets list": lister("secretmanager", SECRETS, "secrets"),
    "secrets create": poster(
        "secretmanager", SECRETS, lambda line: {"replication": {"automatic": {}}}, secretId="word"
    ),
    "secrets get-iam-policy": reader("secretmanager", SECRETS + "/{word}:getIamPolicy"),
    "secrets add-iam-policy-binding": binder("secretmanager", "GET", SECRETS + "/{word}"),
    "secrets versions list": lister("secretmanager", SECRETS + "/{word}/versions", "versions"),
    "secrets versions add": add_version,
    "secrets versions access": access_version,
    "sql instances list": lister("sql", SQL + "/instances", "items"),
    "sql instances create": poster(
        "sql", SQL + "/instances", lambda line: {"name": line.word(), "settings": {"tier": line.value("tier")}}
    ),
    "sql operations list": lambda line: [],
    "sql operations wait": lambda line: None,
    "sql users list": lister("sql", SQL + "/instances/{instance}/users", "items"),
    "sql users create": create_user,
    "sql databases list": lister("sql", SQL + "/instances/{instance}/databases", "items"),
    "sql databases create": poster("sql", SQL + "/instances/{instance}/databases", lambda line: {"name": line.word()}),
    "sql databases delete": remover("sql", SQL + "/instances/{instance}/databases/{word}"),
    "run services list": lister("run", RUN + "/{project}/services", "items"),
    "run services describe": reader("run", RUN + "/{project}/services/{word}"),
    "run services delete": remover("run", RUN + "/{project}/services/{word}"),
    "run services get-iam-policy": reader(
        "run", "/v1/projects/{project}/locations/{region}/services/{word}:getIamPolicy"
    ),
    "run services add-iam-policy-binding": binder(
        "run", "GET", "/v1/projects/{project}/locations/{region}/services/{word}"
    ),
    "run services update-traffic": update_traffic,
    "run revisions describe": reader("run", RUN + "/{project}/revisions/{word}"),
    "run deploy": deploy_service,
    "run jobs list": lister("run", JOBS + "/{project}/jobs", "items"),
    "run jobs delete": remover("run", JOBS + "/{project}/jobs/{word}"),
    "run jobs deploy": deploy_job,
    "run jobs execute": run_job,
}


def main() -> int:
    """Run one command; 2 for a line that gcloud would not take, 1 for one that failed."""
    try:
        command, line = read_line(sys.argv[1:], read_table())
        need_credentials("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", "You do not currently have an active account selected.")
        print_answer(COMMANDS[command](line), line)
    except (BadLine, Failure) as error:
        print(f"ERROR: (gcloud) {error}", file=sys.stderr)
        return 2 if isinstance(error, BadLine) else 1
    return 0
