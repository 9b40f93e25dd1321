"""`deploy` releases only what changed, in an order that allows a rollback, and rolls back after a failure."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fake_cloud.hosting import read_config
from fake_cloud.requests import Fault
from fake_cloud.run import count_running
from harness import PRODUCTION, DeployHarness
from release.google import Google
from release.project import Project
from release.service import write_environment

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


def remove_site(harness: DeployHarness) -> None:
    """Remove the Hosting site: a new Firebase project has none."""
    for kind in ("sites", "channels"):
        harness.cloud.resources[kind].clear()


def parts(changes: list[str]) -> list[str]:
    """Return the parts of the cloud that were changed, in order, without repetitions."""
    named = [
        "push"
        if "/push/" in line
        else "workers"
        if "jobs/arcade-export" in line or "jobs/arcade-certify" in line
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
    assert parts(done.changes) == ["push", "migrate", "run", "workers", "page"], "\n".join(done.changes)
    smoke_tests = production.cloud.behaviours["smoke_tests"]
    assert smoke_tests == [CANDIDATE, API, f"{API} --page {production.page_url}"]
    name = newest(production)["metadata"]["name"]
    assert traffic(production) == {name: 100}
    assert tags(production) == {}
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
    # Every game's WebSocket is a request for its whole life. The rest is for sign-ins, tickets and "server full".
    assert (spec["timeoutSeconds"], spec["containerConcurrency"]) == (3600, int(plain["MAX_GAMES"]) + 24)
    assert (container["startupProbe"]["httpGet"], container["livenessProbe"]["httpGet"]) == (
        {"path": "/health/ready"},
        {"path": "/health/live"},
    )
    assert annotations["run.googleapis.com/sessionAffinity"] == "true"
    assert annotations["autoscaling.knative.dev/maxScale"] == plain["MAX_INSTANCES"]
    assert container["volumeMounts"] == [{"name": "journal", "mountPath": plain["SKILL_ARCADE_HOME"]}]
    assert secret == {
        "AUTH_SECRET": {"name": "arcade-auth-secret", "key": "1"},
        "USER_ID_SECRET": {"name": "arcade-auth-secret", "key": "1"},
        "METRICS_TOKEN": {"name": "arcade-metrics-token", "key": "1"},
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
    ("file", "changed"),
    [("frontend/page.ts", ["page"]), ("backend/app.py", ["push", "migrate", "run", "workers", "page"])],
)
def test_deploy_changed_sources_release_what_contains_them(
    production: DeployHarness, file: str, changed: list[str]
) -> None:
    """The page contains the catalogue of games, so it is released with the back end, but not the other way round."""
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


def test_deploy_rotated_key_is_released_beside_the_previous_one(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    missing = production.deploy(AUTH_SECRET_VERSIONS="2,1")
    assert missing.code == 1
    assert "arcade-auth-secret/versions/2 was not found" in missing.output
    production.cloud.resources["secrets"]["arcade-auth-secret"]["values"].append("y" * 48)
    done = production.deploy(AUTH_SECRET_VERSIONS="2,1")
    assert done.code == 0, done.output
    references = [item.get("valueFrom") for item in newest(production)["spec"]["containers"][0]["env"]]
    keys = [reference["secretKeyRef"] for reference in references if reference]
    assert [item["key"] for item in keys if item["name"] == "arcade-auth-secret"] == ["2", "1", "1"]


def test_deploy_force_releases_both_halves(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    assert parts(production.deploy("--force").changes) == ["push", "migrate", "run", "workers", "page"]


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
    assert HELLO in done.output
    assert "rollback of the traffic FAILED" in done.output


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
    "question",
    [
        "GET run .*/services/arcade$",
        "GET run .*/revisions/",
        "GET firebasehosting .*/sites$",
        "GET firebasehosting .*/channels$",
    ],
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


def test_deploy_page_may_connect_to_its_own_server_only(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    (version,) = production.cloud.resources["versions"].values()
    headers = [rule["headers"] for rule in version["config"]["headers"]]
    (policy,) = [part["Content-Security-Policy"] for part in headers if "Content-Security-Policy" in part]
    host = API.removeprefix("https://")
    assert "*" not in policy
    assert f"connect-src 'self' https://{host} wss://{host} https://identitytoolkit.googleapis.com" in policy
    assert f"img-src 'self' data: blob: https://{host};" in policy


def test_deploy_without_hosting_site_creates_one(production: DeployHarness) -> None:
    remove_site(production)
    assert production.deploy("--dry-run").changes == []
    assert production.deploy().code == 0
    assert list(production.cloud.resources["sites"]) == [PRODUCTION]


def test_deploy_site_id_that_is_taken_uses_other_id(production: DeployHarness) -> None:
    remove_site(production)
    production.cloud.behaviours["taken sites"] = [PRODUCTION]
    done = production.deploy()
    assert done.code == 0, done.output
    (site,) = production.cloud.resources["sites"]
    assert re.fullmatch(rf"{PRODUCTION}-[0-9a-f]{{4}}", site)
    environment = {item["name"]: item.get("value") for item in newest(production)["spec"]["containers"][0]["env"]}
    assert environment["CORS_ORIGINS"] == f"{production.page_url},https://{site}.firebaseapp.com"


def test_deploy_several_sites_without_default_asks_which(production: DeployHarness) -> None:
    remove_site(production)
    production.cloud.resources["sites"] |= {"one": {"type": "USER_SITE"}, "two": {"type": "USER_SITE"}}
    production.cloud.resources["channels"]["live"] = {"retainedReleaseCount": 10}
    done = production.deploy()
    assert (done.code, done.changes) == (1, [])
    assert "HOSTING_SITE" in done.output
    assert production.deploy(HOSTING_SITE="two").code == 0


def test_deploy_second_release_leaves_one_server_running(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    production.commit("website/backend/app.py", "2")
    assert production.deploy().code == 0
    assert count_running(production.cloud, "arcade") == 1


def test_deploy_jobs_export_and_certify_with_bounded_memory_and_no_secret(production: DeployHarness) -> None:
    assert production.deploy().code == 0
    image = newest(production)["spec"]["containers"][0]["image"]
    service = {item["name"]: item.get("value") for item in newest(production)["spec"]["containers"][0]["env"]}
    for job, arguments in {"arcade-export": ["export-requested"], "arcade-certify": ["certify"]}.items():
        template = production.cloud.resources["jobs"][job]["spec"]["template"]["spec"]["template"]["spec"]
        (container,) = template["containers"]
        environment = {item["name"]: item.get("value") for item in container["env"]}
        assert (container["image"], container["command"], container["args"]) == (image, ["skill-arcade"], arguments)
        assert [item for item in container["env"] if "valueFrom" in item] == []
        assert environment["GCP_SQL_USER"] == service["GCP_SQL_USER"]
        limit = int(container["resources"]["limits"]["memory"].removesuffix("Gi")) << 10
        assert max(int(environment["EXPORT_MEMORY_MB"]), int(environment["CERTIFIER_MEMORY_MB"])) < limit
        bindings = production.cloud.roles(f"job {job}")
        assert ("roles/run.invoker", f"serviceAccount:{template['serviceAccountName']}") in bindings
    assert service["EXPORT_JOB"] == f"projects/{PRODUCTION}/locations/europe-west1/jobs/arcade-export"
    assert service["CERTIFIER"] == "false"
    assert service["CERTIFY_JOB"] == f"projects/{PRODUCTION}/locations/europe-west1/jobs/arcade-certify"
    (schedule,) = production.cloud.resources["schedules"].values()
    assert schedule["uri"].endswith("/jobs/arcade-certify:run")


@pytest.mark.parametrize("minimum", ["0", "1"])
def test_fake_revision_minimum_of_tagged_revision_counts_as_running(production: DeployHarness, minimum: str) -> None:
    """What the check above rests on: a tag keeps the servers of a revision that has a minimum of its own."""
    assert production.deploy().code == 0
    production.cloud.resources["revisions"][HELLO]["metadata"]["annotations"] = {
        "autoscaling.knative.dev/minScale": minimum
    }
    assert count_running(production.cloud, "arcade") == 1
    traffic_entries = production.cloud.resources["services"]["arcade"]["status"]["traffic"]
    traffic_entries.append({"revisionName": HELLO, "tag": "previous"})
    assert count_running(production.cloud, "arcade") == 1 + int(minimum)


def test_deploy_dry_run_changes_nothing(production: DeployHarness) -> None:
    done = production.deploy("--dry-run")
    assert (done.code, done.changes) == (0, []), done.output
    assert "+ gcloud run deploy arcade " in done.output
    assert "--no-traffic" in done.output


def release_twice(production: DeployHarness) -> tuple[dict[str, int], dict[str, Any]]:
    """Make two releases, and return the traffic and the page's configuration of the first."""
    assert production.deploy().code == 0
    first = traffic(production), read_config(production.cloud, "live")
    for file in ("website/backend/app.py", "website/frontend/page.ts"):
        production.commit(file, "2")
    assert production.deploy().code == 0
    assert traffic(production) != first[0]
    return first


