"""`website/deploy/restore-drill`: restores the database into a clone, checks the clone, and deletes it."""

import argparse
import os
import signal
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from release import service
from release.console import log_info
from release.errors import UserFacingError, run_main
from release.google import Google
from release.production import MIGRATE_JOB, raise_on_signal
from release.project import read_project

JOB, CLONE_PREFIX = "arcade-restore-check", "arcade-drill-"
MAX_OPERATION_SECONDS = 3 * 3600.0
POLL_SECONDS = 15.0
DESCRIPTION = """Restores the database as it was at a time, into a clone, and checks that nothing is missing.

Order: delete clones that an earlier drill has left, clone the instance to the time, erase again what was erased since,
compare the clone with the database in use and with the recordings in the bucket, and delete the clone, whatever
happens. Production is only read. Exit code 1 means that the check failed or could not be made."""


class Clones:
    """The clones of drills, by the Cloud SQL Admin API."""

    def __init__(self, google: Google) -> None:
        self._google = google
        self._root = f"/sql/v1beta4/projects/{google.project.id}"

    def create(self, name: str, moment: datetime) -> None:
        """Clone the instance as it was at `moment`."""
        source = self._google.project.sql_instance
        context = {"destinationInstanceName": name, "pointInTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
        self._change("POST", f"/instances/{source}/clone", {"cloneContext": context})

    def delete(self, name: str) -> None:
        """Delete a clone and its backups. A clone inherits the protection against deletion."""
        unprotected = {"deletionProtectionEnabled": False, "retainBackupsOnDelete": False}
        self._change("PATCH", f"/instances/{name}", {"settings": unprotected})
        self._change("DELETE", f"/instances/{name}")

    def names(self) -> list[str]:
        """Return the names of all clones of drills, also of those that are still being created."""
        found = self._google.read_all("sqladmin", f"{self._root}/instances", "items")
        return [item["name"] for item in found if item["name"].startswith(CLONE_PREFIX)]

    def _change(self, method: str, path: str, body: Any = None) -> None:
        """Make a change and wait until it is done."""
        operation = self._google.change(method, "sqladmin", self._root + path, body)
        end = time.monotonic() + MAX_OPERATION_SECONDS
        while not self._google.dry_run and operation["status"] != "DONE":
            if time.monotonic() > end:
                raise UserFacingError(f"{method} {path} is not done after {MAX_OPERATION_SECONDS / 3600:.0f} h")
            time.sleep(float(os.environ.get("DEPLOY_PAUSE_SECONDS", POLL_SECONDS)))
            operation = self._google.read("sqladmin", f"{self._root}/operations/{operation['name']}")
        if errors := operation.get("error", {}).get("errors"):
            raise UserFacingError(f"{method} {path} failed: {errors[0].get('message') or errors[0].get('code')}")


def check_clone(google: Google, name: str, moment: datetime, folder: Path) -> None:
    """Run the check as a job with the image of the last migration. Raises `UserFacingError` if it fails."""
    project, environment = google.project, folder / "check.json"
    settings = {"GCP_SQL_NAME": project.sql_name, "GCP_SQL_USER": project.sql_user, "GCP_SQL_IAM_AUTH": "true"}
    settings["SKILL_ARCADE_HOME"] = "/var/lib/skill-arcade"
    service.write_environment(environment, google, settings)
    arguments = f"check-restored,{project.id}:{project.region}:{name},--until={moment:%Y-%m-%dT%H:%M:%S}"
    flags = (f"--service-account={project.account('arcade-run')}", "--cpu=2", "--memory=4Gi")
    limits = ("--tasks=1", "--max-retries=0", "--task-timeout=3h")
    service.deploy_job(google, JOB, service.read_image(google, MIGRATE_JOB), environment, arguments, *flags, *limits)
    service.execute_job(google, JOB)


def run_drill(google: Google, clones: Clones, moment: datetime) -> None:
    """Clone, check and delete."""
    for left in clones.names():
        log_info(f"deleting the clone of an interrupted drill name={left}")
        clones.delete(left)
    name = f"{CLONE_PREFIX}{datetime.now(UTC):%Y%m%d-%H%M%S}"
    try:
        clones.create(name, moment)
        with tempfile.TemporaryDirectory(prefix="arcade-drill-") as folder:
            check_clone(google, name, moment, Path(folder))
    finally:
        # A second signal must not interrupt this.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if google.dry_run or name in clones.names():
            clones.delete(name)


def read_moment(text: str | None) -> datetime:
    """Return the time to restore, by default an hour ago. Raises `UserFacingError` if it is not a time."""
    if not text:
        return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserFacingError(f"--point-in-time must be a time such as 2026-11-22T03:00:00Z, not {text!r}") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def main(arguments: list[str]) -> None:
    """Make a drill."""
    parser = argparse.ArgumentParser(
        prog="website/deploy/restore-drill",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--point-in-time", help="time to restore, in UTC; default: an hour ago")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    options = parser.parse_args(arguments)
    google = Google(read_project(), dry_run=options.dry_run)
    moment = read_moment(options.point_in_time)
    raise_on_signal()
    started = time.monotonic()
    run_drill(google, Clones(google), moment)
    minutes = (time.monotonic() - started) / 60
    log_info(f"restored and checked point_in_time={moment:%Y-%m-%dT%H:%M:%SZ} minutes={minutes:.0f}")


if __name__ == "__main__":
    run_main(main)
