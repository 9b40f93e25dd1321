"""`preview` creates separate resources for each pull request and removes all of them, also after failures."""

from typing import Any

import pytest

from fake_cloud.hosting import read_config
from fake_cloud.requests import Fault
from harness import PRODUCTION, DeployHarness

KINDS = ("services", "jobs", "databases", "objects", "channels", "packages")
# The call that lists each kind of resource.
LISTINGS = {
    "services": "GET run .*serving.*/services$",
    "jobs": "GET run .*/jobs$",
    "databases": "GET sql .*/databases$",
    "objects": "GET storage .*/o$",
    "channels": "GET firebasehosting .*/channels$",
    "packages": "GET artifactregistry .*/packages$",
}
DELETES = {
    "services": "DELETE run .*/services/",
    "jobs": "DELETE run .*/jobs/",
    "databases": "DELETE sql ",
    "objects": "DELETE storage ",
    "channels": "DELETE firebasehosting ",
    "packages": "DELETE artifactregistry ",
}


def existing(harness: DeployHarness) -> dict[str, list[str]]:
    """Return the names of all resources of previews, by kind."""
    names = {kind: [name for name in harness.cloud.resources[kind] if name not in ("live", "arcade")] for kind in KINDS}
    return {kind: sorted(found) for kind, found in names.items() if found}


def write_recording(harness: DeployHarness, number: int) -> None:
    """Write the object of a recording, like the server of a preview does."""
    harness.cloud.resources["objects"][f"previews/pr-{number}/episodes/e/000000.png"] = {}


@pytest.fixture
def two_previews(preview: DeployHarness) -> DeployHarness:
    """The previews 7 and 70 after `up`."""
    for number in (7, 70):
        done = preview.preview("up", number)
        assert done.code == 0, done.output
        write_recording(preview, number)
    return preview


def names_of(number: int) -> dict[str, list[str]]:
    """Return the names of all resources of one preview."""
    return {
        "services": [f"arcade-pr-{number}"],
        "jobs": [f"arcade-migrate-pr-{number}"],
        "databases": [f"pr_{number}"],
        "objects": [f"previews/pr-{number}/episodes/e/000000.png"],
        "channels": [f"pr-{number}"],
        "packages": [f"pr-{number}"],
    }


@pytest.mark.real
def test_preview_down_removes_only_its_own_resources(two_previews: DeployHarness) -> None:
    assert existing(two_previews) == {kind: sorted([*names_of(7)[kind], *names_of(70)[kind]]) for kind in KINDS}
    done = two_previews.preview("down", 7)
    assert done.code == 0, done.output
    assert existing(two_previews) == names_of(70)
    second = two_previews.preview("down", 7)
    assert (second.code, second.changes) == (0, []), second.output


@pytest.mark.real
def test_preview_service_has_only_its_own_settings(preview: DeployHarness) -> None:
    assert preview.preview("up", 7).code == 0
    revision = preview.cloud.resources["revisions"]["arcade-pr-7-00001-abc"]
    environment = {item["name"]: item.get("value", "") for item in revision["spec"]["containers"][0]["env"]}
    page = f"https://{preview.cloud_project}--pr-7-x1y2z3.web.app"
    assert environment["GCP_SQL_NAME"] == "pr_7"
    assert environment["GCP_BUCKET_PREFIX"] == "previews/pr-7"
    assert environment["CORS_ORIGINS"] == page
    assert environment["SKILL_ARCADE_ENVIRONMENT"] == "preview"
    assert preview.cloud.roles("service arcade-pr-7") == {("roles/run.invoker", "allUsers")}
    assert read_config(preview.cloud, "pr-7")["apiUrl"] == "https://arcade-pr-7-123456789012.europe-west1.run.app"
    calls: list[Any] = [(call.line, call.body) for call in preview.cloud.calls]
    assert PRODUCTION not in str(calls)


def test_preview_up_again_updates_existing_resources(preview: DeployHarness) -> None:
    assert preview.preview("up", 7).code == 0
    preview.commit("website/backend/app.py", "2")
    done = preview.preview("up", 7)
    assert done.code == 0, done.output
    assert not [line for line in done.changes if line.startswith("POST sql") or line.endswith("/channels")]
    assert preview.cloud.resources["services"]["arcade-pr-7"]["metadata"]["generation"] == 2


def test_preview_up_runs_smoke_test_before_printing_addresses(preview: DeployHarness) -> None:
    output = preview.folder / "output"
    done = preview.preview("up", 7, GITHUB_OUTPUT=str(output))
    assert done.code == 0, done.output
    api = "https://arcade-pr-7-123456789012.europe-west1.run.app"
    page = f"https://{preview.cloud_project}--pr-7-x1y2z3.web.app"
    assert preview.cloud.behaviours["smoke_tests"] == [f"{api} --games 3", f"{api} --page {page}"]
    assert output.read_text() == f"page={page}\napi={api}\n"