def test_rollback_without_options_restores_both_halves(production: DeployHarness) -> None:
    first = release_twice(production)
    done = production.rollback()
    assert done.code == 0, done.output
    assert (traffic(production), read_config(production.cloud, "live")) == first
    assert count_running(production.cloud, "arcade") == 1


def test_rollback_page_older_than_any_channel_is_restored(production: DeployHarness) -> None:
    first = release_twice(production)
    production.cloud.now += 400 * 86_400
    done = production.rollback("--only", "page")
    assert done.code == 0, done.output
    assert read_config(production.cloud, "live") == first[1]


def test_rollback_named_version_is_shown_again(production: DeployHarness) -> None:
    first = release_twice(production)
    versions = list(production.cloud.resources["versions"])
    assert production.rollback("--only", "page").code == 0
    done = production.rollback("--only", "page", "--version", versions[-1])
    assert done.code == 0, done.output
    assert read_config(production.cloud, "live") != first[1]


def test_rollback_named_revision_gets_traffic(production: DeployHarness) -> None:
    first, _ = release_twice(production)
    (name,) = first
    done = production.rollback("--revision", name, "--only", "backend")
    assert (done.code, traffic(production)) == (0, {name: 100}), done.output


@pytest.mark.parametrize("named", [(), ("--revision", HELLO)])
def test_rollback_of_first_release_never_shows_hello_page(production: DeployHarness, named: tuple[str, ...]) -> None:
    assert production.deploy().code == 0
    before = traffic(production)
    done = production.rollback(*named)
    assert (done.code, done.changes, traffic(production)) == (1, [], before), done.output
    assert "no earlier release" in done.output


