"""The workflows, run completely with act: which jobs run for an event, and what they change in the cloud."""

import re

import pytest

from fake_cloud.requests import Fault
from harness import DeployHarness
from test_deploy import API, HELLO, traffic
from test_preview import existing
from workflows import pull_request, run_workflow

pytestmark = pytest.mark.real
PREVIEW = {
    "channels": ["pr-7"],
    "databases": ["pr_7"],
    "jobs": ["arcade-migrate-pr-7"],
    "packages": ["pr-7"],
    "services": ["arcade-pr-7"],
}


def test_preview_workflow_opened_updated_and_closed_leaves_nothing(preview: DeployHarness) -> None:
    for action in ("opened", "synchronize"):
        result = run_workflow(preview, "pull_request", "preview", pull_request(preview, action))
        assert (result.code, result.jobs) == (0, dict.fromkeys(("build", "attest", "up", "comment"), "succeeded")), (
            result.output
        )
        assert existing(preview) == PREVIEW
        (comment,) = preview.cloud.resources["comments"].values()
        assert "https://arcade-preview--pr-7-x1y2z3.web.app" in comment["body"]
    for _ in range(2):
        result = run_workflow(preview, "pull_request", "preview", pull_request(preview, "closed", merged=True))
        assert (result.code, result.jobs) == (0, dict.fromkeys(("down", "comment"), "succeeded")), result.output
        assert existing(preview) == {}
    (comment,) = preview.cloud.resources["comments"].values()
    assert "removed" in comment["body"]


def test_preview_workflow_close_fails_if_google_fails(preview: DeployHarness) -> None:
    preview.cloud.resources["databases"]["pr_7"] = {}
    preview.cloud.faults = [Fault("GET sql .*/databases$")]
    result = run_workflow(preview, "pull_request", "preview", pull_request(preview, "closed"))
    assert result.code != 0
    assert result.jobs == {"down": "failed"}


@pytest.mark.parametrize("action", ["opened", "synchronize", "closed"])
def test_preview_workflow_fork_runs_no_job(preview: DeployHarness, action: str) -> None:
    result = run_workflow(preview, "pull_request", "preview", pull_request(preview, action, fork=True))
    assert (result.code, result.jobs, result.changes) == (0, {}, []), result.output
    assert not (preview.folder / "signed-in").exists()


def test_preview_workflow_schedule_sweeps_closed_pull_requests(preview: DeployHarness) -> None:
    preview.cloud.resources["databases"] |= {"pr_7": {}, "pr_8": {}}
    preview.cloud.behaviours["open pull requests"] = [8]
    result = run_workflow(preview, "schedule", "preview", {"repository": {"full_name": "someone/arcade"}})
    assert (result.code, result.jobs) == (0, {"sweep": "succeeded"}), result.output
    assert existing(preview) == {"databases": ["pr_8"]}


def test_deploy_workflow_push_releases_to_production(production: DeployHarness) -> None:
    result = run_workflow(production, "push", "production", push(), flags=("--job", "deploy"))
    assert result.code == 0, result.output
    assert result.jobs["deploy"] == "succeeded"
    assert list(traffic(production)) != [HELLO]


@pytest.mark.parametrize(("smoke", "writes"), [("candidate---", 1), (f"^{API}$", 3)], ids=["before", "after the shift"])
def test_deploy_workflow_failed_release_fails_and_rolls_back(
    production: DeployHarness, smoke: str, writes: int
) -> None:
    production.cloud.behaviours["smoke fails"] = smoke
    result = run_workflow(production, "push", "production", push(), flags=("--job", "deploy"))
    assert result.code != 0
    assert result.jobs["deploy"] == "failed"
    assert traffic(production) == {HELLO: 100}
    # One change creates the candidate. With the traffic shifted, two more shift it and shift it back.
    assert len([line for line in result.changes if re.match("PUT run .*/services/arcade$", line)]) == writes


def test_deploy_workflow_without_sign_in_changes_nothing(production: DeployHarness) -> None:
    action = production.root / ".github" / "actions" / "google" / "action.yaml"
    text = action.read_text()
    production.commit(
        ".github/actions/google/action.yaml", text[: text.index("    - uses: google-github-actions/auth")]
    )
    result = run_workflow(production, "push", "production", push(), flags=("--job", "deploy"))
    assert (result.jobs["deploy"], result.changes) == ("failed", [])


def push() -> dict[str, object]:
    """Return the event payload of a push to main."""
    return {"ref": "refs/heads/main", "repository": {"full_name": "someone/arcade", "default_branch": "main"}}