@pytest.mark.parametrize(
    "step", ["/channels$", "/push/", "POST sql ", "(POST|PUT) run .*/jobs", "(POST|PUT) run .*/services", "POST smoke"]
)
def test_preview_down_after_failed_up_removes_everything(preview: DeployHarness, step: str) -> None:
    preview.cloud.faults = [Fault(step, methods="POST")]
    assert preview.preview("up", 7).code == 1
    preview.cloud.faults = []
    done = preview.preview("down", 7)
    assert (done.code, existing(preview)) == (0, {}), done.output


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("calls", [LISTINGS, DELETES], ids=["listing", "deleting"])
def test_preview_down_failure_is_reported_and_rest_removed(
    preview: DeployHarness, kind: str, calls: dict[str, str]
) -> None:
    create_preview(preview, 7)
    preview.cloud.faults = [Fault(calls[kind])]
    done = preview.preview("down", 7)
    assert done.code == 1
    assert "cannot remove" in done.output
    assert existing(preview) == {kind: names_of(7)[kind]}
    preview.cloud.faults = []
    assert preview.preview("down", 7).code == 0
    assert existing(preview) == {}


def test_preview_down_database_in_use_is_retried(preview: DeployHarness) -> None:
    create_preview(preview, 7)
    preview.cloud.behaviours["sessions"] = 2
    done = preview.preview("down", 7)
    assert (done.code, existing(preview)) == (0, {}), done.output


@pytest.mark.real
def test_sweep_closed_pull_requests_are_removed(preview: DeployHarness) -> None:
    for number in (7, 8, 70):
        create_preview(preview, number)
    preview.cloud.resources["databases"]["pr_9"] = {}
    preview.cloud.behaviours["open pull requests"] = [*range(1000, 1150), 8]
    done = preview.sweep()
    assert (done.code, existing(preview)) == (0, names_of(8)), done.output


@pytest.mark.parametrize("listing", ["GET github ", *LISTINGS.values()])
def test_sweep_failed_listing_removes_nothing(preview: DeployHarness, listing: str) -> None:
    create_preview(preview, 7)
    preview.cloud.faults = [Fault(listing)]
    done = preview.sweep()
    assert (done.code, done.changes) == (1, []), done.output


def test_sweep_failed_removal_is_reported(preview: DeployHarness) -> None:
    for number in (7, 8):
        create_preview(preview, number)
    preview.cloud.faults = [Fault("DELETE sql .*/pr_7$")]
    done = preview.sweep()
    assert (done.code, existing(preview)) == (1, {"databases": ["pr_7"]})
    assert "#7: database pr_7" in done.output


def test_sweep_renews_channel_of_open_pull_request(preview: DeployHarness) -> None:
    assert preview.preview("up", 7).code == 0
    preview.cloud.behaviours["open pull requests"] = [7]
    for _ in range(3):
        preview.cloud.now += 20 * 86_400
        assert preview.sweep().code == 0
    assert existing(preview)["channels"] == ["pr-7"]
    preview.cloud.now += 31 * 86_400
    assert preview.sweep().code == 0
    assert "channels" not in existing(preview)


def test_sweep_preview_opened_while_it_runs_is_kept(preview: DeployHarness) -> None:
    """Its pull request is open when GitHub is asked, whatever was listed before."""
    ready = preview.cloud.pause_at("GET github ")
    sweep = preview.start_sweep()
    ready.wait()
    create_preview(preview, 7)
    preview.cloud.behaviours["open pull requests"] = []
    ready.resume()
    assert sweep.wait() == 0
    assert existing(preview) == names_of(7)


def test_preview_dry_run_changes_nothing(preview: DeployHarness) -> None:
    up = preview.preview("up", 7, "--dry-run")
    assert (up.code, up.changes) == (0, []), up.output
    create_preview(preview, 7)
    down = preview.preview("down", 7, "--dry-run")
    assert (down.code, down.changes) == (0, []), down.output
    assert down.output.count("\n+ ") + down.output.startswith("+ ") == len(KINDS)


@pytest.mark.parametrize("number", ["0", "7;ls", "-1", "", "seven"])
def test_preview_invalid_number_is_rejected(preview: DeployHarness, number: str) -> None:
    done = preview.run("preview", "down", number)
    assert (done.code, done.changes) == (1, [])


def create_preview(harness: DeployHarness, number: int) -> None:
    """Create the resources of a preview without running `up`."""
    resources, names = harness.cloud.resources, names_of(number)
    for kind in ("jobs", "services"):
        name = names[kind][0]
        resources[kind][name] = {
            "metadata": {"name": name, "generation": 1},
            "apiVersion": "v1",
            "kind": kind.title()[:-1],
            "spec": {},
        }
    resources["databases"][names["databases"][0]] = {}
    write_recording(harness, number)
    resources["channels"][names["channels"][0]] = {"retainedReleaseCount": 10}
    package = names["packages"][0]
    where = f"projects/{harness.cloud_project}/locations/europe-west1/repositories/arcade/packages"
    resources["packages"][package] = {"name": f"{where}/{package}"}
