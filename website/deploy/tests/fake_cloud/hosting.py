"""Firebase Hosting: sites, versions, releases, channels that expire, and the pages that they show."""

import base64
import gzip
import hashlib
import json
import mimetypes
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import ApiError, Request, Routes

ROUTES = Routes("firebasehosting")
SITES = "/v1beta1/(?:projects/[^/]+/)?sites/{site}"
MAX_TTL_SECONDS = 30 * 86_400
LIVE = "live"


@dataclass(frozen=True)
class PageFile:
    """A file as it is sent to a browser."""

    kind: str
    data: bytes
    headers: dict[str, str] = field(default_factory=dict)


def describe_channel(cloud: FakeCloud, site: str, name: str) -> dict[str, Any]:
    """Return a channel with its newest release."""
    host = f"{site}.web.app" if name == LIVE else f"{site}--{name}-x1y2z3.web.app"
    channel = {
        "name": f"projects/{site}/sites/{site}/channels/{name}",
        "url": f"https://{host}",
        **cloud.resources["channels"][name],
    }
    if "expires_at" in cloud.resources["channels"][name]:
        expires = datetime.fromtimestamp(channel.pop("expires_at"), UTC)
        channel["expireTime"] = expires.isoformat().replace("+00:00", "Z")
    if releases := cloud.resources["releases"].get(name):
        channel["release"] = describe_release(cloud, releases[-1])
    return channel


def describe_release(cloud: FakeCloud, release: dict[str, Any]) -> dict[str, Any]:
    """Return a release with its version as it is now."""
    version = cloud.resources["versions"][release["version"]]
    hidden = {"files", "labels"} if "version-labels" in cloud.lies else {"files"}
    return {**release, "version": {key: value for key, value in version.items() if key not in hidden}}


def require_site(cloud: FakeCloud, site: str) -> None:
    """Raise 404 for a site that does not exist, and remove the channels whose time has come."""
    if site not in cloud.resources["sites"]:
        raise ApiError(404, "Requested entity was not found.", "NOT_FOUND")
    for name, channel in list(cloud.resources["channels"].items()):
        if channel.get("expires_at", cloud.now + 1) <= cloud.now:
            cloud.remove("channels", name)
            cloud.resources["releases"].pop(name, None)


@ROUTES.on("GET", "/v1beta1/projects/{project}/sites")
def list_sites(cloud: FakeCloud, request: Request, project: str) -> Any:
    sites = [{"name": f"projects/{project}/sites/{name}", **site} for name, site in cloud.resources["sites"].items()]
    return {"sites": sites} if sites else {}


@ROUTES.on("POST", "/v1beta1/projects/{project}/sites")
def create_site(cloud: FakeCloud, request: Request, project: str) -> Any:
    name = request.query["siteId"]
    if name in cloud.behaviours.get("taken sites", ()):
        raise ApiError(400, f"Invalid name: `{name}` is reserved by another project.", "INVALID_ARGUMENT")
    # The first site of a project is its default one, whatever its id.
    kind = "USER_SITE" if cloud.resources["sites"] else "DEFAULT_SITE"
    site = cloud.add("sites", name, {"defaultUrl": f"https://{name}.web.app", "type": kind})
    cloud.resources["channels"].setdefault(LIVE, {"retainedReleaseCount": 10})
    return {"name": f"projects/{project}/sites/{name}", **site}


@ROUTES.on("GET", SITES + "/channels")
def list_channels(cloud: FakeCloud, request: Request, site: str) -> Any:
    require_site(cloud, site)
    return {"channels": [describe_channel(cloud, site, name) for name in cloud.resources["channels"]]}


@ROUTES.on("GET", SITES + "/channels/{name}")
def read_channel(cloud: FakeCloud, request: Request, site: str, name: str) -> Any:
    require_site(cloud, site)
    cloud.get("channels", name)
    return describe_channel(cloud, site, name)


@ROUTES.on("POST", SITES + "/channels")
def create_channel(cloud: FakeCloud, request: Request, site: str) -> Any:
    require_site(cloud, site)
    name = request.query["channelId"]
    cloud.add("channels", name, {"retainedReleaseCount": 10})
    set_lifetime(cloud, name, request.body)
    return describe_channel(cloud, site, name)


