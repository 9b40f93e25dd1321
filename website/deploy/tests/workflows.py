"""Runs a workflow of the repository whole, under act: GitHub's own runner logic, on this machine, without Docker."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clients import HERE
from stage import Stage, git, project_of

ACT = Path(sys.executable).with_name("act")
WORKFLOWS = HERE.parents[2] / ".github" / "workflows"
USES = re.compile(r"uses: ([\w.-]+/([\w.-]+)@[0-9a-f]{40})")
JOB = re.compile(r"^\[[^\]]*?/(\w+)\s*\] *(?:🏁|\S+)?\s+Job (succeeded|failed)$", re.MULTILINE)


@dataclass
class Ran:
    """How a workflow went."""

    code: int
    jobs: dict[str, str]
    """Each job that ran: succeeded or failed. A job that was skipped is not in it."""
    output: str
    changes: list[str]


def run_workflow(stage: Stage, event: str, kind: str, payload: dict[str, Any], *, flags: tuple[str, ...] = ()) -> Ran:
    """Run what answers `event`, with the variables that bootstrap would have told GitHub."""
    event_file = stage.folder / "event.json"
    event_file.write_text(json.dumps(payload))
    variables = {
        "DEPLOY_PRODUCTION": "true",
        "DEPLOY_PREVIEWS": "true",
        "GCP_PROJECT_ID": project_of(kind),
        "GCP_PROJECT_NUMBER": "123456789012",
        "GCP_SERVICE_ACCOUNT": f"arcade-deploy@{project_of(kind)}.iam.gserviceaccount.com",
        "GCP_WORKLOAD_IDENTITY_PROVIDER": "projects/1/locations/global/workloadIdentityPools/github/providers/github",
        "PAGE_URL": stage.page_url,
    }
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
    # No file of this machine's is read by chance.
    command += [part for name in ("env", "secret", "var", "input") for part in (f"--{name}-file", "")]
    command += ["--no-cache-server", "--action-cache-path", stage.folder / "actions", "--secret", "GITHUB_TOKEN=token"]
    command += ["--env", f"GITHUB_API_URL={stage.environment['GITHUB_API_URL']}"]
    for name, value in variables.items():
        command += ["--var", f"{name}={value}"]
    for whole, name in find_actions():
        command += ["--local-repository", f"{whole}={HERE / 'stubs' / name}"]
    # What the stubs of actions read.
    environment = stage.environment | {"STAGE_REPOSITORY": str(stage.root)}
    environment |= {"ARTIFACTS": str(stage.folder / "artifacts"), "SIGNED_IN": str(stage.folder / "signed-in")}
    # A job is nobody until it has signed in.
    environment["CREDENTIALS"] = environment.pop("GOOGLE_APPLICATION_CREDENTIALS")
    environment["TOKEN_FILE"] = environment.pop("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE")
    before = len(stage.cloud.calls)
    done = subprocess.run(
        command, cwd=stage.root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    return Ran(done.returncode, dict(JOB.findall(output)), output, stage.cloud.changes(since=before))


def find_actions() -> set[tuple[str, str]]:
    """Every action that the workflows use: as written, and its name alone."""
    files = [*WORKFLOWS.glob("*.yaml"), *WORKFLOWS.parent.glob("actions/*/action.yaml")]
    return {(use[1], use[2]) for file in files for use in USES.finditer(file.read_text())}


def read_workflow(name: str) -> dict[str, Any]:
    """One workflow, parsed. YAML 1.1 reads `on` as true; it is put right."""
    parsed: dict[Any, Any] = yaml.safe_load((WORKFLOWS / f"{name}.yaml").read_text())
    return {"on" if key is True else str(key): value for key, value in parsed.items()}


def pull_request(stage: Stage, action: str, *, fork: bool = False, merged: bool = False) -> dict[str, Any]:
    """What GitHub says of pull request 7."""
    number = 7
    head = {"ref": "change", "sha": git(stage.root, "rev-parse", "HEAD")}
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
