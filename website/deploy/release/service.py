"""Cloud Run: deploys a service and its migration job, and moves the traffic between revisions."""

import json
import os
import time
from pathlib import Path
from typing import Any

from release.errors import UserFacingError
from release.google import Google, StatusError
from release.project import AUTH_SECRET, METRICS_SECRET, OWNER_SECRET, OWNER_USER, resource_labels

SERVICE, CANDIDATE = "arcade", "candidate"
"""Name of the first service, and the tag of a revision that is being tried."""
# The journal is on an in-memory volume with its own size limit. If uploads stall, the journal fills this volume and new
# games are rejected. On the container's own disk it would exhaust the instance's memory and end every game.
JOURNAL_FOLDER = "/journal"
# A WebSocket is a request, so it ends after the longest request timeout that Cloud Run allows, one hour. The page then
# reconnects. Uploads also run between requests, so the CPU must not be throttled then.
SERVICE_FLAGS = (
    "--port=8080",
    "--timeout=3600",
    "--session-affinity",
    "--no-cpu-throttling",
    "--cpu-boost",
    "--execution-environment=gen2",
    "--ingress=all",
    "--startup-probe=httpGet.path=/health/ready,periodSeconds=2,timeoutSeconds=2,failureThreshold=100",
    "--liveness-probe=httpGet.path=/health/live,periodSeconds=10,timeoutSeconds=5,failureThreshold=3",
    "--add-volume=name=journal,type=in-memory,size-limit=1Gi",
    f"--add-volume-mount=volume=journal,mount-path={JOURNAL_FOLDER}",
    # A revision with a minimum of its own keeps its servers for as long as a tag names it, also without traffic. The
    # minimum is therefore set on the service, which shares it between the revisions that have traffic.
    "--min-instances=default",
)
HTTP_SLOTS = 24
"""Requests that a server takes besides one WebSocket for each game, so that sign-ins and "server full" get through."""
HOLD_LABEL = "arcade-hold"
KEY_LABEL = "arcade-release"
PREVIOUS_LABEL = "arcade-previous"
SETTLE_SECONDS = 120.0


def write_environment(file: Path, google: Google, settings: dict[str, str]) -> None:
    """Write the settings that are not secret for gcloud's --env-vars-file. Empty ones are left out.

    The file is JSON, so that every value is a string. In other formats gcloud rejects numbers and splits at commas.
    """
    shared = {
        "GCP_PROJECT_NAME": google.project.id,
        "GCP_BUCKET_NAME": google.project.bucket,
        "GCP_SQL_CONNECTION_NAME": google.project.sql_connection,
        "LOG_FORMAT": "json",
        "SKILL_ARCADE_HOME": JOURNAL_FOLDER,
        "JOURNAL_MAX_MB": "1024",
    }
    values = {name: value for name, value in {**shared, **settings}.items() if value}
    file.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")


def size_flags(*, cpu: int, memory: str, games: int, instances: int, minimum: int) -> tuple[str, ...]:
    """Return the flags for the size of a service. Concurrency counts WebSockets, so it exceeds the number of games."""
    return (
        f"--cpu={cpu}",
        f"--memory={memory}",
        f"--concurrency={games + HTTP_SLOTS}",
        f"--max-instances={instances}",
        f"--min={minimum}",
    )


def list_secrets() -> str:
    """Return the secrets of the server by version, so that a revision keeps the values that it was tested with.

    The first of AUTH_SECRET_VERSIONS signs, the second is still read. User ids come from version 1 for ever.
    """
    signing, *previous = (os.environ.get("AUTH_SECRET_VERSIONS") or "1").split(",")
    secrets = {"AUTH_SECRET": f"{AUTH_SECRET}:{signing}"}
    if previous:
        secrets["AUTH_SECRET_PREVIOUS"] = f"{AUTH_SECRET}:{previous[0]}"
    secrets["USER_ID_SECRET"] = f"{AUTH_SECRET}:1"
    secrets["METRICS_TOKEN"] = f"{METRICS_SECRET}:{os.environ.get('METRICS_SECRET_VERSION') or '1'}"
    return ",".join(f"{name}={secret}" for name, secret in secrets.items())


def deploy_service(google: Google, name: str, image: str, environment: Path, *flags: str) -> None:
    """Create a service or a new revision of it."""
    google.gcloud(
        "run",
        "deploy",
        name,
        f"--region={google.project.region}",
        f"--image={image}",
        f"--service-account={google.project.account('arcade-run')}",
        *SERVICE_FLAGS,
        f"--env-vars-file={environment}",
        f"--set-secrets={list_secrets()}",
        *flags,
    )


def migrate_database(google: Google, job: str, image: str, database: str, folder: Path) -> None:
    """Migrate the schema and grant the rights of the server and the researchers.

    Migrations only add to the schema (docs/deploy.md), so the serving version keeps working.
    """
    project, environment = google.project, folder / "migrate.json"
    write_environment(environment, google, {"GCP_SQL_NAME": database, "GCP_SQL_USER": OWNER_USER})
    researchers = os.environ.get("RESEARCHERS")
    arguments = f"migrate,--app={project.sql_user}{f',--reader={researchers}' if researchers else ''}"
    size = ("--cpu=1", "--memory=1Gi", "--tasks=1", "--max-retries=1", "--task-timeout=10m")
    deploy_job(google, job, image, environment, arguments, *owner_flags(google), *size)
    execute_job(google, job)


