"""The infrastructure, by the real Terraform with the real schema of Google's providers: format, names, types, plans."""

import re
from pathlib import Path

import pytest

from harness import DEPLOY
from terraform.toolbox import INFRASTRUCTURE, Plan, Terraform


@pytest.fixture
def terraform(tmp_path: Path, providers: str) -> Terraform:
    """A copy of the configuration."""
    return Terraform(tmp_path, providers)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory, providers: str) -> dict[str, Plan]:
    """What Terraform would create for production and for previews."""
    terraform = Terraform(tmp_path_factory.mktemp("plans"), providers)
    return {kind: terraform.plan(kind) for kind in ("production", "preview")}


def test_infrastructure_is_formatted(terraform: Terraform) -> None:
    done = terraform.run("fmt", "-check", "-diff", "-recursive")
    assert done.code == 0, done.output


def test_infrastructure_fits_the_providers_schema(terraform: Terraform) -> None:
    done = terraform.run("validate", "-no-color")
    assert done.code == 0, done.output


MISTAKES = {
    "misspelt argument": ("database.tf", "availability_type ", "availabilty_type ", "Unsupported argument"),
    "misspelt block": ("storage.tf", "soft_delete_policy {", "soft_deletion_policy {", "Unsupported block type"),
    "missing argument": ("storage.tf", "location                    = var.region", "", "Missing required argument"),
    "wrong type": (
        "database.tf",
        "disk_autoresize       = true",
        'disk_autoresize = ["x"]',
        "Incorrect attribute value",
    ),
    "misspelt resource": ("storage.tf", '"google_storage_bucket"', '"google_storage_buckets"', "Invalid resource type"),
    "misspelt reference": (
        "identity.tf",
        "google_storage_bucket.recordings.name",
        "google_storage_bucket.recording.name",
        "undeclared",
    ),
    "misspelt value of a resource": ("outputs.tf", "page.site_id", "page.site", "Unsupported attribute"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_infrastructure_with_planted_mistake_is_rejected(terraform: Terraform, mistake: str) -> None:
    name, right, wrong, message = MISTAKES[mistake]
    file = terraform.folder / name
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong))
    done = terraform.run("validate", "-no-color")
    assert done.code == 1
    assert message in done.output, done.output


def test_infrastructure_tests_pass(terraform: Terraform) -> None:
    done = terraform.run("test", "-no-color")
    assert done.code == 0, done.output
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", done.output), done.output


def test_infrastructure_test_of_weaker_condition_fails(terraform: Terraform) -> None:
    file = terraform.folder / "identity.tf"
    file.write_text(file.read_text().replace("""["assertion.ref == 'refs/heads/main'"]""", "[]"))
    done = terraform.run("test", "-no-color", "-filter=tests/production.tftest.hcl")
    assert done.code == 1
    assert "another repository, environment or branch" in done.output


@pytest.mark.parametrize("kind", ["production", "preview"])
def test_infrastructure_adopts_old_installation(terraform: Terraform, kind: str) -> None:
    """Everything that existed before Terraform is imported, except what creating again does not change."""
    plan = terraform.plan(kind)
    (terraform.folder / "adopt.tf").write_text((INFRASTRUCTURE / "adopt" / f"{kind}.tf").read_text())
    imported = set(re.findall(r"(\S+): (?:Preparing import|Refreshing state)", terraform.plan_output(kind)))
    harmless = re.compile(
        "_iam_member$|^google_project_service$|^google_(logging|monitoring|billing|cloud_scheduler|cloud_run_v2_job)"
    )
    # The web app has a random ID, which only its owner can look up, and the site may be a different one.
    later = {"google_firebase_web_app", "google_firebase_hosting_site"}
    owned = {
        str(part["address"])
        for part in plan.resources
        if part["mode"] == "managed" and not harmless.search(str(part["type"]))
    }
    owned = {address for address in owned if address.partition(".")[0] not in later}
    newer = {'google_service_account.account["drill"]', "google_sql_user.researchers[0]"}
    newer |= {f'google_project_iam_custom_role.drill["{name}"]' for name in ("Clones", "Removes")}
    newer |= {"google_project_iam_custom_role.accounts[0]"}
    assert {address for address in owned if address not in imported} <= newer


