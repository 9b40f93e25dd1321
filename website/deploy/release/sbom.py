"""`website/deploy/sbom`: lists what is in the image and the page, in CycloneDX 1.6, from the lock files."""

import argparse
import base64
import json
import re
import urllib.parse
from pathlib import Path
from typing import Any

from release.errors import UserFacingError, run_main

WEBSITE = Path(__file__).resolve().parents[2]
PYTHON_LOCK = WEBSITE / "backend" / "requirements.lock"
NPM_LOCK = WEBSITE / "frontend" / "package-lock.json"
ALGORITHMS = {"sha1": "SHA-1", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


def list_python_packages(lock: str) -> list[dict[str, Any]]:
    """Return a component for each package of a requirements file with hashes."""
    components = []
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock, re.MULTILINE):
        normal = re.sub(r"[-_.]+", "-", name).lower()
        components.append(describe(normal, version, f"pkg:pypi/{normal}@{urllib.parse.quote(version)}"))
    return components


def list_npm_packages(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a component for each package that the page contains or that builds it, with its hash."""
    components: dict[str, dict[str, Any]] = {}
    for path, package in lock["packages"].items():
        name = path.rpartition("node_modules/")[2]
        if not name or package.get("link"):
            continue
        purl = f"pkg:npm/{urllib.parse.quote(name, safe='/')}@{package['version']}"
        component = describe(name, package["version"], purl)
        if package.get("dev"):
            component["scope"] = "excluded"
        if integrity := package.get("integrity"):
            algorithm, _, digest = integrity.partition("-")
            content = base64.b64decode(digest).hex()
            component["hashes"] = [{"alg": ALGORITHMS[algorithm], "content": content}]
        components.setdefault(purl, component)
    return list(components.values())


def describe(name: str, version: str, purl: str) -> dict[str, Any]:
    """Return a component without hashes."""
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def write_bom(name: str, version: str, components: list[dict[str, Any]]) -> str:
    """Return a bill of materials as JSON. The same locks give the same bytes."""
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": name, "name": name, "version": version}},
        "components": sorted(components, key=lambda part: str(part["purl"])),
    }
    return json.dumps(bom, indent=1) + "\n"


def main(arguments: list[str]) -> None:
    """Write image.cdx.json and page.cdx.json."""
    parser = argparse.ArgumentParser(prog="website/deploy/sbom", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder to write image.cdx.json and page.cdx.json to")
    parser.add_argument("--version", default="0", help="version of the application, such as its commit")
    options = parser.parse_args(arguments)
    python, npm = list_python_packages(PYTHON_LOCK.read_text()), list_npm_packages(json.loads(NPM_LOCK.read_text()))
    if not python or not npm:
        raise UserFacingError("a lock file lists no package, so its format must have changed")
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, components in (("image", python), ("page", npm)):
        bom = write_bom(f"skill-arcade-{name}", options.version, components)
        (options.folder / f"{name}.cdx.json").write_text(bom)


if __name__ == "__main__":
    run_main(main)
