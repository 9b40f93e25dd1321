"""`website/deploy/prove`: tries out in a throw-away project what the scripts believe about Google."""

import argparse
import concurrent.futures
import datetime
import gzip
import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release import console, facts
from release.console import log_info
from release.errors import UserFacingError, run_main
from release.google import Google, StatusError
from release.hosting import API, LIVE, MAX_RETAINED_RELEASES, V1, Hosting
from release.http import Response, send_request
from release.project import Project
from release.service import JOURNAL_FOLDER, Traffic, serving_revision, tagged_revision

SERVICE, TAG, NO_SERVICE = "arcade-probe", "tagged", "arcade-probe-new"
IMAGE = "mirror.gcr.io/library/python:3.11-slim"
APIS = ("run", "firebase", "firebasehosting", "logging")
TIMEOUT_SECONDS = 10
IDLE_MINUTES = 16
"""Cloud Run keeps a server that is not needed for up to 15 minutes."""
DESCRIPTION = """Tries out in a throw-away project what the scripts believe about Google, and writes FACTS.md.

Create an empty project with billing for it, and delete it afterwards. A run takes about 20 minutes and costs less than
a dollar. The exit code is 1 if a belief is wrong."""


class DisprovedError(Exception):
    """Google behaves in another way. The message says how."""


def expect(is_true: bool, observation: str) -> str:
    """Return the observation, or raise `DisprovedError` with it."""
    if not is_true:
        raise DisprovedError(observation)
    return observation


@dataclass
class Setup:
    """What the probes share."""

    google: Google
    hosting: Hosting
    traffic: Traffic
    host: str
    pause: Callable[[float], None]
    marker: str
    sites_before: int = 0
    shifted_at: float = 0.0
    first_revision: str = ""

    def get(self, path: str, *, tag: str = "", headers: dict[str, str] | None = None) -> Response:
        """GET a path of the service, or of a tag of it, through Google's front end."""
        root = os.environ.get("CLOUD_RUN_URL", "https://{host}")
        host = f"{tag}---{self.host}" if tag else self.host
        return send_request(f"{root.format(host=host)}{path}", headers=headers)

    def deploy(self, name: str, *flags: str) -> None:
        """Deploy the probe server."""
        script = (Path(__file__).with_name("probe_server.py")).read_text()
        self.google.gcloud(
            *("run", "deploy", name, f"--region={self.google.project.region}", f"--image={IMAGE}"),
            *(
                "--command=python3",
                f"--args=^@@^-c@@{script}",
                "--execution-environment=gen2",
                "--allow-unauthenticated",
            ),
            "--add-volume=name=journal,type=in-memory,size-limit=64Mi",
            f"--add-volume-mount=volume=journal,mount-path={JOURNAL_FOLDER}",
            *("--concurrency=1", "--max-instances=1", f"--timeout={TIMEOUT_SECONDS}", *flags),
        )


def probe_front_z(setup: Setup) -> str:
    """`/healthz` does not reach the container."""
    response = setup.get("/healthz")
    is_html = response.headers.get_content_type() == "text/html"
    return expect(response.status == 404 and is_html, f"{response.status} {response.headers.get_content_type()}")


def probe_front_health(setup: Setup) -> str:
    """`/health/live` reaches the container."""
    response = setup.get("/health/live")
    return expect(response.status == 200 and response.json()["path"] == "/health/live", f"status {response.status}")


def probe_host_name(setup: Setup) -> str:
    """The service answers at the address that is derived from its name."""
    return expect(setup.get("/").status == 200, f"status {setup.get('/').status}")


def probe_tag_host(setup: Setup) -> str:
    """A tag without traffic answers at its own address."""
    response = setup.get("/", tag=TAG)
    return expect(response.status == 200, f"status {response.status}")


def probe_forwarded_for(setup: Setup) -> str:
    """The client's own header comes before the address that Google adds."""
    entries = setup.get("/", headers={"x-forwarded-for": "192.0.2.1"}).json()["forwarded_for"].split(",")
    is_so = len(entries) == 2 and entries[0].strip() == "192.0.2.1" != entries[1].strip()
    return expect(is_so, f"{len(entries)} entries, the first {'ours' if entries[0] == '192.0.2.1' else 'not ours'}")


