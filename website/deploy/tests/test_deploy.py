"""`deploy`: in the order that can be taken back, only what changed, and back again when it fails."""

import json
from typing import Any

import pytest

from fake.hosting import read_config
from fake.wire import Fault
from stage import PRODUCTION, Stage

HELLO = "arcade-00001-abc"
API = "https://arcade-123456789012.europe-west1.run.app"
CANDIDATE = "https://candidate---arcade-123456789012.europe-west1.run.app"


def traffic(stage: Stage) -> dict[str, int]:
    """Which revision of the service has how much."""
    entries = stage.cloud.things["services"]["arcade"]["status"]["traffic"]
    return {entry["revisionName"]: entry["percent"] for entry in entries if entry.get("percent")}


def tags(stage: Stage) -> dict[str, str]:
    """Which tag names which revision."""
    entries = stage.cloud.things["services"]["arcade"]["status"]["traffic"]
    return {entry["tag"]: entry["revisionName"] for entry in entries if entry.get("tag")}


def newest(stage: Stage) -> dict[str, Any]:
    """The newest revision of the service."""
    revision: dict[str, Any] = list(stage.cloud.things["revisions"].values())[-1]
    return revision


def parts(changes: list[str]) -> list[str]:
    """The parts of the cloud that were changed, in order, each once in a row."""
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
def test_a_release_goes_step_by_step(production: Stage) -> None:
    done = production.deploy()
    assert done.code == 0, done.output
    assert parts(done.changes) == ["push", "migrate", "run", "page"], "\n".join(done.changes)
    tried = production.cloud.notes["tried"]
    assert tried == [CANDIDATE, API, f"{API} --page {production.page_url}"]
    name = newest(production)["metadata"]["name"]
    assert traffic(production) == {name: 100}
    assert tags(production) == {"candidate": name, "previous": HELLO}
    assert read_config(production.cloud, "live")["apiUrl"] == API


@pytest.mark.real
def test_the_service_is_what_it_was_meant_to_be(production: Stage) -> None:
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
    assert plain["TRUSTED_PROXIES"] == "1"  # Cloud Run's front end; what stands before it in the header is invented
    assert plain["GCP_SQL_IAM_AUTH"] == "true"
    assert not [name for name in plain if "PASSWORD" in name or "SECRET" in name]
    job = production.cloud.things["jobs"]["arcade-migrate"]["spec"]["template"]["spec"]["template"]["spec"]
    assert job["serviceAccountName"] == f"arcade-migrate@{PRODUCTION}.iam.gserviceaccount.com"
    assert job["containers"][0]["args"][0] == "migrate"


def test_what_has_not_changed_is_left_alone(production: Stage) -> None:
    assert production.deploy().code == 0
    again = production.deploy()
    assert (again.code, again.changes) == (0, []), again.output


@pytest.mark.parametrize(
    ("file", "changed"), [("frontend/page.ts", ["page"]), ("backend/app.py", ["push", "migrate", "run"])]
)
def test_only_what_changed_is_deployed(production: Stage, file: str, changed: list[str]) -> None:
    assert production.deploy().code == 0
    production.commit(f"website/{file}", "2")
    done = production.deploy()
    assert (done.code, parts(done.changes)) == (0, changed), done.output


def test_a_setting_that_changed_is_deployed(production: Stage) -> None:
    assert production.deploy().code == 0
    done = production.deploy(UPLOADER_NUM_WORKERS="16")
    assert done.code == 0, done.output
    environment = {item["name"]: item.get("value") for item in newest(production)["spec"]["containers"][0]["env"]}
    assert environment["UPLOADER_NUM_WORKERS"] == "16"


def test_force_deploys_all(production: Stage) -> None:
    assert production.deploy().code == 0
    assert parts(production.deploy("--force").changes) == ["push", "migrate", "run", "page"]


def test_a_candidate_that_fails_never_gets_traffic(production: Stage) -> None:
    production.cloud.notes["smoke fails"] = "candidate---"
    done = production.deploy()
    assert done.code == 1
    assert traffic(production) == {HELLO: 100}
    assert "page" not in parts(done.changes)


def test_what_failed_as_candidate_is_tried_again_by_the_next_run(production: Stage) -> None:
    production.cloud.notes["smoke fails"] = "candidate---"
    assert production.deploy().code == 1
    del production.cloud.notes["smoke fails"]
    assert production.deploy().code == 0
    assert traffic(production) == {newest(production)["metadata"]["name"]: 100}