def test_rollback_before_first_release_changes_nothing(production: DeployHarness) -> None:
    done = production.rollback()
    assert (done.code, done.changes) == (1, [])


def test_rollback_holds_releases_until_hold_is_ended(production: DeployHarness) -> None:
    first, _ = release_twice(production)
    assert production.rollback().code == 0
    production.commit("website/backend/app.py", "3")
    held = production.deploy()
    assert (held.code, held.changes) == (1, []), held.output
    assert "--end-hold" in held.output
    assert traffic(production) == first
    done = production.deploy("--end-hold")
    assert done.code == 0, done.output
    assert traffic(production) == {newest(production)["metadata"]["name"]: 100}
    production.commit("website/backend/app.py", "4")
    assert production.deploy().code == 0


def test_rollback_of_page_alone_holds_releases(production: DeployHarness) -> None:
    release_twice(production)
    assert production.rollback("--only", "page").code == 0
    production.commit("website/frontend/page.ts", "3")
    assert production.deploy().code == 1


@pytest.mark.parametrize("during", ["candidate---", f"^{API}$", "--page"])
def test_rollback_during_release_wins(production: DeployHarness, during: str) -> None:
    """The rollback happens while the release runs its smoke test on the candidate, on the service, or on the page."""
    first = release_twice(production)
    production.commit("website/backend/app.py", "3")
    production.commit("website/frontend/page.ts", "3")
    ready = production.cloud.pause_at(f"POST smoke /try.*{during.strip('^$')}")
    release = production.start_deploy()
    ready.wait()
    target = next(iter(first[0]))
    done = production.rollback("--revision", target, "--version", next(iter(production.cloud.resources["versions"])))
    assert done.code == 0, done.output
    ready.resume()
    production.cloud.behaviours["smoke fails"] = during
    assert release.wait() == 1
    assert (traffic(production), read_config(production.cloud, "live")) == first


def test_environment_file_numbers_are_written_as_strings(tmp_path: Path) -> None:
    project = Project("p1", "1", "europe-west1", "b", "p1:europe-west1:arcade", "arcade", "u", "p1")
    file = tmp_path / "environment.json"
    write_environment(file, Google(project), {"WORKERS": "16", "TEXT": "a: b # c, d", "EMPTY": ""})
    values = json.loads(file.read_text())
    assert (values["WORKERS"], values["TEXT"]) == ("16", "a: b # c, d")
    assert "EMPTY" not in values