def probe_volume_owner(setup: Setup) -> str:
    """The volume belongs to root."""
    seen = setup.get("/").json()
    return expect(seen["volume_owner"] == 0, f"uid {seen['volume_owner']}, mode {seen['volume_mode']}")


def probe_tag_minimum(setup: Setup) -> str:
    """The tagged revision's server is the one that ran before the traffic was moved away. This probe comes last."""
    setup.pause(max(0.0, setup.shifted_at + IDLE_MINUTES * 60 - time.time()))
    started_at = setup.get("/", tag=TAG).json()["started_at"]
    return expect(started_at <= setup.shifted_at, "kept" if started_at <= setup.shifted_at else "started anew")


def probe_put_no_revision(setup: Setup) -> str:
    """Replacing the service with another label creates no revision."""
    before = setup.traffic.read()
    setup.traffic.shift(before, serving_revision(before), hold="probe")
    after = setup.traffic.read()
    names = [found["status"]["latestCreatedRevisionName"] for found in (before, after)]
    return expect(names[0] == names[1], f"{names[0]}, then {names[1]}")


def probe_put_conflict(setup: Setup) -> str:
    """A second replacement of what was read once is refused."""
    before = setup.traffic.read()
    setup.traffic.shift(before, serving_revision(before), hold="probe-2")
    try:
        setup.traffic.shift(before, serving_revision(before), hold="probe-3")
    except StatusError as error:
        return expect(error.status == 409, f"status {error.status}")
    raise DisprovedError("accepted")


def probe_requests_429(setup: Setup) -> str:
    """One request more than the service takes is refused, without a header that lets a page read the status."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: setup.get("/hold?seconds=3"), range(8)))
    refused = [answer for answer in answers if answer.status == 429]
    has_header = any("access-control-allow-origin" in answer.headers for answer in refused)
    return expect(bool(refused) and not has_header, f"{len(refused)} of 8 refused, CORS header: {has_header}")


def probe_timeout_cut(setup: Setup) -> str:
    """A request that takes longer than the timeout is ended by Google."""
    try:
        status = setup.get(f"/hold?seconds={TIMEOUT_SECONDS + 5}").status
    except UserFacingError:
        return "connection closed"
    return expect(status != 200, f"status {status}")


def probe_no_traffic_first(setup: Setup) -> str:
    """A new service must have traffic."""
    try:
        setup.deploy(NO_SERVICE, "--no-traffic")
    except UserFacingError:
        return "refused"
    raise DisprovedError("accepted")


def read_log(setup: Setup) -> list[dict[str, Any]]:
    """Return the entries of the request log with this run's marker in the address. They take seconds to come."""
    body = {
        "resourceNames": [f"projects/{setup.google.project.id}"],
        "filter": f'resource.type="cloud_run_revision" AND httpRequest.requestUrl:"{setup.marker}"',
    }
    for _ in range(12):
        entries: list[dict[str, Any]] = setup.google.change("POST", "logging", "/v2/entries:list", body).get(
            "entries", []
        )
        if entries:
            return entries
        setup.pause(10)
    return []


def probe_log_has_query(setup: Setup) -> str:
    """An address with a query is logged with the query."""
    setup.get(f"/?token={setup.marker}")
    entries = read_log(setup)
    return expect(bool(entries), f"{len(entries)} entries with the query")


def probe_log_no_protocol(setup: Setup) -> str:
    """A subprotocol is not logged."""
    secret = secrets.token_hex(16)
    setup.get(f"/?token={setup.marker}", headers={"sec-websocket-protocol": secret})
    return expect(secret not in str(read_log(setup)), "logged" if secret in str(read_log(setup)) else "not logged")


def probe_no_site(setup: Setup) -> str:
    """Firebase was just added, and there is no site."""
    return expect(setup.sites_before == 0, f"{setup.sites_before} sites")