@ROUTES.on("PATCH", SITES + "/channels/{name}")
def update_channel(cloud: FakeCloud, request: Request, site: str, name: str) -> Any:
    require_site(cloud, site)
    channel = cloud.get("channels", name)
    fields = request.query.get("updateMask", "").split(",")
    if "ttl" in fields:
        set_lifetime(cloud, name, request.body)
    if "retainedReleaseCount" in fields:
        if not 1 <= request.body["retainedReleaseCount"] <= (10 if "retained-100" in cloud.lies else 100):
            raise ApiError(400, "retainedReleaseCount must be between 1 and 100.", "INVALID_ARGUMENT")
        channel["retainedReleaseCount"] = request.body["retainedReleaseCount"]
    return describe_channel(cloud, site, name)


def set_lifetime(cloud: FakeCloud, name: str, body: dict[str, Any]) -> None:
    """Let a channel expire after its TTL, counted from this request. Only `live` lives without one."""
    ttl = float(body.get("ttl", f"{MAX_TTL_SECONDS}s").removesuffix("s"))
    if not 0 < ttl <= MAX_TTL_SECONDS and "ttl-maximum" not in cloud.lies:
        raise ApiError(400, "The ttl must be at most 30 days.", "INVALID_ARGUMENT")
    cloud.get("channels", name)["expires_at"] = cloud.now + ttl


@ROUTES.on("DELETE", SITES + "/channels/{name}")
def delete_channel(cloud: FakeCloud, request: Request, site: str, name: str) -> Any:
    require_site(cloud, site)
    cloud.remove("channels", name)
    cloud.resources["releases"].pop(name, None)
    return {}


@ROUTES.on("POST", SITES + "/versions")
def create_version(cloud: FakeCloud, request: Request, site: str) -> Any:
    require_site(cloud, site)
    number = f"{len(cloud.resources['versions']) + 1:016x}"
    resource = {**request.body, "name": f"sites/{site}/versions/{number}", "status": "CREATED", "files": {}}
    return cloud.add("versions", number, resource)


@ROUTES.on("POST", SITES + "/versions/{number}:populateFiles")
def name_files(cloud: FakeCloud, request: Request, site: str, number: str) -> Any:
    cloud.get("versions", number)["files"].update(request.body["files"])
    missing = [digest for digest in request.body["files"].values() if digest not in cloud.resources["uploads"]]
    upload = f"{cloud.url}/upload-firebasehosting.fake/upload/sites/{site}/versions/{number}/files"
    return {"uploadRequiredHashes": missing, "uploadUrl": upload}


@ROUTES.on("POST", "/upload/sites/{site}/versions/{number}/files/{digest}")
def upload_file(cloud: FakeCloud, request: Request, site: str, number: str, digest: str) -> Any:
    if hashlib.sha256(request.body).hexdigest() != digest and "gzip-hash" not in cloud.lies:
        raise ApiError(400, "The content has another hash.", "INVALID_ARGUMENT")
    cloud.resources["uploads"][digest] = base64.b64encode(request.body).decode()
    return {}


@ROUTES.on("PATCH", SITES + "/versions/{number}")
def change_version(cloud: FakeCloud, request: Request, site: str, number: str) -> Any:
    version = cloud.get("versions", number)
    if [digest for digest in version["files"].values() if digest not in cloud.resources["uploads"]]:
        raise ApiError(400, "Files are missing.", "FAILED_PRECONDITION")
    if version["status"] != "CREATED":
        raise ApiError(400, "A finalized version cannot be changed.", "FAILED_PRECONDITION")
    version["status"] = request.body["status"]
    return version


