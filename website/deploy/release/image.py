"""Pushes an image archive to Artifact Registry."""

import os
from pathlib import Path

from release import console
from release.google import Google
from release.project import read_commit


def push_image(google: Google, archive: Path, package: str, folder: Path) -> str:
    """Push an image and return host/project/repository/package@sha256:….

    Deployments name the image by digest, so that it cannot be replaced under the same name later.
    """
    name, digest = google.project.package(package), folder / "digest"
    os.environ["REGISTRY_AUTH_FILE"] = str(folder / "registry.json")
    login = ["skopeo", "login", "--username=oauth2accesstoken", "--password-stdin", google.project.registry]
    console.run(login, dry_run=google.dry_run, input_text="" if google.dry_run else google.token)
    copy = ["skopeo", "copy", f"--digestfile={digest}", f"oci-archive:{archive}", f"docker://{name}:{read_commit()}"]
    console.run(copy, dry_run=google.dry_run)
    return f"{name}@{'sha256:of-the-push' if google.dry_run else digest.read_text()}"
