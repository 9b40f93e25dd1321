"""`bootstrap`: from nothing to ready, once, with no right too many."""

import re

import pytest

from fake.wire import Fault
from stage import PRODUCTION, Stage

ACCOUNTS = {
    name: f"serviceAccount:arcade-{name}@{PRODUCTION}.iam.gserviceaccount.com" for name in ("deploy", "run", "migrate")
}
# One of each kind of call, in the order in which they come.
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
def test_a_second_run_changes_nothing(stage: Stage, kind: str) -> None:
    first = stage.bootstrap(kind)
    assert first.code == 0, first.output
    assert len(first.changes) > 20
    second = stage.bootstrap(kind)
    assert (second.code, second.changes) == (0, []), second.output


def test_a_dry_run_shows_all_and_does_nothing(stage: Stage) -> None:
    shown = stage.bootstrap("production", "--dry-run")
    assert (shown.code, shown.changes) == (0, []), shown.output
    would = [line[2:] for line in shown.output.splitlines() if line.startswith("+ ")]
    did = stage.bootstrap("production")
    done = [line[2:] for line in did.output.splitlines() if line.startswith("+ ")]
    # The project's number and files of the moment are not known before.
    assert [bare(line) for line in would] == [bare(line) for line in done]
    assert "This was a dry run: nothing was changed." in shown.output
    assert "is ready for" not in shown.output
    assert "--env production --repo someone/arcade --body 0" not in shown.output


def test_a_dry_run_of_what_is_ready_shows_nothing(production: Stage) -> None:
    shown = production.bootstrap("production", "--dry-run")
    assert (shown.code, shown.changes) == (0, [])
    assert "\n+ " not in shown.output


def test_it_goes_on_where_it_failed(stage: Stage) -> None:
    for step in STEPS:
        stage.cloud.faults = [Fault(step, times=5)]
        failed = stage.bootstrap("production")
        assert failed.code == 1, (step, failed.output)
    stage.cloud.faults = []
    assert stage.bootstrap("production").code == 0
    assert {len(secret["values"]) for secret in stage.cloud.things["secrets"].values()} == {1}
    assert stage.bootstrap("production").changes == []


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_listing_that_fails_ends_it_before_anything_is_made(production: Stage, listing: str) -> None:
    production.cloud.faults = [Fault(listing)]
    done = production.bootstrap("production")
    assert done.code == 1
    assert "error: " in done.output.splitlines()[-1]
    assert done.changes == []


def test_each_account_may_do_what_it_must_and_no_more(production: Stage) -> None:
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


def test_only_this_repository_s_environment_becomes_the_deployer(production: Stage, preview: Stage) -> None:
    (provider,) = production.cloud.things["providers"].values()
    same = "assertion.repository_id == '42' && assertion.repository_owner_id == '7' && assertion.environment == "
    assert provider["attributeCondition"] in (
        f"{same}'production' && assertion.ref == 'refs/heads/main'",
        f"{same}'preview'",
    )
    pool = "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github"
    deployer = next(name for name in production.cloud.things["accounts"] if name.startswith("arcade-deploy@"))
    assert production.cloud.roles(deployer) == {
        ("roles/iam.workloadIdentityUser", f"{pool}/attribute.repository_id/42")
    }


def test_a_condition_that_somebody_loosened_is_put_right(production: Stage) -> None:
    (provider,) = production.cloud.things["providers"].values()
    wanted = provider["attributeCondition"]
    provider["attributeCondition"] = "assertion.repository_id == '42'"
    assert len(production.bootstrap("production").changes) == 1
    assert provider["attributeCondition"] == wanted


def test_no_secret_is_shown_or_made_anew(stage: Stage) -> None:
    done = stage.bootstrap("production")
    values = [value for secret in stage.cloud.things["secrets"].values() for value in secret["values"]]
    assert len(set(values)) == 3
    assert all(len(value) >= 32 and value not in done.output for value in values)
    assert stage.cloud.things["users"]["arcade_owner"]["password"] in values


def test_no_account_has_a_key_and_no_user_of_the_app_a_password(production: Stage) -> None:
    assert not [call for call in production.cloud.calls if "/keys" in call.path]
    users = production.cloud.things["users"]
    assert {name: "password" in user for name, user in users.items()} == {
        "arcade_owner": True,
        f"arcade-run@{PRODUCTION}.iam": False,
    }


def test_it_prints_what_github_must_know(production: Stage) -> None:
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
        (["staging"], "first comes production or preview"),
        (["production", "--project", "X"], "--project must be a project's id"),
        (["production", "--nonsense", "1"], "--nonsense is no option"),
        (["production", "--project"], "--project needs a value"),
    ],
)
def test_a_wrong_line_is_refused_in_a_sentence(stage: Stage, arguments: list[str], said: str) -> None:
    done = stage.run("bootstrap", *arguments)
    assert (done.code, done.changes) == (1, [])
    assert said in done.output


def bare(line: str) -> str:
    """A command without what only a real run can know."""
    line = re.sub(r"/\S*/owner\.yaml", "owner.yaml", line)
    return re.sub(r"projects/\d+/", "projects/N/", line)
