"""`preview`: all of its own for each pull request, and all of it gone afterwards, whatever happened."""

from typing import Any

import pytest

from fake.hosting import read_config
from fake.wire import Fault
from stage import PRODUCTION, Stage

KINDS = ("services", "jobs", "databases", "objects", "channels", "packages")
# What each kind is listed by.
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


def left(stage: Stage) -> dict[str, list[str]]:
    """What there is of previews, by kind."""
    names = {kind: [name for name in stage.cloud.things[kind] if name not in ("live", "arcade")] for kind in KINDS}
    return {kind: sorted(found) for kind, found in names.items() if found}


def record(stage: Stage, number: int) -> None:
    """What the server of a preview would write into the bucket."""
    stage.cloud.things["objects"][f"previews/pr-{number}/episodes/e/000000.png"] = {}


@pytest.fixture
def two(preview: Stage) -> Stage:
    """Previews 7 and 70, as `up` leaves them."""
    for number in (7, 70):
        done = preview.preview("up", number)
        assert done.code == 0, done.output
        record(preview, number)
    return preview


def named(number: int) -> dict[str, list[str]]:
    """All that belongs to one preview."""
    return {
        "services": [f"arcade-pr-{number}"],
        "jobs": [f"arcade-migrate-pr-{number}"],
        "databases": [f"pr_{number}"],
        "objects": [f"previews/pr-{number}/episodes/e/000000.png"],
        "channels": [f"pr-{number}"],
        "packages": [f"pr-{number}"],
    }


@pytest.mark.real
def test_each_preview_has_all_of_its_own_and_goes_alone(two: Stage) -> None:
    assert left(two) == {kind: sorted([*named(7)[kind], *named(70)[kind]]) for kind in KINDS}
    done = two.preview("down", 7)
    assert done.code == 0, done.output
    assert left(two) == named(70)
    again = two.preview("down", 7)
    assert (again.code, again.changes) == (0, []), again.output


@pytest.mark.real
def test_the_service_of_a_preview_knows_only_its_own(preview: Stage) -> None:
    assert preview.preview("up", 7).code == 0
    revision = preview.cloud.things["revisions"]["arcade-pr-7-00001-abc"]
    environment = {item["name"]: item.get("value", "") for item in revision["spec"]["containers"][0]["env"]}
    page = f"https://{preview.cloud_project}--pr-7-x1y2z3.web.app"
    assert environment["GCP_SQL_NAME"] == "pr_7"
    assert environment["GCP_BUCKET_PREFIX"] == "previews/pr-7"
    assert environment["CORS_ORIGINS"] == page
    assert environment["SKILL_ARCADE_ENVIRONMENT"] == "preview"
    assert preview.cloud.roles("service arcade-pr-7") == {("roles/run.invoker", "allUsers")}
    assert read_config(preview.cloud, "pr-7")["apiUrl"] == "https://arcade-pr-7-123456789012.europe-west1.run.app"
    said: list[Any] = [(call.line, call.body) for call in preview.cloud.calls]
    assert PRODUCTION not in str(said)


def test_a_push_to_the_pull_request_makes_nothing_twice(preview: Stage) -> None:
    assert preview.preview("up", 7).code == 0
    preview.commit("website/backend/app.py", "2")
    done = preview.preview("up", 7)
    assert done.code == 0, done.output
    assert not [line for line in done.changes if line.startswith("POST sql") or line.endswith("/channels")]
    assert preview.cloud.things["services"]["arcade-pr-7"]["metadata"]["generation"] == 2


def test_it_is_played_before_anybody_is_told(preview: Stage) -> None:
    output = preview.folder / "output"
    done = preview.preview("up", 7, GITHUB_OUTPUT=str(output))
    assert done.code == 0, done.output
    api = "https://arcade-pr-7-123456789012.europe-west1.run.app"
    page = f"https://{preview.cloud_project}--pr-7-x1y2z3.web.app"
    assert preview.cloud.notes["tried"] == [f"{api} --games 3", f"{api} --page {page}"]
    assert output.read_text() == f"page={page}\napi={api}\n"


