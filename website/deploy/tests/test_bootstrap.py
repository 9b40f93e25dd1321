"""`bootstrap` creates a complete project, is idempotent, and keeps secrets out of arguments, output and state."""

import re

import pytest

from fake_cloud.requests import Fault
from harness import PRODUCTION, DeployHarness

ACCOUNTS = {
    name: f"serviceAccount:arcade-{name}@{PRODUCTION}.iam.gserviceaccount.com"
    for name in ("deploy", "run", "migrate", "drill")
}
# One call of each kind, in the order of the script.
STEPS = ("POST storage /storage/v1/b$", "PATCH storage", "terraform /state", ":addVersion", "POST sql .*/users")
LISTINGS = (
    "GET cloudresourcemanager /v1/projects$",
    "GET cloudbilling",
    "GET serviceusage",
    "GET storage /storage/v1/b$",
    "GET secretmanager .*/versions$",
    "GET sql .*/users$",
)


@pytest.mark.parametrize("kind", ["production", "preview"])
def test_bootstrap_second_run_changes_nothing(harness: DeployHarness, kind: str) -> None:
    first = harness.bootstrap(kind)
    assert first.code == 0, first.output
    second = harness.bootstrap(kind)
    assert (second.code, second.changes) == (0, []), second.output


def test_bootstrap_reads_options_from_the_committed_file(harness: DeployHarness) -> None:
    assert harness.bootstrap("production", "--researchers", "readers@example.org").code == 0
    file = harness.root / "website" / "deploy" / "infrastructure" / f"{PRODUCTION}.tfvars"
    file.write_text(f"{file.read_text()}log_retention_days = 7\n")
    done = harness.run("bootstrap", "production", "--project", PRODUCTION)
    assert (done.code, done.changes) == (0, ["POST terraform /state"]), done.output
    assert "log_retention_days = 7\n" in file.read_text()
    assert "1 changed" in done.output
    assert "--body 'readers@example.org'" in done.output


def test_bootstrap_changed_option_changes_only_that(harness: DeployHarness) -> None:
    assert harness.bootstrap("production").code == 0
    done = harness.bootstrap("production", "--size", "small")
    assert done.code == 0, done.output
    assert "SQL_MAX_CONNECTIONS --env production --repo someone/arcade --body '100'" in done.output
    assert re.search(r"Resources: 0 added, [1-9]\d* changed, 0 destroyed", done.output), done.output


def test_bootstrap_dry_run_changes_nothing_and_plans(harness: DeployHarness) -> None:
    harness.cloud.resources["projects"][PRODUCTION] = {"projectId": PRODUCTION, "projectNumber": "123456789012"}
    harness.cloud.resources["buckets"][f"{PRODUCTION}-terraform"] = {"name": f"{PRODUCTION}-terraform"}
    shown = harness.bootstrap("production", "--dry-run")
    assert (shown.code, shown.changes) == (0, []), shown.output
    assert re.search(r"Plan: \d\d+ to add, 0 to change, 0 to destroy", shown.output)
    assert "+ gcloud services enable" in shown.output
    assert "is ready for" not in shown.output


def test_bootstrap_after_failure_continues_and_creates_secrets_once(harness: DeployHarness) -> None:
    for step in STEPS:
        harness.cloud.faults = [Fault(step, times=5)]
        failed = harness.bootstrap("production")
        assert failed.code == 1, (step, failed.output)
    harness.cloud.faults = []
    # The state was written although the fake cloud was not told.
    (harness.root / "website" / "deploy" / "infrastructure" / "terraform.tfstate").unlink()
    assert harness.bootstrap("production").code == 0
    assert {len(secret["values"]) for secret in harness.cloud.resources["secrets"].values()} == {1}
    assert harness.bootstrap("production").changes == []


def test_bootstrap_failed_listing_changes_nothing(harness: DeployHarness) -> None:
    assert harness.bootstrap("production").code == 0
    for listing in LISTINGS:
        harness.cloud.faults = [Fault(listing)]
        done = harness.bootstrap("production")
        assert done.code == 1, listing
        assert "error: " in done.output.splitlines()[-1]
        assert done.changes == []


