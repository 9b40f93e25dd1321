"""`bootstrap` creates a complete project, is idempotent, and grants no more roles than required."""

import re

import pytest

from fake_cloud.requests import Fault
from harness import PRODUCTION, DeployHarness

ACCOUNTS = {
    name: f"serviceAccount:arcade-{name}@{PRODUCTION}.iam.gserviceaccount.com" for name in ("deploy", "run", "migrate")
}
# One call of each kind, in the order of the script.
STEPS = (
    "POST iam .*/serviceAccounts$",
    "POST storage /storage/v1/b$",
    ":addVersion",
    "POST sql .*/users",
    "/providers$",
    "PUT|POST run ",
)
LISTINGS = (
    "GET cloudresourcemanager /v1/projects$",
    "GET serviceusage",
    "GET iam .*/serviceAccounts$",
    "GET storage /storage/v1/b$",
    "GET artifactregistry .*/repositories$",
    "GET secretmanager .*/secrets$",
    "GET secretmanager .*/versions$",
    "GET sql .*/instances$",
    "GET sql .*/users$",
    "GET sql .*/databases$",
    "projects/arcade-prod:getIamPolicy",
    "GET run .*/services$",
    "GET firebase ",
)


@pytest.mark.real
@pytest.mark.parametrize("kind", ["production", "preview"])
def test_bootstrap_second_run_changes_nothing(harness: DeployHarness, kind: str) -> None:
    first = harness.bootstrap(kind)
    assert first.code == 0, first.output
    assert len(first.changes) > 20
    second = harness.bootstrap(kind)
    assert (second.code, second.changes) == (0, []), second.output


def test_bootstrap_dry_run_prints_commands_and_changes_nothing(harness: DeployHarness) -> None:
    shown = harness.bootstrap("production", "--dry-run")
    assert (shown.code, shown.changes) == (0, []), shown.output
    would = [line[2:] for line in shown.output.splitlines() if line.startswith("+ ")]
    did = harness.bootstrap("production")
    done = [line[2:] for line in did.output.splitlines() if line.startswith("+ ")]
    # The project number and temporary files are not known in advance.
    assert [bare(line) for line in would] == [bare(line) for line in done]
    assert "dry run" in shown.output
    assert "is ready for" not in shown.output
    assert "--env production --repo someone/arcade --body 0" not in shown.output


def test_bootstrap_dry_run_of_finished_project_prints_no_command(production: DeployHarness) -> None:
    shown = production.bootstrap("production", "--dry-run")
    assert (shown.code, shown.changes) == (0, [])
    assert "\n+ " not in shown.output


def test_bootstrap_after_failure_continues_and_creates_secrets_once(harness: DeployHarness) -> None:
    for step in STEPS:
        harness.cloud.faults = [Fault(step, times=5)]
        failed = harness.bootstrap("production")
        assert failed.code == 1, (step, failed.output)
    harness.cloud.faults = []
    assert harness.bootstrap("production").code == 0
    assert {len(secret["values"]) for secret in harness.cloud.resources["secrets"].values()} == {1}
    assert harness.bootstrap("production").changes == []


@pytest.mark.parametrize("listing", LISTINGS)
def test_bootstrap_failed_listing_changes_nothing(production: DeployHarness, listing: str) -> None:
    production.cloud.faults = [Fault(listing)]
    done = production.bootstrap("production")
    assert done.code == 1
    assert "error: " in done.output.splitlines()[-1]
    assert done.changes == []


def test_bootstrap_accounts_have_only_required_roles(production: DeployHarness) -> None:
    roles = production.cloud.roles
    assert roles("project") == {
        ("roles/cloudsql.client", ACCOUNTS["run"]),
        ("roles/cloudsql.instanceUser", ACCOUNTS["run"]),
        ("roles/cloudsql.client", ACCOUNTS["migrate"]),
        ("roles/firebasehosting.admin", ACCOUNTS["deploy"]),
        ("roles/run.developer", ACCOUNTS["deploy"]),
        ("roles/serviceusage.serviceUsageConsumer", ACCOUNTS["deploy"]),
    }
    assert roles("bucket") == {("roles/storage.objectUser", ACCOUNTS["run"])}
    assert roles("repository") == {("roles/artifactregistry.writer", ACCOUNTS["deploy"])}
    for name in ("arcade-auth-secret", "arcade-metrics-token"):
        assert roles(name) == {("roles/secretmanager.secretAccessor", ACCOUNTS["run"])}
    assert roles("arcade-database-owner") == {("roles/secretmanager.secretAccessor", ACCOUNTS["migrate"])}
    assert roles("service arcade") == {("roles/run.invoker", "allUsers")}
    for name in ("run", "migrate"):
        assert roles(ACCOUNTS[name].partition(":")[2]) == {("roles/iam.serviceAccountUser", ACCOUNTS["deploy"])}


def test_federation_condition_allows_only_this_repository_and_environment(
    production: DeployHarness, preview: DeployHarness
) -> None:
    (provider,) = production.cloud.resources["providers"].values()
    same = "assertion.repository_id == '42' && assertion.repository_owner_id == '7' && assertion.environment == "
    assert provider["attributeCondition"] in (
        f"{same}'production' && assertion.ref == 'refs/heads/main'",
        f"{same}'preview'",
    )
    pool = "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github"
    deployer = next(name for name in production.cloud.resources["accounts"] if name.startswith("arcade-deploy@"))
    assert production.cloud.roles(deployer) == {
        ("roles/iam.workloadIdentityUser", f"{pool}/attribute.repository_id/42")
    }


def test_federation_changed_condition_is_restored(production: DeployHarness) -> None:
    (provider,) = production.cloud.resources["providers"].values()
    wanted = provider["attributeCondition"]
    provider["attributeCondition"] = "assertion.repository_id == '42'"
    assert len(production.bootstrap("production").changes) == 1
    assert provider["attributeCondition"] == wanted


def test_bootstrap_secrets_are_not_printed(harness: DeployHarness) -> None:
    done = harness.bootstrap("production")
    values = [value for secret in harness.cloud.resources["secrets"].values() for value in secret["values"]]
    assert len(set(values)) == 3
    assert all(len(value) >= 32 and value not in done.output for value in values)
    assert harness.cloud.resources["users"]["arcade_owner"]["password"] in values


def test_bootstrap_accounts_have_no_keys_and_server_has_no_password(production: DeployHarness) -> None:
    assert not [call for call in production.cloud.calls if "/keys" in call.path]
    users = production.cloud.resources["users"]
    assert {name: "password" in user for name, user in users.items()} == {
        "arcade_owner": True,
        f"arcade-run@{PRODUCTION}.iam": False,
    }


def test_bootstrap_output_contains_github_variables(production: DeployHarness) -> None:
    said = production.bootstrap("production").output
    variables = dict(re.findall(r"gh variable set (\w+) --env production --repo someone/arcade --body (\S+)", said))
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
    ],
)
def test_bootstrap_wrong_option_reports_option(harness: DeployHarness, arguments: list[str], said: str) -> None:
    done = harness.run("bootstrap", *arguments)
    assert (done.code, done.changes) == (1, [])
    assert said in done.output


def bare(line: str) -> str:
    """Return a command without the parts that only a real run knows."""
    line = re.sub(r"/\S*/owner\.yaml", "owner.yaml", line)
    return re.sub(r"projects/\d+/", "projects/N/", line)
