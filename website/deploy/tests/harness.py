"""Test harness: runs a copy of the scripts in a temporary repository against a fake cloud."""

import compileall
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from clients import FAKE_CLIENTS, HERE, client_variables
from fake_cloud.cloud import FakeCloud
from fake_cloud.server import FakeServer

DEPLOY = HERE.parent
PRODUCTION, PREVIEW = "arcade-prod", "arcade-preview"
IDS = ("--repository", "someone/arcade", "--repository-id", "42", "--owner-id", "7", "--billing-account", "AAA-BBB-CCC")
# Only these variables of this machine are passed to the scripts.
INHERITED_VARIABLES = ("HOME", "LANG", "TMPDIR")


@dataclass
class ScriptResult:
    """Exit code, output and effects of a script."""

    code: int
    output: str
    changes: list[str]
    """Calls of the script that changed something in the cloud, or tried to."""


class DeployHarness:
    """Runs scripts, which see only the given variables, the clients in `programs` and the fake cloud."""

    def __init__(
        self, folder: Path, cloud: FakeCloud, server: FakeServer, repository: Path, programs: Path, more: dict[str, str]
    ) -> None:
        self.folder, self.cloud, self.server = folder, cloud, server
        self.root = folder / "repository"
        self.environment = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
        self.environment |= client_variables(server.url, folder) | more
        self.environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "FIREBASE": str(programs / "firebase")}
        self.environment |= {"DEPLOY_PAUSE_SECONDS": "0", "CANARY_MINUTES": "0.001", "CI": "true"}
        self.page_url = f"{server.url}/firebasehosting.fake/show/live"
        self.cloud_project = PREVIEW
        shutil.copytree(repository, self.root, symlinks=True)

    def run(self, script: str, *arguments: str, **variables: str) -> ScriptResult:
        """Run website/deploy/SCRIPT."""
        return self._finish([str(self.root / "website" / "deploy" / script), *arguments], variables)

    def _finish(self, command: list[str], variables: dict[str, str]) -> ScriptResult:
        before = len(self.cloud.calls)
        done = subprocess.run(
            command,
            env=self.environment | variables,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ScriptResult(done.returncode, done.stdout, self.cloud.changes(since=before))

    def bootstrap(self, kind: str, *more: str) -> ScriptResult:
        """Run `bootstrap` for a project of this kind."""
        return self.run("bootstrap", kind, "--project", project_of(kind), *IDS, *more)

    def deploy(self, *more: str, **variables: str) -> ScriptResult:
        """Release what is committed to production."""
        return self.run("deploy", *self._built(), *more, **self._production(), **variables)

    def start_deploy(self) -> subprocess.Popen[bytes]:
        """Start a release in the background."""
        command = [str(self.root / "website" / "deploy" / "deploy"), *self._built()]
        environment = self.environment | self._production()
        return subprocess.Popen(command, env=environment, cwd=self.folder, stdin=subprocess.DEVNULL)

    def _built(self) -> tuple[str, ...]:
        return "--image", str(self.image()), "--page", str(self.page())

    def _production(self) -> dict[str, str]:
        return settings_of("production") | {"PAGE_URL": self.page_url}

    def use_real_smoke_test(self, port: int, authority: Path) -> None:
        """Let releases run the real smoke test, by TLS at this port, which a certificate of `authority` has."""
        shutil.copy(FAKE_CLIENTS / "routed_smoke", self.root / "website" / "deploy" / "smoke")
        git(self.root, "commit", "--quiet", "--all", "--message", "use the real smoke test")
        self.environment |= {"FAKE_TLS_PORT": str(port), "SSL_CERT_FILE": str(authority)}

    def preview(self, verb: str, number: int, *more: str, **variables: str) -> ScriptResult:
        """Run `preview up` or `preview down`."""
        built = ("--image", str(self.image()), "--page", str(self.page())) if verb == "up" else ()
        return self.run("preview", verb, str(number), *built, *more, **settings_of("preview"), **variables)

    def run_python(self, module: str, *arguments: str, **variables: str) -> ScriptResult:
        """Run a Python module of the scripts."""
        deploy = self.root / "website" / "deploy"
        return self._finish(["python3", "-m", module, *arguments], {"PYTHONPATH": str(deploy), **variables})

    def sweep(self, *more: str) -> ScriptResult:
        """Run `preview sweep`."""
        variables = settings_of("preview") | {"GITHUB_TOKEN": "token"}
        return self.run("preview", "sweep", "--repository", "someone/arcade", *more, **variables)

    def start_sweep(self) -> subprocess.Popen[bytes]:
        """Start `preview sweep` in the background."""
        command = [str(self.root / "website" / "deploy" / "preview"), "sweep", "--repository", "someone/arcade"]
        environment = self.environment | settings_of("preview") | {"GITHUB_TOKEN": "token"}
        return subprocess.Popen(command, env=environment, cwd=self.folder, stdin=subprocess.DEVNULL)

    def rollback(self, *more: str) -> ScriptResult:
        """Run `rollback`."""
        return self.run("rollback", *more, **settings_of("production"), PAGE_URL=self.page_url)

    def commit(self, file: str, text: str) -> None:
        """Change a file of the repository and commit the change."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message", f"change {file}")

    def image(self) -> Path:
        """Return an archive in place of the image of what is committed."""
        archive = self.folder / "image.tar"
        archive.write_text(git(self.root, "rev-parse", "HEAD:website/backend"))
        return archive

    def page(self) -> Path:
        """Return a page in place of the one built from what is committed."""
        page = self.folder / "dist"
        page.mkdir(exist_ok=True)
        (page / "index.html").write_text(f"<script></script>{git(self.root, 'rev-parse', 'HEAD:website/frontend')}")
        return page


def project_of(kind: str) -> str:
    """Return the project ID of production or of the previews."""
    return PRODUCTION if kind == "production" else PREVIEW


def settings_of(kind: str) -> dict[str, str]:
    """Return the variables that GitHub passes to a script and that have no default."""
    return {"GCP_PROJECT_ID": project_of(kind), "GCP_PROJECT_NUMBER": "123456789012"}


def make_repository(root: Path) -> None:
    """Create a repository with the scripts, fake versions of `smoke` and `build`, and a few other files."""
    deploy = root / "website" / "deploy"
    shutil.copytree(DEPLOY, deploy, ignore=shutil.ignore_patterns("tests", "checks", "node_modules", "__pycache__"))
    for name in ("smoke", "build"):
        (deploy / name).unlink()
        shutil.copy(FAKE_CLIENTS / name, deploy / name)
    (root / ".ci").mkdir()
    (root / ".ci" / "run").write_text("#!/usr/bin/env bash\necho tested\n")
    (root / ".ci" / "run").chmod(0o755)
    for name, text in {"backend/app.py": "1", "frontend/page.ts": "1"}.items():
        (root / "website" / name).parent.mkdir()
        (root / "website" / name).write_text(text)
    config = DEPLOY.parent / "frontend" / "firebase.json"
    (root / "website" / "frontend" / "firebase.json").write_text(
        config.read_text() if config.exists() else '{"hosting": {"public": "dist"}}'
    )
    shutil.copytree(DEPLOY.parents[1] / ".github", root / ".github")
    # Compiled once for all tests. Git must not see it, because a release is named by what is committed.
    (root / ".gitignore").write_text("__pycache__/\n")
    compileall.compile_dir(deploy / "release", quiet=1)
    git(root, "init", "--quiet", "--template=", "--initial-branch", "main")
    git(root, "remote", "add", "origin", "https://github.com/someone/arcade")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "initial commit")


def git(root: Path, *arguments: str) -> str:
    """Run git in a repository, independently of this machine's git configuration."""
    who = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()
