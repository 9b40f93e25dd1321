"""Firebase Hosting: versions, releases, channels, and the pages that they show."""

import base64
import gzip
import hashlib
import json
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("firebasehosting")
SITES = "/v1beta1/(?:projects/[^/]+/)?sites/{site}"


def describe_channel(cloud: FakeCloud, site: str, name: str) -> dict[str, Any]:
    """Return a channel with its newest release."""
    host = f"{site}.web.app" if name == "live" else f"{site}--{name}-x1y2z3.web.app"
    channel = {
        "name": f"projects/{site}/sites/{site}/channels/{name}",
        "url": f"https://{host}",
        **cloud.resources["channels"][name],
    }
    if release := cloud.resources["releases"].get(name):
        channel["release"] = release
    return channel


@ROUTES.on("GET", SITES)
def read_site(cloud: FakeCloud, request: Request, site: str) -> Any:
    return {"name": f"projects/{site}/sites/{site}", "defaultUrl": f"https://{site}.web.app", "type": "DEFAULT_SITE"}


@ROUTES.on("GET", "/v1beta1/projects/{project}/sites")
def list_sites(cloud: FakeCloud, request: Request, project: str) -> Any:
    return {"sites": [read_site(cloud, request, project)]}


@ROUTES.on("GET", SITES + "/channels")
def list_channels(cloud: FakeCloud, request: Request, site: str) -> Any:
    return {"channels": [describe_channel(cloud, site, name) for name in cloud.resources["channels"]]}


@ROUTES.on("GET", SITES + "/channels/{name}")
def read_channel(cloud: FakeCloud, request: Request, site: str, name: str) -> Any:
    cloud.get("channels", name)
    return describe_channel(cloud, site, name)


@ROUTES.on("POST", SITES + "/channels")
def create_channel(cloud: FakeCloud, request: Request, site: str) -> Any:
    name = request.query["channelId"]
    cloud.add("channels", name, {"ttl": request.body.get("ttl", "")})
    return describe_channel(cloud, site, name)


@ROUTES.on("PATCH", SITES + "/channels/{name}")
def update_channel(cloud: FakeCloud, request: Request, site: str, name: str) -> Any:
    cloud.get("channels", name).update(request.body)
    return describe_channel(cloud, site, name)


@ROUTES.on("DELETE", SITES + "/channels/{name}")
def delete_channel(cloud: FakeCloud, request: Request, site: str, name: str) -> Any:
    cloud.remove("channels", name)
    cloud.resources["releases"].pop(name, None)
    return {}


@ROUTES.on("POST", SITES + "/versions")
def create_version(cloud: FakeCloud, request: Request, site: str) -> Any:
    number = f"v{len(cloud.resources['versions']) + 1}"
    resource = {"name": f"sites/{site}/versions/{number}", "status": "CREATED", "files": {}, **request.body}
    cloud.add("versions", number, resource)
    return {"name": resource["name"], "status": "CREATED"}


@ROUTES.on("POST", SITES + "/versions/{number}:populateFiles")
def name_files(cloud: FakeCloud, request: Request, site: str, number: str) -> Any:
    cloud.get("versions", number)["files"].update(request.body["files"])
    missing = [digest for digest in request.body["files"].values() if digest not in cloud.resources["uploads"]]
    upload = f"{cloud.url}/upload-firebasehosting.fake/upload/sites/{site}/versions/{number}/files"
    return {"uploadRequiredHashes": missing, "uploadUrl": upload}


@ROUTES.on("POST", "/upload/sites/{site}/versions/{number}/files/{digest}")
def upload_file(cloud: FakeCloud, request: Request, site: str, number: str, digest: str) -> Any:
    if hashlib.sha256(request.body).hexdigest() != digest:
        raise ApiError(400, "The content has another hash.", "INVALID_ARGUMENT")
    cloud.resources["uploads"][digest] = base64.b64encode(request.body).decode()
    return {}


@ROUTES.on("PATCH", SITES + "/versions/{number}")
def change_version(cloud: FakeCloud, request: Request, site: str, number: str) -> Any:
    version = cloud.get("versions", number)
    if [digest for digest in version["files"].values() if digest not in cloud.resources["uploads"]]:
        raise ApiError(400, "Files are missing.", "FAILED_PRECONDITION")
    version.update(request.body)
    return version


@ROUTES.on("GET", SITES + "/versions/{number}")
def read_version(cloud: FakeCloud, request: Request, site: str, number: str) -> Any:
    return cloud.get("versions", number)


@ROUTES.on("POST", SITES + "/versions:clone")
def clone_version(cloud: FakeCloud, request: Request, site: str) -> Any:
    source = cloud.get("versions", request.body["sourceVersion"].rpartition("/")[2])
    number = f"v{len(cloud.resources['versions']) + 1}"
    cloud.add("versions", number, {**source, "name": f"sites/{site}/versions/{number}"})
    return {"name": "operations/clone", "done": True, "response": cloud.get("versions", number)}


@ROUTES.on("POST", SITES + "(?:/channels/(?P<name>[^/]+))?/releases")
def release_version(cloud: FakeCloud, request: Request, site: str, name: str | None = None) -> Any:
    channel = name or "live"
    cloud.get("channels", channel)
    version = cloud.get("versions", request.query["versionName"].rpartition("/")[2])
    if version["status"] != "FINALIZED":
        raise ApiError(400, "The version is not finalized.", "FAILED_PRECONDITION")
    cloud.resources["releases"][channel] = {"name": f"sites/{site}/releases/1", "version": version}
    return cloud.resources["releases"][channel]


@ROUTES.on("GET", "/show/{channel}(?P<path>/.*)")
def show_page(cloud: FakeCloud, request: Request, channel: str, path: str) -> Any:
    """Return the response of a channel to a browser."""
    if channel not in cloud.resources["releases"]:
        raise ApiError(404, "Site Not Found")
    files = cloud.resources["releases"][channel]["version"]["files"]
    digest = files.get(path) or files.get("/index.html")
    data = gzip.decompress(base64.b64decode(cloud.resources["uploads"][digest]))
    return ("application/json" if path.endswith(".json") else "text/html", data)


def read_config(cloud: FakeCloud, channel: str) -> dict[str, Any]:
    """Return the page's configuration in a channel."""
    digest = cloud.resources["releases"][channel]["version"]["files"]["/config.json"]
    config: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(cloud.resources["uploads"][digest])))
    return config
