"""Firebase Hosting by its REST API: sites, versions, releases and channels.

No npm package is needed, so none runs beside production's credentials.
"""

import gzip
import hashlib
import json
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from release.console import log_info
from release.errors import UserFacingError
from release.google import Google, StatusError

API, V1 = "firebasehosting", "/v1beta1"
LIVE = "live"
MAX_FILES_PER_CALL = 1000
MAX_CHANNEL_DAYS = 30
MAX_RETAINED_RELEASES = 100
"""Number of releases whose versions Hosting keeps for a rollback; the default is 10 or what the console says."""
PREVIOUS_LABEL = "arcade-previous"
KEY_LABEL = "arcade-release"


@dataclass(frozen=True)
class Version:
    """A version of the page. `labels` hold its release key and the version that it replaced."""

    name: str
    status: str
    labels: dict[str, str]

    @property
    def id(self) -> str:
        """Last part of the name."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True)
class Channel:
    """A channel, its address, and the version that it shows, or None if it never had a release."""

    id: str
    url: str
    version: Version | None
    retained: int


class Hosting:
    """The Hosting site of a Firebase project."""

    def __init__(self, google: Google, site: str | None = None) -> None:
        self._google, self._wanted = google, site
        self._planned: str | None = None  # a site that a dry run would have created

    @cached_property
    def site(self) -> str:
        """Id of the site, which is read, because it is not always the id of the project. It is created if needed.

        Raises `UserFacingError` if it is not clear which one to use.
        """
        sites = self._google.read_all(API, f"{V1}/projects/{self._google.project.firebase}/sites", "sites")
        named = {str(site["name"]).rpartition("/")[2]: site for site in sites}
        if self._wanted:
            if self._wanted not in named:
                raise UserFacingError(
                    f"HOSTING_SITE is {self._wanted}, but the project has {sorted(named) or 'no site'}"
                )
            return self._wanted
        defaults = [name for name, site in named.items() if site.get("type") == "DEFAULT_SITE"]
        for found in (defaults, list(named)):
            if len(found) == 1:
                return found[0]
        if named:
            raise UserFacingError(f"the project has the sites {sorted(named)}. Set HOSTING_SITE to one of them")
        return self._create_site()

    def channels(self) -> list[Channel]:
        """Return all channels."""
        if self._is_planned(self.site):
            return []
        return [parse_channel(item) for item in self._google.read_all(API, f"{self._path}/channels", "channels")]

    def find_channel(self, name: str) -> Channel | None:
        """Return a channel, or None."""
        return next((channel for channel in self.channels() if channel.id == name), None)

    def ensure_channel(self, name: str) -> Channel:
        """Create a channel, or renew the longest life that a channel can have."""
        life = {"ttl": f"{MAX_CHANNEL_DAYS * 86_400}s"}
        if self.find_channel(name):
            answer = self._google.change("PATCH", API, f"{self._path}/channels/{name}", life, updateMask="ttl")
        else:
            answer = self._google.change("POST", API, f"{self._path}/channels", life, channelId=name)
        return parse_channel(answer) if answer else Channel(name, "https://the-channel", None, 0)

    def delete_channel(self, name: str) -> None:
        """Delete a channel with its releases."""
        self._google.change("DELETE", API, f"{self._path}/channels/{name}")

    def retain_releases(self, live: Channel) -> None:
        """Let Hosting keep the versions of as many releases as it can, so that each can be rolled back to."""
        if live.retained < MAX_RETAINED_RELEASES:
            body = {"retainedReleaseCount": MAX_RETAINED_RELEASES}
            self._google.change("PATCH", API, f"{self._path}/channels/{LIVE}", body, updateMask="retainedReleaseCount")

    def upload(self, folder: Path, config: dict[str, Any], labels: dict[str, str]) -> str:
        """Create a version with the files of a folder, and return its name. Only files that Hosting lacks are sent."""
        contents = {
            f"/{file.relative_to(folder).as_posix()}": gzip.compress(file.read_bytes(), 9, mtime=0)
            for file in sorted(folder.rglob("*"))
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        }
        by_hash = {hashlib.sha256(data).hexdigest(): data for data in contents.values()}
        hashes = {path: hashlib.sha256(data).hexdigest() for path, data in contents.items()}
        version = self._google.change("POST", API, f"{self._path}/versions", {"config": config, "labels": labels})
        if self._google.dry_run:
            return f"sites/{self.site}/versions/the-version"
        name = str(version["name"])
        paths = list(hashes)
        for start in range(0, len(paths), MAX_FILES_PER_CALL):
            files = {path: hashes[path] for path in paths[start : start + MAX_FILES_PER_CALL]}
            answer = self._google.change("POST", API, f"{V1}/{name}:populateFiles", {"files": files})
            for wanted in answer.get("uploadRequiredHashes", []):
                self._google.upload(f"{answer['uploadUrl']}/{wanted}", by_hash[wanted])
        self._google.change("PATCH", API, f"{V1}/{name}", {"status": "FINALIZED"}, updateMask="status")
        log_info(f"uploaded version {name} files={len(contents)}")
        return name

    def release(self, channel: str, version: str, message: str = "") -> None:
        """Show a version in a channel. `version` is the name or the id of any version that Hosting still keeps."""
        name = version if "/" in version else f"sites/{self.site}/versions/{version}"
        path = f"{self._path}/channels/{channel}/releases"
        self._google.change("POST", API, path, {"message": message[:512]} if message else {}, versionName=name)

    def read_releases(self) -> list[Version]:
        """Return the versions of the releases of the live page, newest first. A version may occur more than once."""
        releases = self._google.read_all(API, f"{self._path}/channels/{LIVE}/releases", "releases", pageSize="100")
        return [parse_version(item["version"]) for item in releases if item.get("version")]

    def _is_planned(self, site: str) -> bool:
        return self._planned == site

    @property
    def _path(self) -> str:
        return f"{V1}/projects/{self._google.project.firebase}/sites/{self.site}"

    def _create_site(self) -> str:
        """Create the first site. Its id becomes a host name, so somebody else may have taken the project's id."""
        project = self._google.project.firebase
        for name in (project, f"{project[:24]}-{secrets.token_hex(2)}"):
            log_info(f"the project has no Hosting site, creating {name}")
            try:
                self._google.change("POST", API, f"{V1}/projects/{project}/sites", {}, siteId=name)
            except StatusError as error:
                if error.status not in (400, 409):
                    raise
                taken = error
            else:
                self._planned = name if self._google.dry_run else None
                return name
        raise UserFacingError(f"cannot create a Hosting site. Create one in the Firebase console, Hosting: {taken}")