def create_version(setup: Setup, content: bytes, *, labels: dict[str, str] | None = None) -> str:
    """Create a version of one file, and return its name."""
    with tempfile.TemporaryDirectory(prefix="arcade-prove-") as folder:
        (Path(folder) / "index.html").write_bytes(content)
        return setup.hosting.upload(Path(folder), {}, labels or {})


def probe_gzip_hash(setup: Setup) -> str:
    """Content with another hash than it is named by is refused."""
    name = setup.google.change("POST", API, f"{V1}/sites/{setup.hosting.site}/versions", {"config": {}})["name"]
    named, other = gzip.compress(setup.marker.encode()), gzip.compress(b"other")
    digest = hashlib.sha256(named).hexdigest()
    answer = setup.google.change("POST", API, f"{V1}/{name}:populateFiles", {"files": {"/index.html": digest}})
    try:
        setup.google.upload(f"{answer['uploadUrl']}/{digest}", other)
    except StatusError as error:
        setup.google.upload(f"{answer['uploadUrl']}/{digest}", named)
        return f"refused with {error.status}"
    raise DisprovedError("other content was accepted")


def probe_version_labels(setup: Setup) -> str:
    """A label comes back with the channel."""
    setup.hosting.release(LIVE, create_version(setup, b"labels", labels={"arcade-previous": setup.marker}))
    live = setup.hosting.find_channel(LIVE)
    labels = live.version.labels if live and live.version else {}
    return expect(labels.get("arcade-previous") == setup.marker, f"labels {labels}")


def probe_version_again(setup: Setup) -> str:
    """An earlier version is shown again."""
    first, second = create_version(setup, b"first"), create_version(setup, b"second")
    try:
        for version in (first, second, first):
            setup.hosting.release(LIVE, version)
    except StatusError as error:
        raise DisprovedError(f"status {error.status}") from None
    live = setup.hosting.find_channel(LIVE)
    shown = live.version.name if live and live.version else ""
    return expect(shown == first, "shown" if shown == first else "not shown")


def change_channel(setup: Setup, body: dict[str, Any], channel: str) -> dict[str, Any]:
    """Change a channel, and return it."""
    path = f"{V1}/sites/{setup.hosting.site}/channels/{channel}"
    answer: dict[str, Any] = setup.google.change("PATCH", API, path, body, updateMask=next(iter(body)))
    return answer


def probe_ttl_maximum(setup: Setup) -> str:
    """A longer life is refused."""
    setup.hosting.ensure_channel("probe")
    try:
        change_channel(setup, {"ttl": f"{31 * 86_400}s"}, "probe")
    except StatusError as error:
        return f"refused with {error.status}"
    raise DisprovedError("31 days were accepted")


def probe_ttl_renewed(setup: Setup) -> str:
    """A release leaves the time at which a channel expires as it is, and a change of its life moves it."""
    setup.hosting.ensure_channel("probe")
    times = [change_channel(setup, {"ttl": "3600s"}, "probe")["expireTime"]]
    setup.pause(2)
    setup.hosting.release("probe", create_version(setup, b"probe"))
    found = setup.google.read(API, f"{V1}/sites/{setup.hosting.site}/channels/probe")
    times.append(found["expireTime"])
    times.append(change_channel(setup, {"ttl": "7200s"}, "probe")["expireTime"])
    return expect(times[0] == times[1] < times[2], f"expires {', '.join(times)}")


def probe_retained_100(setup: Setup) -> str:
    """The live channel can be told to keep 100 releases."""
    try:
        answer = change_channel(setup, {"retainedReleaseCount": MAX_RETAINED_RELEASES}, LIVE)
    except StatusError as error:
        raise DisprovedError(f"status {error.status}") from None
    return expect(answer.get("retainedReleaseCount") == MAX_RETAINED_RELEASES, f"{answer.get('retainedReleaseCount')}")


PROBES: dict[str, Callable[[Setup], str]] = {
    name.removeprefix("probe_").replace("_", "-"): probe
    for name, probe in list(globals().items())
    if name.startswith("probe_") and callable(probe)
}