def roles(plan: Plan, kind: str) -> set[tuple[str, str]]:
    """Return role and member of each binding on a kind of resource, members by their resource."""
    return {(str(values["role"]), address.partition(".")[2]) for address, values in plan.of_type(kind).items()}


def test_accounts_have_only_required_roles(plans: dict[str, Plan]) -> None:
    project = {(role, name) for role, name in roles(plans["production"], "google_project_iam_member")}
    assert project == {
        ("roles/cloudsql.client", 'role["run cloudsql.client"]'),
        ("roles/cloudsql.instanceUser", 'role["run cloudsql.instanceUser"]'),
        ("roles/monitoring.metricWriter", 'role["run metricWriter"]'),
        ("projects/arcade-production/roles/arcadeAccounts", 'role["run accounts"]'),
        ("roles/cloudsql.client", 'role["migrate cloudsql.client"]'),
        ("roles/firebasehosting.admin", 'role["deploy firebasehosting"]'),
        ("roles/run.developer", 'role["deploy run"]'),
        ("roles/monitoring.viewer", 'role["deploy monitoring"]'),
        ("roles/serviceusage.serviceUsageConsumer", 'role["deploy serviceUsageConsumer"]'),
        ("roles/cloudsql.client", 'role["researchers cloudsql.client"]'),
        ("roles/cloudsql.instanceUser", 'role["researchers cloudsql.instanceUser"]'),
        ("roles/run.developer", "drill_runs[0]"),
        ("projects/arcade-production/roles/arcadeDrillClones", "drill_clones[0]"),
        ("projects/arcade-production/roles/arcadeDrillRemoves", "drill_removes[0]"),
    }
    members = plans["production"].of_type("google_project_iam_member")
    condition = str(members["google_project_iam_member.drill_removes[0]"]["condition"])
    assert "resource.name.startsWith('projects/arcade-production/instances/arcade-drill-')" in condition
    assert roles(plans["production"], "google_storage_bucket_iam_member") == {
        ("roles/storage.objectUser", 'recordings["run"]'),
        ("roles/storage.objectViewer", "researchers[0]"),
    }


def test_plan_has_no_key_or_a_value_of_a_secret(plans: dict[str, Plan]) -> None:
    for plan in plans.values():
        types = {str(part["type"]) for part in plan.resources}
        assert types.isdisjoint({"google_service_account_key", "google_secret_manager_secret_version"})
        assert {values.get("password") for values in plan.of_type("google_sql_user").values()} == {None}


def test_plan_drops_log_entries_with_a_ticket(plans: dict[str, Plan]) -> None:
    """The address of a download has its ticket, and that of an older page's WebSocket too."""
    for plan in plans.values():
        exclusion = plan.of_type("google_logging_project_exclusion")["google_logging_project_exclusion.tickets"]
        log, pattern = re.findall(r'"([^"]+)"', str(exclusion["filter"]))
        assert log == "run.googleapis.com/requests"
        for address in ("/me/exports/1/zip?ticket=x", "/ws/pong?a=1&token=x"):
            assert re.search(pattern, f"https://arcade.run.app{address}")
        assert not re.search(pattern, "https://arcade.run.app/me/episodes?limit=20")


def test_every_enabled_api_is_known_to_the_scripts(plans: dict[str, Plan]) -> None:
    first = re.findall(r"(\w+)\.googleapis\.com", (DEPLOY / "lib" / "bootstrap" / "project.sh").read_text())
    apis = {
        str(values["service"]).partition(".")[0]
        for values in plans["production"].of_type("google_project_service").values()
    }
    assert set(first) <= apis


def test_repository_ignores_what_terraform_leaves() -> None:
    ignored = (DEPLOY.parents[1] / ".gitignore").read_text().splitlines()
    assert {".terraform/", "*.tfstate", "*.tfstate.*", "website/deploy/infrastructure/adopt.tf"} <= set(ignored)
