"""The programs that the scripts call: this machine's real gcloud and firebase, or stand-ins."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
STANDIN = HERE / "standin"
REAL_FIREBASE = HERE.parent / "tools" / "node_modules" / ".bin" / "firebase"
APIS = (
    "run",
    "sql",
    "storage",
    "iam",
    "artifactregistry",
    "secretmanager",
    "serviceusage",
    "cloudresourcemanager",
    "cloudbilling",
)
FIREBASE_APIS = {
    "FIREBASE_HOSTING_API_URL": "firebasehosting",
    "FIREBASE_API_URL": "firebase",
    "FIREBASE_SERVICE_USAGE_URL": "serviceusage",
    "FIREBASE_RESOURCEMANAGER_URL": "cloudresourcemanager",
    "FIREBASE_AUTH_MANAGEMENT_URL": "identitytoolkit",
    "FIREBASE_IDENTITY_URL": "identitytoolkit",
    "CLOUD_RUN_API_URL": "run",
}


def link_programs(folder: Path, *, firebase: Path | None) -> None:
    """Fill a folder for the front of PATH; without `firebase`, its stand-in."""
    folder.mkdir(parents=True)
    # Python itself, not a version manager's script that looks for it anew each time.
    python = Path(sys._base_executable)  # type: ignore[attr-defined]
    client = folder / "client"
    client.write_text(f"#!{python} -IS\n{(STANDIN / 'client').read_text().partition(chr(10))[2]}")
    client.chmod(0o755)
    programs = {"gcloud": client, "firebase": firebase or client, "python3": client}
    programs |= {name: STANDIN / name for name in ("skopeo", "npm")}
    for name, target in programs.items():
        (folder / name).symlink_to(target)


def point_at(url: str, folder: Path) -> dict[str, str]:
    """Variables that send both real clients, and the stand-ins, to the cloud at `url`, and keep them from home."""
    port = url.rpartition(":")[2]
    token = folder / "token"
    token.write_text("not-a-token")
    credentials = folder / "credentials.json"
    federated = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/github",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{url}/sts.fake/v1/token",
        "credential_source": {"file": str(token)},
    }
    credentials.write_text(json.dumps(federated))
    overrides = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}": f"http://{api}.fake/" for api in APIS}
    return {
        **overrides,
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": "http://storage.fake/storage/v1/",
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
        "CLOUDSDK_PROXY_TYPE": "http",
        "CLOUDSDK_PROXY_ADDRESS": "127.0.0.1",
        "CLOUDSDK_PROXY_PORT": port,
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        **{name: f"{url}/{api}.fake" for name, api in FIREBASE_APIS.items()},
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "FAKE_URL": url,
        "GITHUB_API_URL": f"{url}/github.fake",
    }


def find_sdk() -> tuple[Path, Path] | None:
    """Root and Python of the Google Cloud SDK here; None when there is none."""
    program = shutil.which("gcloud")
    if program is None:
        return None
    root = Path(program).resolve().parent.parent
    python = root / "platform" / "bundledpythonunix" / "bin" / "python3"
    if not (root / "lib" / "gcloud.py").is_file():
        return None
    return root, python if python.exists() else Path(shutil.which("python3") or "python3")


@contextmanager
def keep_warm(folder: Path, python: Path, what: Path | str) -> Iterator[Path]:
    """Keep the stand-ins, or the SDK at `what`, loaded; the socket at which `standin/client` reaches them."""
    address = folder / Path(what).name
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command: list[str | Path] = [python, "-SB", STANDIN / "warm.py", address, what]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    try:
        yield address
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
