"""The clients that the scripts call: this machine's gcloud and firebase, or fake ones."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
FAKE_CLIENTS = HERE / "fake_clients"
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


def link_clients(folder: Path, *, firebase: Path | None) -> None:
    """Create a folder for the front of PATH with the clients. Without `firebase`, the fake one is used."""
    folder.mkdir(parents=True)
    # The real Python program, because the script of a version manager would search for it on every start.
    python = Path(sys._base_executable)  # type: ignore[attr-defined]
    client = folder / "client"
    client.write_text(f"#!{python} -IS\n{(FAKE_CLIENTS / 'client').read_text().partition(chr(10))[2]}")
    client.chmod(0o755)
    programs = {"gcloud": client, "firebase": firebase or client, "python3": client}
    programs |= {name: FAKE_CLIENTS / name for name in ("skopeo", "terraform", "gh")}
    for name, target in programs.items():
        (folder / name).symlink_to(target)


def client_variables(url: str, folder: Path) -> dict[str, str]:
    """Return variables that make all clients use the fake cloud at `url` and no configuration of this machine."""
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
        "CLOUD_RUN_URL": f"{url}/front.fake/{{host}}",
        "GOOGLE_API_URL": f"{url}/{{api}}.fake",
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "FAKE_URL": url,
        "GITHUB_API_URL": f"{url}/github.fake",
    }


def find_sdk() -> tuple[Path, Path] | None:
    """Return root folder and Python of the installed Google Cloud SDK, or None if there is none."""
    program = shutil.which("gcloud")
    if program is None:
        return None
    root = Path(program).resolve().parent.parent
    python = root / "platform" / "bundledpythonunix" / "bin" / "python3"
    if not (root / "lib" / "gcloud.py").is_file():
        return None
    return root, python if python.exists() else Path(shutil.which("python3") or "python3")


@contextmanager
def start_fork_server(folder: Path, python: Path, what: Path | str) -> Iterator[Path]:
    """Run a fork server for the fake clients, or for the SDK at `what`. Yields the address of its socket."""
    address = folder / Path(what).name
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command: list[str | Path] = [python, "-SB", FAKE_CLIENTS / "fork_server.py", address, what]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    try:
        yield address
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
