"""`website/deploy/rollback`: returns production to an earlier release, and holds further releases."""

import argparse
import os
from typing import Any

from release import console, service
from release.console import log_info
from release.errors import UserFacingError, run_main
from release.game_services import GameServices
from release.google import Google
from release.hosting import LIVE, PREVIOUS_LABEL, Hosting
from release.project import DEPLOY, read_project
from release.service import SERVICE, Traffic

MAX_CONFLICTS = 5
DESCRIPTION = """Rolls production back to the previous revision of the back end and the previous version of the page.

Releases are held then: `website/deploy/deploy` refuses to release until it is run with --end-hold. A release that runs
at the same time stops. The database is not rolled back: each schema fits earlier versions of the server too."""


def roll_back_backend(google: Google, traffic: Traffic, revision: str) -> None:
    """Send the traffic to a revision, or if it is "", to the one that the serving revision replaced. Holds releases.

    Further services with games go to the same release.
    """
    for number in range(MAX_CONFLICTS):
        found = traffic.read()
        serving = find_newest(traffic, found)
        target = revision or traffic.labels_of(serving).get(service.PREVIOUS_LABEL, "")
        if not target or service.KEY_LABEL not in traffic.labels_of(target):
            raise UserFacingError(
                f"there is no earlier release to roll back to: {target or serving} was not made by a release. Name a "
                "revision with --revision (gcloud run revisions list)"
            )
        if service.traffic_shares(found) == {target: 100}:
            raise UserFacingError(f"the revision {target} serves already")
        log_info(f"rolling back traffic from={serving} to={target}")
        try:
            traffic.shift(found, target, hold=serving)
        except UserFacingError as error:
            # A release changed the service in between. It stops at its next step, when it sees the hold or the traffic.
            if not service.is_conflict(error) or number == MAX_CONFLICTS - 1:
                raise
        else:
            break
    GameServices(google).roll_back(traffic.labels_of(target)[service.KEY_LABEL])
    console.run([DEPLOY / "smoke", f"https://{google.project.host(SERVICE)}"], dry_run=google.dry_run)


def find_newest(traffic: Traffic, found: dict[str, Any]) -> str:
    """Return the revision that serves; with a canary, the one that is being tried, since it replaces the other."""
    shares = service.traffic_shares(found)
    for name in shares:
        if len(shares) == 2 and traffic.labels_of(name).get(service.PREVIOUS_LABEL) in shares.keys() - {name}:
            return name
    return service.serving_revision(found)


def hold_releases(traffic: Traffic) -> None:
    """Hold releases without moving the traffic."""
    found = traffic.read()
    serving = service.serving_revision(found)
    traffic.shift(found, serving, hold=serving)


def roll_back_page(hosting: Hosting, version: str) -> None:
    """Show a version of the page, or if it is "", the one that the live version replaced, however old it is."""
    live = hosting.find_channel(LIVE)
    shown = live.version if live else None
    target = version or (shown.labels.get(PREVIOUS_LABEL, "") if shown else "")
    if not target:
        known = sorted({found.id for found in hosting.read_releases()} - {shown.id if shown else ""})
        raise UserFacingError(f"there is no earlier version of the page. Name one with --version: {known or 'none'}")
    if shown and shown.id == target:
        raise UserFacingError(f"the version {target} is shown already")
    log_info(f"rolling back page from={shown.id if shown else 'none'} to={target}")
    hosting.release(LIVE, target, "rollback")


def main(arguments: list[str]) -> None:
    """Roll back."""
    parser = argparse.ArgumentParser(
        prog="website/deploy/rollback", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--revision",
        default="",
        help="revision of the first service to serve (gcloud run revisions list); the others go to the same release",
    )
    parser.add_argument("--version", default="", help="id of the version of the page to show")
    parser.add_argument("--only", choices=["backend", "page"], help="roll back only this half")
    parser.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    options = parser.parse_args(arguments)
    google = Google(read_project(), dry_run=options.dry_run)
    hosting, traffic = Hosting(google, os.environ.get("HOSTING_SITE")), Traffic(google, SERVICE)
    if options.only == "page":
        hold_releases(traffic)
    else:
        roll_back_backend(google, traffic, options.revision)
    if options.only != "backend":
        roll_back_page(hosting, options.version)
    log_info(f"rolled back service={google.project.host(SERVICE)}. Releases are held. Check it in a browser too.")


if __name__ == "__main__":
    run_main(main)