def owner_flags(google: Google) -> tuple[str, str]:
    """Return the flags of a job that signs in to the database as its owner."""
    version = os.environ.get("OWNER_SECRET_VERSION") or "1"
    account = google.project.account("arcade-migrate")
    return f"--service-account={account}", f"--set-secrets=GCP_SQL_PASSWORD={OWNER_SECRET}:{version}"


def deploy_job(google: Google, name: str, image: str, environment: Path, arguments: str, *flags: str) -> None:
    """Create or replace a job that runs `skill-arcade` with these arguments, which are separated by commas."""
    google.gcloud(
        "run",
        "jobs",
        "deploy",
        name,
        f"--region={google.project.region}",
        f"--image={image}",
        "--command=skill-arcade",
        f"--args={arguments}",
        f"--env-vars-file={environment}",
        f"--labels={resource_labels(name)}",
        *flags,
    )


def read_image(google: Google, job: str) -> str:
    """Return the image of a job."""
    path = f"/apis/run.googleapis.com/v1/namespaces/{google.project.id}/jobs/{job}"
    found = google.read(f"{google.project.region}-run", path)
    return str(found["spec"]["template"]["spec"]["template"]["spec"]["containers"][0]["image"])


def execute_job(google: Google, name: str) -> None:
    """Run a job and wait until it ends. Raises `UserFacingError` if it fails."""
    google.gcloud("run", "jobs", "execute", name, f"--region={google.project.region}", "--wait")


class Traffic:
    """The traffic of a service. Each change is a compare-and-set: it fails if anybody else changed the service."""

    def __init__(self, google: Google, service: str) -> None:
        self._google, self._name = google, service
        self._api = f"{google.project.region}-run"
        self._root = f"/apis/serving.knative.dev/v1/namespaces/{google.project.id}"

    def read(self) -> dict[str, Any]:
        """Return the service as Cloud Run describes it."""
        service: dict[str, Any] = self._google.read(self._api, f"{self._root}/services/{self._name}")
        return service

    def labels_of(self, revision: str) -> dict[str, str]:
        """Return the labels of a revision. Raises `UserFacingError` if it does not exist."""
        found = self._google.read(self._api, f"{self._root}/revisions/{revision}")
        return dict(found["metadata"].get("labels", {}))

    def shift(self, service: dict[str, Any], revision: str, *, hold: str | None = None) -> None:
        """Send all traffic to a revision. See `share`."""
        self.share(service, {revision: 100}, hold=hold)

    def share(self, service: dict[str, Any], percents: dict[str, int], *, hold: str | None = None) -> None:
        """Share the traffic between revisions, and remove all tags. Open WebSockets stay connected to their revision.

        `hold` sets the label that keeps later releases from being made, in the same step; "" removes it. `service` is
        what the caller decided by: if it has changed since, nothing is changed and `StatusError` 409 is raised.
        """
        wanted = json.loads(json.dumps(service))
        wanted["spec"]["traffic"] = [{"revisionName": name, "percent": share} for name, share in percents.items()]
        labels = wanted["metadata"].setdefault("labels", {})
        if hold is not None:
            labels.pop(HOLD_LABEL, None)
            labels |= {HOLD_LABEL: hold} if hold else {}
        wanted.pop("status", None)
        self._google.change("PUT", self._api, f"{self._root}/services/{self._name}", wanted)
        if not self._google.dry_run:
            self._wait_until_settled(percents)

    def _wait_until_settled(self, percents: dict[str, int]) -> None:
        """Wait until Cloud Run routes the traffic as asked."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            service = self.read()
            status = service["status"]
            conditions = {part["type"]: part["status"] for part in status.get("conditions", [])}
            is_current = status.get("observedGeneration") == service["metadata"]["generation"]
            if is_current and conditions.get("RoutesReady") == "True" and traffic_shares(service) == percents:
                return
            if time.monotonic() > end:
                names = " and ".join(percents)
                raise UserFacingError(f"the traffic was not sent to {names} within {SETTLE_SECONDS:.0f} s")
            time.sleep(1)


def traffic_shares(service: dict[str, Any]) -> dict[str, int]:
    """Return the revisions that receive traffic, with their percentages."""
    return {entry["revisionName"]: entry["percent"] for entry in service["status"]["traffic"] if entry.get("percent")}


def serving_revision(service: dict[str, Any]) -> str:
    """Return the name of the revision that receives all traffic of a service."""
    serving = set(traffic_shares(service))
    if len(serving) != 1:
        raise UserFacingError(f"the traffic is split between {sorted(serving)}. Send all of it to one revision first")
    return str(serving.pop())


def tagged_revision(service: dict[str, Any], tag: str) -> str:
    """Return the name of the revision with this tag."""
    tagged = [entry["revisionName"] for entry in service["status"]["traffic"] if entry.get("tag") == tag]
    if len(tagged) != 1:
        raise UserFacingError(f"the service {service['metadata']['name']} has no revision with the tag {tag}")
    return str(tagged[0])


def held_since(service: dict[str, Any]) -> str:
    """Return the revision that a rollback has taken out of service, or "" if releases are not held."""
    return str(service["metadata"].get("labels", {}).get(HOLD_LABEL, ""))


def is_conflict(error: Exception) -> bool:
    """Return whether a change failed because somebody else changed the service."""
    return isinstance(error, StatusError) and error.status == 409
