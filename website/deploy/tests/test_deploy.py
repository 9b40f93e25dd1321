"""`deploy` releases only what changed, in an order that allows a rollback, and rolls back after a failure."""

import json
import re
from typing import Any

import pytest

from fake_cloud.hosting import read_config
from fake_cloud.requests import Fault
from harness import PRODUCTION, DeployHarness

HELLO = "arcade-00001-abc"
API = "https://arcade-123456789012.europe-west1.run.app"
CANDIDATE = "https://candidate---arcade-123456789012.europe-west1.run.app"


def traffic(harness: DeployHarness) -> dict[str, int]:
    """Return the traffic share of each revision."""
    entries = harness.cloud.resources["services"]["arcade"]["status"]["traffic"]
    return {entry["revisionName"]: entry["percent"] for entry in entries if entry.get("percent")}


def tags(harness: DeployHarness) -> dict[str, str]:
    """Return the revision of each tag."""
    entries = harness.cloud.resources["services"]["arcade"]["status"]["traffic"]
    return {entry["tag"]: entry["revisionName"] for entry in entries if entry.get("tag")}


def newest(harness: DeployHarness) -> dict[str, Any]:
    """Return the newest revision of the service."""
    revision: dict[str, Any] = list(harness.cloud.resources["revisions"].values())[-1]
    return revision


def parts(changes: list[str]) -> list[str]:
    """Return the parts of the cloud that were changed, in order, without repetitions."""
    named = [
        "push"
        if "/push/" in line
        else "migrate"
        if "/jobs" in line
        else "page"
        if "firebasehosting" in line
        else line.split()[1]
        for line in changes
    ]
    return [part for part, before in zip(named, ["", *named], strict=False) if part != before]


@pytest.mark.real
def test_deploy_release_runs_steps_in_order(production: DeployHarness) -> None:
    done = production.deploy()
    assert done.code == 0, done.output
    assert parts(done.changes) == ["push", "migrate", "run", "page"], "\n".join(done.changes)
    smoke_tests = production.cloud.behaviours["smoke_tests"]
    assert smoke_tests == [CANDIDATE, API, f"{API} --page {production.page_url}"]
    name = newest(production)["metadata"]["name"]
    assert traffic(production) == {name: 100}
    assert tags(production) == {"candidate": name, "previous": HELLO}
    assert read_config(production.cloud, "live")["apiUrl"] == API