def test_bootstrap_listing_refused_for_a_moment_is_retried(harness: DeployHarness) -> None:
    harness.cloud.faults = [Fault("GET storage /storage/v1/b$", times=3)]
    assert harness.bootstrap("production").code == 0


def test_bootstrap_service_is_public_and_accounts_act_for_the_deployer_only(production: DeployHarness) -> None:
    roles = production.cloud.roles
    assert roles("service arcade") == {("roles/run.invoker", "allUsers")}
    assert roles("bucket") == {("roles/storage.objectUser", ACCOUNTS["run"])}
    assert roles("repository") == {("roles/artifactregistry.writer", ACCOUNTS["deploy"])}
    for name in ("arcade-auth-secret", "arcade-metrics-token"):
        assert roles(name) == {("roles/secretmanager.secretAccessor", ACCOUNTS["run"])}
    assert roles("arcade-database-owner") == {("roles/secretmanager.secretAccessor", ACCOUNTS["migrate"])}
    # The drill runs its check as the server, which may read the clone and the recordings.
    for name, acting in {"run": ("deploy", "drill"), "migrate": ("deploy",)}.items():
        assert roles(ACCOUNTS[name].partition(":")[2]) == {
            ("roles/iam.serviceAccountUser", ACCOUNTS[other]) for other in acting
        }
    pool = "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github"
    assert roles(ACCOUNTS["deploy"].partition(":")[2]) == {
        ("roles/iam.workloadIdentityUser", f"{pool}/attribute.repository_id/42")
    }


def test_bootstrap_secrets_are_in_no_output_and_no_state(harness: DeployHarness) -> None:
    done = harness.bootstrap("production")
    values = [value for secret in harness.cloud.resources["secrets"].values() for value in secret["values"]]
    state = (harness.root / "website" / "deploy" / "infrastructure" / "terraform.tfstate").read_text()
    assert len(set(values)) == 3
    assert all(len(value) >= 32 and value not in done.output and value not in state for value in values)
    assert harness.cloud.resources["users"]["arcade_owner"]["password"] in values


def test_bootstrap_accounts_have_no_keys_and_server_has_no_password(production: DeployHarness) -> None:
    assert not [call for call in production.cloud.calls if "/keys" in call.path]
    users = production.cloud.resources["users"]
    assert {name: "password" in user for name, user in users.items()} == {
        "arcade_owner": True,
        f"arcade-run@{PRODUCTION}.iam": False,
    }


def test_bootstrap_output_contains_github_variables(harness: DeployHarness) -> None:
    said = harness.bootstrap("production").output
    variables = dict(re.findall(r"gh variable set (\w+) --env production --repo someone/arcade --body '(\S+)'", said))
    assert variables["GCP_PROJECT_ID"] == PRODUCTION
    assert variables["GCP_SERVICE_ACCOUNT"] == ACCOUNTS["deploy"].partition(":")[2]
    assert variables["GCP_WORKLOAD_IDENTITY_PROVIDER"].endswith("/workloadIdentityPools/github/providers/github")
    assert variables["FIREBASE_API_KEY"] == "AIza-web"
    assert "gh secret" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["staging"], "production or preview"),
        (["production", "--project", "X"], "--project"),
        (["production", "--nonsense", "1"], "--nonsense"),
        (["production", "--project"], "--project requires a value"),
        (["production", "--project", "arcade-prod"], "--repository is required"),
        (
            [
                "production",
                "--project",
                "arcade-prod",
                "--repository",
                'a/b"x',
                "--repository-id",
                "1",
                "--owner-id",
                "1",
            ],
            "character",
        ),
    ],
)
def test_bootstrap_wrong_option_reports_option(harness: DeployHarness, arguments: list[str], said: str) -> None:
    done = harness.run("bootstrap", *arguments)
    assert (done.code, done.changes) == (1, [])
    assert said in done.output
