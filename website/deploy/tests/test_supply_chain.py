"""What is built is listed, signed, and verified before it is released."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness import DEPLOY, DeployHarness
from release.sbom import list_npm_packages, list_python_packages
from terraform.toolbox import PYTHON, install_tools
from test_workflows import push
from workflows import read_workflow, run_workflow

BACKEND, FRONTEND = DEPLOY.parent / "backend", DEPLOY.parent / "frontend"


@pytest.fixture(scope="module")
def boms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The bills of materials of image and page."""
    folder = tmp_path_factory.mktemp("boms")
    subprocess.run([DEPLOY / "sbom", folder, "--version", "abc"], check=True)
    return {name: json.loads((folder / f"{name}.cdx.json").read_text()) for name in ("image", "page")}


@pytest.mark.parametrize("name", ["image", "page"])
def test_sbom_fits_the_published_schema(boms: dict[str, Any], name: str) -> None:
    install_tools()
    check = "import sys; from cyclonedx.validation.json import JsonStrictValidator as V; from cyclonedx.schema import "
    check += (
        "SchemaVersion as S; error = V(S.V1_6).validate_str(sys.stdin.read()); sys.exit(str(error) if error else 0)"
    )
    for text, code in ((json.dumps(boms[name]), 0), (json.dumps(boms[name] | {"components": [{"type": "x"}]}), 1)):
        done = subprocess.run([PYTHON, "-c", check], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr[-500:]


def test_sbom_lists_every_locked_package(boms: dict[str, Any]) -> None:
    image = {part["name"]: part["version"] for part in boms["image"]["components"]}
    locked = [
        line for line in (BACKEND / "requirements.lock").read_text().splitlines() if "==" in line and line[0] != " "
    ]
    assert len(boms["image"]["components"]) == len(locked)
    assert "fastapi" in image
    assert "pytest" not in image
    page = json.loads((FRONTEND / "package-lock.json").read_text())["packages"]
    assert len(boms["page"]["components"]) == len(
        {(k.rpartition("node_modules/")[2], v["version"]) for k, v in page.items() if k}
    )
    hashed = {part["purl"] for part in boms["page"]["components"] if "hashes" in part}
    assert len(hashed) >= len({package["integrity"] for package in page.values() if "integrity" in package})


def test_sbom_of_empty_lock_lists_nothing() -> None:
    assert (list_python_packages(""), list_npm_packages({"packages": {"": {}}})) == ([], [])


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build with its checksums."""
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("page")
    (tmp_path / "image.tar").write_text("image")
    subprocess.run([DEPLOY / "checksums", "write", tmp_path], check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "text"), [("image.tar", "other"), ("page/new.js", "alert()"), ("page/index.html", None)]
)
def test_checksums_of_changed_build_are_refused(built: Path, file: str, text: str | None) -> None:
    command = [str(DEPLOY / "checksums"), "check", str(built)]
    subprocess.run(command, check=True)
    if text is None:
        (built / file).unlink()
    else:
        (built / file).write_text(text)
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("planted", ["page/index.html", "image.tar"])
def test_deploy_workflow_build_changed_after_attestation_is_not_released(
    production: DeployHarness, planted: str
) -> None:
    """Somebody replaces a file of the artifact between the jobs."""
    file = ".github/workflows/deploy.yaml"
    text = (production.root / file).read_text()
    verify = "      - run: >-\n          gh attestation verify"
    assert verify in text
    production.commit(file, text.replace(verify, f"      - run: echo x >>built/{planted}\n{verify}"))
    result = run_workflow(production, "push", "production", push(), flags=("--job", "deploy"))
    assert result.jobs["deploy"] == "failed", result.output
    assert result.changes == []


def test_deploy_workflow_without_attestation_releases_nothing(production: DeployHarness) -> None:
    file = ".github/workflows/deploy.yaml"
    text = (production.root / file).read_text()
    start, end = text.index("      - uses: actions/attest@"), text.index("  deploy:\n    name: deploy")
    production.commit(file, text[:start] + text[end:])
    result = run_workflow(production, "push", "production", push(), flags=("--job", "deploy"))
    assert (result.jobs["deploy"], result.changes) == ("failed", []), result.output


def test_dependabot_covers_every_lock_with_a_cooldown() -> None:
    import yaml  # noqa: PLC0415

    updates = yaml.safe_load((DEPLOY.parents[1] / ".github" / "dependabot.yml").read_text())["updates"]
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
    folders = {folder for update in updates for folder in update.get("directories", [update.get("directory")])}
    assert {"/website/frontend", "/website/backend", "/website/deploy/tools", "/website/deploy/checks"} <= folders
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "npm", "pip", "docker"}


@pytest.mark.parametrize("name", ["ci", "deploy", "nightly", "preview"])
def test_workflow_node_is_supported(name: str) -> None:
    versions = [
        int(step["with"]["node-version"])
        for job in read_workflow(name)["jobs"].values()
        for step in job.get("steps", [])
        if "node-version" in step.get("with", {})
    ]
    assert all(version >= 22 for version in versions)