@pytest.mark.real
def test_deploy_service_has_configured_settings(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    revision = newest(production)
    spec, annotations = revision["spec"], revision["metadata"]["annotations"]
    container = spec["containers"][0]
    plain = {item["name"]: item["value"] for item in container["env"] if "value" in item}
    secret = {item["name"]: item["valueFrom"]["secretKeyRef"] for item in container["env"] if "valueFrom" in item}
    assert container["image"].startswith(f"europe-west1-docker.pkg.dev/{PRODUCTION}/arcade/server@sha256:")
    assert spec["serviceAccountName"] == f"arcade-run@{PRODUCTION}.iam.gserviceaccount.com"
    assert (spec["timeoutSeconds"], spec["containerConcurrency"]) == (3600, int(plain["MAX_GAMES"]))
    assert annotations["run.googleapis.com/sessionAffinity"] == "true"
    assert annotations["autoscaling.knative.dev/maxScale"] == plain["MAX_INSTANCES"]
    assert container["volumeMounts"] == [{"name": "journal", "mountPath": plain["SKILL_ARCADE_HOME"]}]
    assert secret == {
        "AUTH_SECRET": {"name": "arcade-auth-secret", "key": "latest"},
        "METRICS_TOKEN": {"name": "arcade-metrics-token", "key": "latest"},
    }
    assert plain["SKILL_ARCADE_ENVIRONMENT"] == "production"
    assert plain["TRUSTED_HOSTS"].split(",") == [API.removeprefix("https://"), CANDIDATE.removeprefix("https://")]
    assert plain["TRUSTED_PROXIES"] == "1"  # Cloud Run's front end; earlier entries of the header come from the client
    assert plain["GCP_SQL_IAM_AUTH"] == "true"
    assert not [name for name in plain if "PASSWORD" in name or "SECRET" in name]
    job = production.cloud.resources["jobs"]["arcade-migrate"]["spec"]["template"]["spec"]["template"]["spec"]
    assert job["serviceAccountName"] == f"arcade-migrate@{PRODUCTION}.iam.gserviceaccount.com"
    assert job["containers"][0]["args"][0] == "migrate"


def test_deploy_without_changes_does_nothing(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    second = production.deploy()
    assert (second.code, second.changes) == (0, []), second.output


@pytest.mark.parametrize(
    ("file", "changed"), [("frontend/page.ts", ["page"]), ("backend/app.py", ["push", "migrate", "run"])]
)
def test_deploy_changed_half_is_released_alone(production: DeployHarness, file: str, changed: list[str]) -> None:
    assert production.deploy().code == 0
    production.commit(f"website/{file}", "2")
    done = production.deploy()
    assert (done.code, parts(done.changes)) == (0, changed), done.output


def test_deploy_changed_setting_is_released(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    done = production.deploy(UPLOADER_NUM_WORKERS="16")
    assert done.code == 0, done.output
    environment = {item["name"]: item.get("value") for item in newest(production)["spec"]["containers"][0]["env"]}
    assert environment["UPLOADER_NUM_WORKERS"] == "16"


def test_deploy_force_releases_both_halves(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    assert parts(production.deploy("--force").changes) == ["push", "migrate", "run", "page"]


def test_deploy_failed_candidate_gets_no_traffic(production: DeployHarness) -> None:
    production.cloud.behaviours["smoke fails"] = "candidate---"
    done = production.deploy()
    assert done.code == 1
    assert traffic(production) == {HELLO: 100}
    assert "page" not in parts(done.changes)


def test_deploy_after_failed_candidate_retries_release(production: DeployHarness) -> None:
    production.cloud.behaviours["smoke fails"] = "candidate---"
    assert production.deploy().code == 1
    del production.cloud.behaviours["smoke fails"]
    assert production.deploy().code == 0
    assert traffic(production) == {newest(production)["metadata"]["name"]: 100}


@pytest.mark.real
def test_deploy_smoke_test_fails_with_traffic_rolls_back(production: DeployHarness) -> None:
    production.cloud.behaviours["smoke fails"] = f"^{API}$"
    done = production.deploy()
    assert done.code == 1
    assert traffic(production) == {HELLO: 100}
    assert "rolling back traffic" in done.output
    assert "page" not in parts(done.changes)


@pytest.mark.real
def test_deploy_smoke_test_of_page_fails_rolls_back_both_halves(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    before, page = traffic(production), read_config(production.cloud, "live")
    production.commit("website/backend/app.py", "2")
    production.commit("website/frontend/page.ts", "2")
    production.cloud.behaviours["smoke fails"] = "--page"
    done = production.deploy()
    assert done.code == 1
    assert traffic(production) == before, done.output
    assert read_config(production.cloud, "live") == page


def test_deploy_rollback_fails_reports_revision(production: DeployHarness) -> None:
    production.cloud.behaviours["smoke fails"] = f"^{API}$"
    # The traffic shift is the second change of the service. All later changes fail.
    production.cloud.faults = [Fault("PUT run .*/services/arcade$", after=2)]
    done = production.deploy()
    assert done.code == 1
    assert re.search(f"rollback .*{HELLO} FAILED", done.output)


def test_deploy_migration_fails_keeps_old_revision(production: DeployHarness) -> None:
    production.cloud.behaviours["migration fails"] = True
    done = production.deploy()
    assert done.code == 1
    assert parts(done.changes) == ["push", "migrate"]


def test_deploy_cancelled_release_rolls_back(production: DeployHarness) -> None:
    production.cloud.behaviours["smoke is cancelled"] = f"^{API}$"
    done = production.deploy()
    assert done.code != 0
    assert traffic(production) == {HELLO: 100}, done.output


@pytest.mark.parametrize(
    "question", ["GET run .*/services/arcade$", "GET run .*/revisions/", "GET firebasehosting .*/channels$"]
)
def test_deploy_unknown_live_version_changes_nothing(production: DeployHarness, question: str) -> None:
    production.cloud.faults = [Fault(question)]
    done = production.deploy()
    assert (done.code, done.changes) == (1, [])


def test_deploy_split_traffic_changes_nothing(production: DeployHarness) -> None:
    status = production.cloud.resources["services"]["arcade"]["status"]
    status["traffic"] = [{"revisionName": "a", "percent": 50}, {"revisionName": "b", "percent": 50}]
    done = production.deploy()
    assert (done.code, done.changes) == (1, [])
    assert "['a', 'b']" in done.output


def test_deploy_dry_run_changes_nothing(production: DeployHarness) -> None:
    done = production.deploy("--dry-run")
    assert (done.code, done.changes) == (0, []), done.output
    assert "+ gcloud run deploy arcade " in done.output
    assert "--no-traffic" in done.output


def test_rollback_without_options_restores_both_halves(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    first, page = traffic(production), read_config(production.cloud, "live")
    for file in ("website/backend/app.py", "website/frontend/page.ts"):
        production.commit(file, "2")
    assert production.deploy().code == 0
    assert traffic(production) != first
    done = production.rollback()
    assert done.code == 0, done.output
    assert (traffic(production), read_config(production.cloud, "live")) == (first, page)


def test_rollback_named_revision_gets_traffic(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    done = production.rollback("--revision", HELLO, "--only", "backend")
    assert (done.code, traffic(production)) == (0, {HELLO: 100}), done.output


def test_rollback_without_previous_release_changes_nothing(production: DeployHarness) -> None:
    done = production.rollback()
    assert (done.code, done.changes) == (1, [])
    assert "tag previous" in done.output


def test_environment_file_numbers_are_written_as_strings(production: DeployHarness) -> None:
    file = production.folder / "environment.json"
    done = production.run_python("release.environment", str(file), "WORKERS=16", "TEXT=a: b # c, d", "EMPTY=")
    assert done.code == 0, done.output
    assert json.loads(file.read_text()) == {"WORKERS": "16", "TEXT": "a: b # c, d"}
