"""The workflows themselves, whole, under act: which jobs run for which event, and what they leave in the cloud."""

import re

import pytest

from fake.wire import Fault
from stage import Stage
from test_deploy import API, HELLO, traffic
from test_preview import left
from workflows import pull_request, run_workflow

pytestmark = pytest.mark.real
PREVIEW = {
    "channels": ["pr-7"],
    "databases": ["pr_7"],
    "jobs": ["arcade-migrate-pr-7"],
    "packages": ["pr-7"],
    "services": ["arcade-pr-7"],
}


def test_a_pull_request_opens_changes_and_closes(preview: Stage) -> None:
    for action in ("opened", "synchronize"):
        ran = run_workflow(preview, "pull_request", "preview", pull_request(preview, action))
        assert (ran.code, ran.jobs) == (0, dict.fromkeys(("build", "up", "comment"), "succeeded")), ran.output
        assert left(preview) == PREVIEW
        (comment,) = preview.cloud.things["comments"].values()
        assert "https://arcade-preview--pr-7-x1y2z3.web.app" in comment["body"]
    for _ in range(2):
        ran = run_workflow(preview, "pull_request", "preview", pull_request(preview, "closed", merged=True))
        assert (ran.code, ran.jobs) == (0, dict.fromkeys(("down", "comment"), "succeeded")), ran.output
        assert left(preview) == {}
    (comment,) = preview.cloud.things["comments"].values()
    assert comment["body"].endswith("The preview is gone.")


def test_closing_while_google_fails_is_a_failure(preview: Stage) -> None:
    preview.cloud.things["databases"]["pr_7"] = {}
    preview.cloud.faults = [Fault("GET sql .*/databases$")]
    ran = run_workflow(preview, "pull_request", "preview", pull_request(preview, "closed"))
    assert ran.code != 0
    assert ran.jobs == {"down": "failed"}


@pytest.mark.parametrize("action", ["opened", "synchronize", "closed"])
def test_a_fork_gets_nothing(preview: Stage, action: str) -> None:
    ran = run_workflow(preview, "pull_request", "preview", pull_request(preview, action, fork=True))
    assert (ran.code, ran.jobs, ran.changes) == (0, {}, []), ran.output
    assert not (preview.folder / "signed-in").exists()


def test_the_night_sweeps(preview: Stage) -> None:
    preview.cloud.things["databases"] |= {"pr_7": {}, "pr_8": {}}
    preview.cloud.notes["open pulls"] = [8]
    ran = run_workflow(preview, "schedule", "preview", {"repository": {"full_name": "someone/arcade"}})
    assert (ran.code, ran.jobs) == (0, {"sweep": "succeeded"}), ran.output
    assert left(preview) == {"databases": ["pr_8"]}


def test_a_merge_is_deployed(production: Stage) -> None:
    ran = run_workflow(production, "push", "production", push(), flags=("--job", "deploy"))
    assert ran.code == 0, ran.output
    assert ran.jobs["deploy"] == "succeeded"
    assert list(traffic(production)) != [HELLO]


@pytest.mark.parametrize(("smoke", "writes"), [("candidate---", 1), (f"^{API}$", 3)], ids=["before", "after the shift"])
def test_a_release_that_fails_is_red_and_taken_back(production: Stage, smoke: str, writes: int) -> None:
    production.cloud.notes["smoke fails"] = smoke
    ran = run_workflow(production, "push", "production", push(), flags=("--job", "deploy"))
    assert ran.code != 0
    assert ran.jobs["deploy"] == "failed"
    assert traffic(production) == {HELLO: 100}
    # The candidate; and where it had the traffic already, giving that and taking it back.
    assert len([line for line in ran.changes if re.match("PUT run .*/services/arcade$", line)]) == writes


def test_a_job_that_did_not_sign_in_is_turned_away(production: Stage) -> None:
    action = production.root / ".github" / "actions" / "google" / "action.yaml"
    text = action.read_text()
    production.commit(
        ".github/actions/google/action.yaml", text[: text.index("    - uses: google-github-actions/auth")]
    )
    ran = run_workflow(production, "push", "production", push(), flags=("--job", "deploy"))
    assert (ran.jobs["deploy"], ran.changes) == ("failed", [])


def push() -> dict[str, object]:
    """What GitHub says of a push to main."""
    return {"ref": "refs/heads/main", "repository": {"full_name": "someone/arcade", "default_branch": "main"}}