def prepare(project: Project, pause: Callable[[float], None]) -> Setup:
    """Enable APIs and Firebase, and start the probe server: a tagged revision with a minimum, then one with traffic."""
    google = Google(project)
    google.gcloud("services", "enable", *(f"{api}.googleapis.com" for api in APIS))
    try:
        google.change("POST", "firebase", f"/v1beta1/projects/{project.id}:addFirebase", {})
    except StatusError as error:
        if error.status != 409:
            raise
    hosting, traffic = Hosting(google), Traffic(google, SERVICE)
    setup = Setup(google, hosting, traffic, project.host(SERVICE), pause, f"probe-{secrets.token_hex(8)}")
    sites = console.retry(lambda: google.read_all(API, f"{V1}/projects/{project.id}/sites", "sites"))
    setup.sites_before = len(sites)
    log_info(f"using the site {hosting.site}")
    setup.deploy(SERVICE, "--min-instances=1")
    setup.deploy(SERVICE, "--min-instances=default", "--no-traffic", f"--tag={TAG}")
    found = traffic.read()
    setup.first_revision, second = serving_revision(found), tagged_revision(found, TAG)
    # The traffic goes to the second revision, and the first, which has the minimum, keeps only the tag.
    found["spec"]["traffic"] = [
        {"revisionName": second, "percent": 100},
        {"revisionName": setup.first_revision, "tag": TAG},
    ]
    found.pop("status")
    path = f"/apis/serving.knative.dev/v1/namespaces/{project.id}/services/{SERVICE}"
    google.change("PUT", f"{project.region}-run", path, found)
    setup.shifted_at = time.time()
    return setup


def clean_up(setup: Setup) -> None:
    """Remove what costs money. The project itself is the maintainer's."""
    for name in setup.google.gcloud_list(
        "run", "services", "list", f"--region={setup.google.project.region}", field="metadata.name"
    ):
        if name in (SERVICE, NO_SERVICE):
            setup.google.gcloud("run", "services", "delete", name, f"--region={setup.google.project.region}")


def run_probes(setup: Setup, results: dict[str, str]) -> list[str]:
    """Run every probe, and add the results. Returns the ids of the beliefs that are wrong or could not be tried."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    wrong = []
    # Traffic is replaced by two probes, which removes the tag, so those that need the tag come first or last.
    order = sorted(PROBES, key=lambda name: (name.startswith("put-"), name == "tag-minimum"))
    order = [
        *(name for name in order if not name.startswith("put-")),
        *(name for name in order if name.startswith("put-")),
    ]
    for name in order:
        try:
            results[name] = f"confirmed {today}: {PROBES[name](setup)}"
        except DisprovedError as error:
            results[name] = f"**WRONG** {today}: {error}"
            wrong.append(name)
        except (UserFacingError, KeyError) as error:
            results[name] = f"could not be tried {today}: {str(error)[:80]}"
            wrong.append(name)
        log_info(f"{name}: {results[name]}")
    return wrong


def main(arguments: list[str]) -> None:
    """Try the beliefs. Raises `UserFacingError` if one is wrong."""
    parser = argparse.ArgumentParser(
        prog="website/deploy/prove", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", help="id of the throw-away project")
    parser.add_argument("--region", default="europe-west1")
    parser.add_argument(
        "--no-wait", action="store_true", help="do not wait between steps (for tests with a fake cloud)"
    )
    options = parser.parse_args(arguments)
    number = console.read(
        ["gcloud", "projects", "describe", options.project, "--format=value(projectNumber)", "--quiet"]
    )
    names = dict.fromkeys(("bucket", "sql_connection", "sql_name", "sql_user"), "")
    project = Project(id=options.project, number=number, region=options.region, firebase=options.project, **names)
    setup = prepare(project, (lambda _: None) if options.no_wait else time.sleep)
    results = facts.read_results()
    try:
        wrong = run_probes(setup, results)
    finally:
        clean_up(setup)
    facts.write_page(results)
    if wrong:
        raise UserFacingError(f"these beliefs are wrong or could not be tried: {', '.join(wrong)}. See FACTS.md")


if __name__ == "__main__":
    run_main(main)