@pytest.mark.parametrize(
    "step", ["/channels$", "/push/", "POST sql ", "(POST|PUT) run .*/jobs", "(POST|PUT) run .*/services", "POST smoke"]
)
def test_what_half_came_to_be_goes_whole(preview: Stage, step: str) -> None:
    preview.cloud.faults = [Fault(step, methods="POST")]
    assert preview.preview("up", 7).code == 1
    preview.cloud.faults = []
    done = preview.preview("down", 7)
    assert (done.code, left(preview)) == (0, {}), done.output


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("calls", [LISTINGS, DELETES], ids=["listing", "deleting"])
def test_what_could_not_be_removed_is_said_and_the_rest_goes(preview: Stage, kind: str, calls: dict[str, str]) -> None:
    fill(preview, 7)
    preview.cloud.faults = [Fault(calls[kind])]
    done = preview.preview("down", 7)
    assert done.code == 1
    assert "is perhaps left" in done.output
    assert left(preview) == {kind: named(7)[kind]}
    preview.cloud.faults = []
    assert preview.preview("down", 7).code == 0
    assert left(preview) == {}


def test_a_database_that_is_still_in_use_is_tried_again(preview: Stage) -> None:
    fill(preview, 7)
    preview.cloud.notes["sessions"] = 2
    done = preview.preview("down", 7)
    assert (done.code, left(preview)) == (0, {}), done.output


@pytest.mark.real
def test_the_sweep_takes_what_no_open_pull_request_has(preview: Stage) -> None:
    for number in (7, 8, 70):
        fill(preview, number)
    preview.cloud.things["databases"]["pr_9"] = {}
    preview.cloud.notes["open pulls"] = [*range(1000, 1150), 8]
    done = preview.sweep()
    assert (done.code, left(preview)) == (0, named(8)), done.output


@pytest.mark.parametrize("listing", ["GET github ", *LISTINGS.values()])
def test_a_sweep_that_cannot_see_all_removes_nothing(preview: Stage, listing: str) -> None:
    fill(preview, 7)
    preview.cloud.faults = [Fault(listing)]
    done = preview.sweep()
    assert (done.code, done.changes) == (1, []), done.output


def test_a_sweep_says_what_it_could_not_remove(preview: Stage) -> None:
    for number in (7, 8):
        fill(preview, number)
    preview.cloud.faults = [Fault("DELETE sql .*/pr_7$")]
    done = preview.sweep()
    assert (done.code, left(preview)) == (1, {"databases": ["pr_7"]})
    assert "perhaps left: #7: database pr_7" in done.output


def test_a_dry_run_changes_nothing(preview: Stage) -> None:
    up = preview.preview("up", 7, "--dry-run")
    assert (up.code, up.changes) == (0, []), up.output
    fill(preview, 7)
    down = preview.preview("down", 7, "--dry-run")
    assert (down.code, down.changes) == (0, []), down.output
    assert down.output.count("\n+ ") + down.output.startswith("+ ") == len(KINDS)


@pytest.mark.parametrize("number", ["0", "7;ls", "-1", "", "seven"])
def test_what_is_no_number_of_a_pull_request_is_refused(preview: Stage, number: str) -> None:
    done = preview.run("preview", "down", number)
    assert (done.code, done.changes) == (1, [])


def fill(stage: Stage, number: int) -> None:
    """A preview as it would be, without the time that `up` takes."""
    things, names = stage.cloud.things, named(number)
    for kind in ("jobs", "services"):
        name = names[kind][0]
        things[kind][name] = {
            "metadata": {"name": name, "generation": 1},
            "apiVersion": "v1",
            "kind": kind.title()[:-1],
            "spec": {},
        }
    things["databases"][names["databases"][0]] = {}
    record(stage, number)
    things["channels"][names["channels"][0]] = {"ttl": "604800s"}
    package = names["packages"][0]
    where = f"projects/{stage.cloud_project}/locations/europe-west1/repositories/arcade/packages"
    things["packages"][package] = {"name": f"{where}/{package}"}
