"""Runs a complete workflow of the repository with act, a local GitHub Actions runner, without Docker."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clients import HERE
from harness import DeployHarness, git, project_of

ACT = Path(sys.executable).with_name("act")
WORKFLOWS = HERE.parents[2] / ".github" / "workflows"
USES = re.compile(r"uses: ([\w.-]+/([\w.-]+)@[0-9a-f]{40})")
JOB = re.compile(r"^\[[^\]]*?/(\w+)\s*\] *(?:🏁|\S+)?\s+Job (succeeded|failed)$", re.MULTILINE)


@dataclass
class WorkflowResult:
    """Outcome of a workflow."""

    code: int
    jobs: dict[str, str]
    """Outcome of each job that ran: succeeded or failed. Skipped jobs are missing."""
    output: str
    changes: list[str]


def run_workflow(
    harness: DeployHarness,
    event: str,
    kind: str,
    payload: dict[str, Any],
    *,
    flags: tuple[str, ...] = (),
    printed: dict[str, str] | None = None,
) -> WorkflowResult:
    """Run the workflow for `event`, with the variables that bootstrap prints for GitHub, or with those in `printed`."""
    event_file = harness.folder / "event.json"
    event_file.write_text(json.dumps(payload))
    variables = {
        "DEPLOY_PRODUCTION": "true",
        "DEPLOY_PREVIEWS": "true",
        "GCP_PROJECT_ID": project_of(kind),
        "GCP_PROJECT_NUMBER": "123456789012",
        "GCP_SERVICE_ACCOUNT": f"arcade-deploy@{project_of(kind)}.iam.gserviceaccount.com",
        "GCP_WORKLOAD_IDENTITY_PROVIDER": "projects/1/locations/global/workloadIdentityPools/github/providers/github",
        "PAGE_URL": harness.page_url,
    }
    variables = variables if printed is None else printed
    file = {"push": "deploy", "pull_request": "preview", "schedule": "preview"}.get(event, "rollback")
    command: list[str | Path] = [
        ACT,
        event,
        "--workflows",
        f".github/workflows/{file}.yaml",
        "--eventpath",
        event_file,
        *flags,
    ]
    command += ["--platform", "ubuntu-24.04=-self-hosted", "--action-offline-mode", "--concurrent-jobs", "1"]
    # act must not read the default files of this machine.
    command += [part for name in ("env", "secret", "var", "input") for part in (f"--{name}-file", "")]
    command += [
        "--no-cache-server",
        "--action-cache-path",
        harness.folder / "actions",
        "--secret",
        "GITHUB_TOKEN=token",
    ]
    command += ["--env", f"GITHUB_API_URL={harness.environment['GITHUB_API_URL']}"]
    for name, value in variables.items():
        command += ["--var", f"{name}={value}"]
    for whole, name in find_actions():
        command += ["--local-repository", f"{whole}={HERE / 'stubs' / name}"]
    # Variables for the stubs of actions.
    environment = harness.environment | {"HARNESS_REPOSITORY": str(harness.root)}
    environment |= {"ARTIFACTS": str(harness.folder / "artifacts"), "SIGNED_IN": str(harness.folder / "signed-in")}
    # A job has no credentials until it has signed in.
    environment["CREDENTIALS"] = environment.pop("GOOGLE_APPLICATION_CREDENTIALS")
    environment["TOKEN_FILE"] = environment.pop("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
    before = len(harness.cloud.calls)
    done = subprocess.run(
        command,
        cwd=harness.root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    return WorkflowResult(done.returncode, dict(JOB.findall(output)), output, harness.cloud.changes(since=before))


def find_actions() -> set[tuple[str, str]]:
    """Return each action that the workflows use, as it is written and its name alone."""
    files = [*WORKFLOWS.glob("*.yaml"), *WORKFLOWS.parent.glob("actions/*/action.yaml")]
    return {(use[1], use[2]) for file in files for use in USES.finditer(file.read_text())}


def read_workflow(name: str) -> dict[str, Any]:
    """Return a parsed workflow. YAML 1.1 parses the key `on` as true, which is corrected."""
    parsed: dict[Any, Any] = yaml.safe_load((WORKFLOWS / f"{name}.yaml").read_text())
    return {"on" if key is True else str(key): value for key, value in parsed.items()}


def pull_request(harness: DeployHarness, action: str, *, fork: bool = False, merged: bool = False) -> dict[str, Any]:
    """Return the event payload of pull request 7."""
    number = 7
    head = {"ref": "change", "sha": git(harness.root, "rev-parse", "HEAD")}
    return {
        "action": action,
        "number": number,
        "repository": {"full_name": "someone/arcade", "default_branch": "main"},
        "pull_request": {
            "number": number,
            "merged": merged,
            "user": {"login": "somebody"},
            "head": {**head, "repo": {"full_name": "stranger/arcade" if fork else "someone/arcade"}},
            "base": {"ref": "main", "repo": {"full_name": "someone/arcade"}},
        },
    }