def parse_channel(item: dict[str, Any]) -> Channel:
    """Read a channel from a response."""
    version = item.get("release", {}).get("version")
    return Channel(
        str(item["name"]).rpartition("/")[2],
        str(item["url"]),
        parse_version(version) if version else None,
        int(item.get("retainedReleaseCount", 0)),
    )


def parse_version(item: dict[str, Any]) -> Version:
    """Read a version from a response."""
    return Version(str(item["name"]), str(item.get("status", "")), dict(item.get("labels", {})))


ANY_SERVICE = "*.run.app"


def write_page_config(page: Path, api_url: str, release: str) -> None:
    """Write config.json into a built page. One build serves every environment."""
    config = {"apiUrl": api_url, "release": release}
    # The build has put the catalogue beside the page, so that the CDN serves it and not the game servers.
    if (page / "games.json").is_file():
        config["gamesUrl"] = "/games.json"
    (page / "config.json").write_text(json.dumps(config) + "\n")


def read_serving_config(file: Path, api_url: str) -> dict[str, Any]:
    """Convert the section `hosting` of a firebase.json to the API's ServingConfig. Raises for what is not known.

    The Content-Security-Policy there allows every service of Cloud Run. Here it allows only the one at `api_url`, since
    anybody can have a service to send data to.
    """
    text, host = file.read_text(), api_url.removeprefix("https://")
    if ANY_SERVICE not in text:
        raise UserFacingError(f"{file} does not name {ANY_SERVICE}, in whose place the host of the server is written")
    hosting = dict(json.loads(text.replace(ANY_SERVICE, host))["hosting"])
    config: dict[str, Any] = {}
    for ours in ("public", "ignore", "site"):
        hosting.pop(ours, None)
    if "cleanUrls" in hosting:
        config["cleanUrls"] = hosting.pop("cleanUrls")
    if "trailingSlash" in hosting:
        config["trailingSlashBehavior"] = "ADD" if hosting.pop("trailingSlash") else "REMOVE"
    config["rewrites"] = [{**find_pattern(rule), "path": rule["destination"]} for rule in hosting.pop("rewrites", [])]
    config["headers"] = [
        {**find_pattern(rule), "headers": {header["key"]: header["value"] for header in rule["headers"]}}
        for rule in hosting.pop("headers", [])
    ]
    if hosting:
        raise UserFacingError(f"{file} has the settings {sorted(hosting)}, which the release does not know")
    return config


def find_pattern(rule: dict[str, Any]) -> dict[str, str]:
    """Return the pattern of a rule: a glob (`source`) or a regular expression."""
    return {"glob": rule["source"]} if "source" in rule else {"regex": rule["regex"]}