@pytest.mark.real
def test_a_release_that_fails_with_traffic_gives_it_back(production: Stage) -> None:
    production.cloud.notes["smoke fails"] = f"^{API}$"
    done = production.deploy()
    assert done.code == 1
    assert traffic(production) == {HELLO: 100}
    assert "giving the traffic back" in done.output
    assert "page" not in parts(done.changes)


@pytest.mark.real
def test_a_page_that_fails_goes_back_with_the_back_end(production: Stage) -> None:
    assert production.deploy().code == 0
    before, page = traffic(production), read_config(production.cloud, "live")
    production.commit("website/backend/app.py", "2")
    production.commit("website/frontend/page.ts", "2")
    production.cloud.notes["smoke fails"] = "--page"
    done = production.deploy()
    assert done.code == 1
    assert traffic(production) == before, done.output
    assert read_config(production.cloud, "live") == page


def test_giving_back_that_fails_is_said_loudly(production: Stage) -> None:
    production.cloud.notes["smoke fails"] = f"^{API}$"
    # The shift is the second change of the service; all after it fail.
    production.cloud.faults = [Fault("PUT run .*/services/arcade$", after=2)]
    done = production.deploy()
    assert done.code == 1
    assert f"{HELLO} has NOT got the traffic back" in done.output


def test_a_migration_that_fails_keeps_the_old_version(production: Stage) -> None:
    production.cloud.notes["migration fails"] = True
    done = production.deploy()
    assert done.code == 1
    assert parts(done.changes) == ["push", "migrate"]


def test_a_release_that_is_cancelled_gives_the_traffic_back(production: Stage) -> None:
    production.cloud.notes["smoke is cancelled"] = f"^{API}$"
    done = production.deploy()
    assert done.code != 0
    assert traffic(production) == {HELLO: 100}, done.output


@pytest.mark.parametrize(
    "question", ["GET run .*/services/arcade$", "GET run .*/revisions/", "GET firebasehosting .*/channels$"]
)
def test_nothing_is_changed_when_it_is_not_known_what_is_live(production: Stage, question: str) -> None:
    production.cloud.faults = [Fault(question)]
    done = production.deploy()
    assert (done.code, done.changes) == (1, [])


def test_divided_traffic_is_not_guessed_about(production: Stage) -> None:
    status = production.cloud.things["services"]["arcade"]["status"]
    status["traffic"] = [{"revisionName": "a", "percent": 50}, {"revisionName": "b", "percent": 50}]
    done = production.deploy()
    assert (done.code, done.changes) == (1, [])
    assert "traffic is divided between ['a', 'b']" in done.output


def test_a_dry_run_changes_nothing(production: Stage) -> None:
    done = production.deploy("--dry-run")
    assert (done.code, done.changes) == (0, []), done.output
    assert "+ gcloud run deploy arcade " in done.output
    assert "--no-traffic" in done.output


def test_rollback_returns_both_halves(production: Stage) -> None:
    assert production.deploy().code == 0
    first, page = traffic(production), read_config(production.cloud, "live")
    for file in ("website/backend/app.py", "website/frontend/page.ts"):
        production.commit(file, "2")
    assert production.deploy().code == 0
    assert traffic(production) != first
    done = production.rollback()
    assert done.code == 0, done.output
    assert (traffic(production), read_config(production.cloud, "live")) == (first, page)


def test_rollback_takes_a_revision_by_name(production: Stage) -> None:
    assert production.deploy().code == 0
    done = production.rollback("--revision", HELLO, "--only", "backend")
    assert (done.code, traffic(production)) == (0, {HELLO: 100}), done.output


def test_rollback_says_when_there_is_no_way_back(production: Stage) -> None:
    done = production.rollback()
    assert (done.code, done.changes) == (1, [])
    assert "no revision of arcade has the tag previous" in done.output


def test_what_gcloud_s_file_holds_are_strings(production: Stage) -> None:
    file = production.folder / "environment.json"
    done = production.run_python("release.environment", str(file), "WORKERS=16", "TEXT=a: b # c, d", "EMPTY=")
    assert done.code == 0, done.output
    assert json.loads(file.read_text()) == {"WORKERS": "16", "TEXT": "a: b # c, d"}