@ROUTES.on("POST", SITES + "(?:/channels/(?P<name>[^/]+))?/releases")
def release_version(cloud: FakeCloud, request: Request, site: str, name: str | None = None) -> Any:
    require_site(cloud, site)
    channel = name or LIVE
    cloud.get("channels", channel)
    named = request.query.get("versionName") or request.query["version_name"]  # the CLI writes it the second way
    number = named.rpartition("/")[2]
    if cloud.get("versions", number)["status"] != "FINALIZED":
        raise ApiError(400, "The version is not finalized.", "FAILED_PRECONDITION")
    releases = cloud.resources["releases"].setdefault(channel, [])
    if "version-again" in cloud.lies and number in {release["version"] for release in releases}:
        raise ApiError(400, "The version was released before.", "FAILED_PRECONDITION")
    if "ttl-renewed" in cloud.lies and channel != LIVE:
        cloud.resources["channels"][channel]["expires_at"] += 1
    release = {"name": f"sites/{site}/channels/{channel}/releases/{len(releases) + 1}", "version": number}
    releases.append({**release, **request.body})
    expire_versions(cloud)
    return describe_release(cloud, releases[-1])


def expire_versions(cloud: FakeCloud) -> None:
    """Expire the versions that no channel shows or retains any more."""
    kept, released = set(), set()
    for name, releases in cloud.resources["releases"].items():
        count = cloud.resources["channels"][name]["retainedReleaseCount"]
        released |= {release["version"] for release in releases}
        kept |= {release["version"] for release in releases[-count - 1 :]}
    for number, version in cloud.resources["versions"].items():
        if version["status"] == "FINALIZED" and number in released - kept:
            version["status"] = "EXPIRED"


@ROUTES.on("GET", SITES + "(?:/channels/(?P<name>[^/]+))?/releases")
def list_releases(cloud: FakeCloud, request: Request, site: str, name: str | None = None) -> Any:
    require_site(cloud, site)
    releases = cloud.resources["releases"].get(name or LIVE, [])
    start, size = int(request.query.get("pageToken", 0)), int(request.query.get("pageSize", 100))
    page = [describe_release(cloud, release) for release in releases[::-1]][start : start + size]
    more = {"nextPageToken": str(start + size)} if start + size < len(releases) else {}
    return {"releases": page, **more}


@ROUTES.on("GET", "/show/{channel}(?P<path>/.*)")
def show_page(cloud: FakeCloud, request: Request, channel: str, path: str) -> Any:
    """Return the response of a channel to a browser, by the rewrites and headers of its version."""
    files, config = read_files(cloud, channel), find_version(cloud, channel).get("config", {})
    shown = f"{path}index.html" if path.endswith("/") else path
    if shown not in files:
        rewrites = [rule["path"] for rule in config.get("rewrites", []) if matches(rule, path)]
        if not rewrites:
            raise ApiError(404, "Page Not Found", html="Page Not Found")
        shown = rewrites[0]
    headers = [rule["headers"] for rule in config.get("headers", []) if matches(rule, path)]
    kind = mimetypes.guess_type(shown)[0] or "application/octet-stream"
    return PageFile(kind, files[shown], {name: value for part in headers for name, value in part.items()})


def matches(rule: dict[str, Any], path: str) -> bool:
    """Return whether a rule applies to a path. The only glob that is supported is the one for all paths."""
    assert rule.get("glob", "**") == "**", rule
    return "glob" in rule or re.search(rule["regex"], path) is not None


def find_version(cloud: FakeCloud, channel: str) -> dict[str, Any]:
    """Return the version that a channel shows."""
    if channel not in cloud.resources["releases"]:
        raise ApiError(404, "Site Not Found")
    version: dict[str, Any] = cloud.resources["versions"][cloud.resources["releases"][channel][-1]["version"]]
    return version


def read_files(cloud: FakeCloud, channel: str) -> dict[str, bytes]:
    """Return the files that a channel shows."""
    version = find_version(cloud, channel)
    uploads = cloud.resources["uploads"]
    return {path: gzip.decompress(base64.b64decode(uploads[digest])) for path, digest in version["files"].items()}


def read_config(cloud: FakeCloud, channel: str) -> dict[str, Any]:
    """Return the page's configuration in a channel."""
    config: dict[str, Any] = json.loads(read_files(cloud, channel)["/config.json"])
    return config
