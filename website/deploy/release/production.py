"""`website/deploy/deploy`: releases a built image and a built page to production, and rolls back if that fails."""

import argparse
import hashlib
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from release import canary, console, service
from release.console import log_info
from release.errors import UserFacingError, run_main
from release.game_services import GameServices, list_services, placement_settings
from release.google import Google
from release.hosting import KEY_LABEL, LIVE, PREVIOUS_LABEL, Channel, Hosting, read_serving_config, write_page_config
from release.image import push_image
from release.project import DEPLOY, ROOT, git, read_commit, read_project, resource_labels
from release.service import CANDIDATE, SERVICE, Traffic

MIGRATE_JOB, EXPORT_JOB, CERTIFY_JOB = "arcade-migrate", "arcade-export", "arcade-certify"
# One game uses 3 to 5 % of a core, so 2 CPUs can run 40 games.
MAX_GAMES = 40
DESCRIPTION = """Releases a built image and a built page to production, and rolls back if the release fails.

Order: push the image, migrate the database, start a candidate revision without traffic, run the smoke test on it,
send it a tenth of the new players and compare it with the previous revision, shift the traffic, run the smoke test,
release further services with games (GAME_SERVICES), release the page, run the smoke test. A half that did not change
is skipped. While a rollback holds releases, nothing is released. Settings come from environment variables, which
website/deploy/bootstrap prints."""


@dataclass(frozen=True)
class LiveState:
    """What is live before anything is changed."""

    revision: str
    revision_key: str
    channel: Channel


class Release:
    """One release. `restore` undoes what it has changed."""

    def __init__(self, google: Google, hosting: Hosting, options: argparse.Namespace, folder: Path) -> None:
        self._google, self._hosting, self._options, self._folder = google, hosting, options, folder
        self._traffic = Traffic(google, SERVICE)
        self._game_services = GameServices(google)
        self._api_url = f"https://{google.project.host(SERVICE)}"
        self._candidate_url = f"https://{CANDIDATE}---{google.project.host(SERVICE)}"
        self._shifted_to = ""  # the revision that the traffic may have been shifted to
        self._released_page = ""  # the version of the page that may be live

    def run(self) -> None:
        """Release what changed."""
        self._live = self._read_live()
        self._page_url = os.environ.get("PAGE_URL") or f"https://{self._hosting.site}.web.app"
        self._plan()
        if self._changed_backend:
            self._release_backend()
        if self._changed_page:
            self._release_page()
        log_info(f"released api={self._api_url} page={self._page_url}")

    def restore(self) -> None:
        """Roll back the page and the traffic, unless a rollback by somebody else has already taken over."""
        halves = (
            ("page", self._restore_page),
            ("traffic", self._restore_traffic),
            ("services with games", self._game_services.restore),
        )
        for what, half in halves:
            try:
                half()
            except UserFacingError as error:
                log_info(f"error: rollback of the {what} FAILED: {error}. Do it by hand, see docs/operations.md.")

    def _read_live(self) -> LiveState:
        found = self._traffic.read()
        held = service.held_since(found)
        if held and not self._options.end_hold:
            raise UserFacingError(
                f"releases are held since {held} was rolled back. Fix the cause, then run `website/deploy/deploy "
                "--end-hold` or the workflow `deploy` with that option"
            )
        revision = service.serving_revision(found)
        labels = self._traffic.labels_of(revision)
        channel = self._hosting.find_channel(LIVE) or Channel(LIVE, "", None, 0)
        return LiveState(revision, labels.get(service.KEY_LABEL, ""), channel)

    def _plan(self) -> None:
        """Determine what has to be released.

        The release key is a digest of sources and settings. It is compared with the key of the serving revision and of
        the live page, so a release that failed or was cancelled is repeated by the next run.
        """
        environment = self._folder / "service.json"
        service.write_environment(environment, self._google, self._settings())
        settings = environment.read_bytes() + service.list_secrets().encode()
        self._key = compute_key(["website/backend", "website/deploy"], settings)
        # The page contains the catalogue of games, which the back end's sources hold.
        self._page_key = compute_key(["website/frontend", "website/deploy", "website/backend"], settings)
        live = self._live.channel.version
        force = self._options.force or self._options.end_hold
        self._changed_backend = force or self._key != self._live.revision_key
        self._changed_page = force or live is None or self._page_key != live.labels.get(KEY_LABEL)
        plan = f"backend={yes(self._changed_backend)} page={yes(self._changed_page)}"
        log_info(f"planned release {plan}")

    def _settings(self) -> dict[str, str]:
        read, project, services = os.environ.get, self._google.project, list_services()
        hosts = [url.removeprefix("https://") for url in (self._api_url, self._candidate_url)]
        # Hosting shows the page at two addresses of its own.
        origins = [self._page_url, f"https://{self._hosting.site}.firebaseapp.com", read("MORE_ORIGINS") or ""]
        return {
            "SKILL_ARCADE_ENVIRONMENT": "production",
            "TRUSTED_PROXIES": "1",
            "TRUSTED_HOSTS": ",".join(hosts),
            "CORS_ORIGINS": ",".join(filter(None, origins)),
            "GCP_SQL_NAME": project.sql_name,
            "GCP_SQL_USER": project.sql_user,
            "GCP_SQL_IAM_AUTH": "true",
            "MAX_GAMES": str(MAX_GAMES),
            "MAX_INSTANCES": str(len(services)) if len(services) > 1 else max_instances(),
            "UPLOADER_NUM_WORKERS": read("UPLOADER_NUM_WORKERS") or "4",
            "DATABASE_POOL_SIZE": "4",
            "DATABASE_MAX_CONNECTIONS": read("SQL_MAX_CONNECTIONS") or "",
            # Exports and re-runs are jobs, so that they take neither memory nor CPU from the games.
            "EXPORT_JOB": f"projects/{project.id}/locations/{project.region}/jobs/{EXPORT_JOB}",
            "CERTIFIER": "false",
            "CERTIFY_JOB": f"projects/{project.id}/locations/{project.region}/jobs/{CERTIFY_JOB}",
            "FIREBASE_PROJECT_ID": project.firebase,
            "FIREBASE_API_KEY": read("FIREBASE_API_KEY") or "",
            "FIREBASE_GOOGLE_CLIENT_ID": read("FIREBASE_GOOGLE_CLIENT_ID") or "",
            "RATE_LIMIT_BURST": read("RATE_LIMIT_BURST") or "",
            "MAX_ADDRESS_PERCENT": read("MAX_ADDRESS_PERCENT") or "",
            "RESEARCHER_EMAILS": read("RESEARCHER_EMAILS") or "",
            "ADMIN_EMAILS": read("ADMIN_EMAILS") or "",
            **placement_settings(self._google, SERVICE),
        }

    def _release_backend(self) -> None:
        image = push_image(self._google, self._options.image, "server", self._folder)
        service.migrate_database(self._google, MIGRATE_JOB, image, self._google.project.sql_name, self._folder)
        labels = {service.KEY_LABEL: self._key, "commit": read_commit()}
        marks = resource_labels(SERVICE, **labels, **{service.PREVIOUS_LABEL: self._live.revision})
        # A service with an address for its server has one server.
        instances = 1 if len(list_services()) > 1 else int(max_instances())
        size = service.size_flags(cpu=2, memory="3Gi", games=MAX_GAMES, instances=instances, minimum=1)
        flags = (f"--labels={marks}", "--no-traffic", f"--tag={CANDIDATE}")
        service.deploy_service(self._google, SERVICE, image, self._folder / "service.json", *size, *flags)
        self._run_smoke_test(self._candidate_url)
        found = self._traffic.read()
        self._check_still_allowed(found)
        revision = "the-candidate" if self._google.dry_run else service.tagged_revision(found, CANDIDATE)
        self._shifted_to = revision
        if self._has_canary():
            self._try_canary(found, revision)
            found = self._traffic.read()
            self._check_still_allowed(found)
        self._traffic.shift(found, revision, hold="" if self._options.end_hold else None)
        self._run_smoke_test(self._api_url)
        self._game_services.release(image, self._settings(), self._folder, self._check_candidate, **labels)
        self._deploy_jobs(image)

    def _check_candidate(self, url: str) -> None:
        """Run the smoke test on a further service, and raise `UserFacingError` if a rollback has been made."""
        self._run_smoke_test(url)
        if not self._google.dry_run:
            self._check_still_allowed(self._traffic.read())

    def _has_canary(self) -> bool:
        """Return whether there is an earlier release to compare with, and the operator wants to wait for it."""
        return bool(self._live.revision_key) and canary_minutes() > 0 and not self._options.skip_canary

    def _try_canary(self, found: dict[str, Any], revision: str) -> None:
        """Send a share of the new players to the candidate, and raise `UserFacingError` if it does worse."""
        live = self._live.revision
        self._traffic.share(found, {live: 100 - canary.PERCENT, revision: canary.PERCENT})
        if not self._google.dry_run:
            check = lambda: self._check_still_allowed(self._traffic.read())  # noqa: E731
            canary.watch(self._google, live, revision, canary_minutes(), check)

    def _deploy_jobs(self, image: str) -> None:
        """Deploy the jobs that export and certify. Requests of the previous version fit them too, after a rollback."""
        environment = self._folder / "jobs.json"
        settings = {name: value for name, value in self._settings().items() if name.startswith("GCP_")}
        settings |= {
            "SKILL_ARCADE_HOME": "/var/lib/skill-arcade",
            "EXPORT_MEMORY_MB": "2048",
            "CERTIFIER_MEMORY_MB": "3072",
        }
        service.write_environment(environment, self._google, settings)
        account = f"--service-account={self._google.project.account('arcade-run')}"
        # A file of the container is in its memory, so there is room for one part of an export beside its process.
        # An execution that dies is started again, and makes the same export once its claim has ended.
        size = ("--cpu=2", "--memory=4Gi", "--tasks=1", "--max-retries=2", "--task-timeout=6h")
        service.deploy_job(self._google, EXPORT_JOB, image, environment, "export-requested", account, *size)
        tasks = os.environ.get("CERTIFY_TASKS") or "1"
        size = ("--cpu=1", "--memory=4Gi", f"--tasks={tasks}", "--max-retries=0", "--task-timeout=50m")
        service.deploy_job(self._google, CERTIFY_JOB, image, environment, "certify", account, *size)

    def _check_still_allowed(self, found: dict[str, Any]) -> None:
        """Raise `UserFacingError` if a rollback has been made since the release started."""
        if not self._options.end_hold and (held := service.held_since(found)):
            raise UserFacingError(f"{held} was rolled back while this release ran, so the release stops")
        if not service.traffic_shares(found).keys() <= {self._live.revision, self._shifted_to}:
            raise UserFacingError("the traffic was changed while this release ran, so the release stops")

    def _release_page(self) -> None:
        page = self._folder / "page"
        shutil.copytree(self._options.page, page)
        write_page_config(page, self._api_url, self._page_key)
        before = self._live.channel.version
        labels = {KEY_LABEL: self._page_key, **({PREVIOUS_LABEL: before.id} if before else {})}
        config = read_serving_config(ROOT / "website" / "frontend" / "firebase.json", self._api_url)
        self._hosting.retain_releases(self._live.channel)
        version = self._hosting.upload(page, config, labels)
        if not self._google.dry_run:
            self._check_still_allowed(self._traffic.read())
        self._released_page = version
        self._hosting.release(LIVE, version, read_commit())
        self._run_smoke_test(self._api_url, "--page", self._page_url)

    def _restore_page(self) -> None:
        if not self._released_page or (before := self._live.channel.version) is None:
            return
        live = self._hosting.find_channel(LIVE)
        if live and live.version and live.version.name == self._released_page:
            log_info(f"release failed, rolling back page version={before.id}")
            self._hosting.release(LIVE, before.name, "the release failed")

    def _restore_traffic(self) -> None:
        if not self._shifted_to:
            return
        log_info(f"release failed, rolling back traffic revision={self._live.revision}")
        found = self._traffic.read()
        if service.held_since(found):
            log_info("a rollback holds the traffic, so it is left as it is")
        elif self._shifted_to in (shares := service.traffic_shares(found)) and shares.keys() <= {
            self._live.revision,
            self._shifted_to,
        }:
            self._traffic.shift(found, self._live.revision)

    def _run_smoke_test(self, *arguments: str) -> None:
        console.run([DEPLOY / "smoke", *arguments], dry_run=self._google.dry_run)


def yes(is_true: bool) -> str:
    """Return the word for a log line."""
    return "yes" if is_true else "no"


def max_instances() -> str:
    """Return the variable MAX_INSTANCES."""
    return os.environ.get("MAX_INSTANCES") or "10"


def canary_minutes() -> float:
    """Return the variable CANARY_MINUTES."""
    text = os.environ.get("CANARY_MINUTES") or f"{canary.DEFAULT_MINUTES}"
    try:
        return float(text)
    except ValueError:
        raise UserFacingError(f"the variable CANARY_MINUTES must be a number, not {text!r}") from None


def compute_key(folders: list[str], settings: bytes) -> str:
    """Return 40 hexadecimal digits, a digest of committed folders and the settings."""
    trees = git("rev-parse", *(f"HEAD:{folder}" for folder in folders))
    return hashlib.sha256(trees.encode() + b"\n" + settings).hexdigest()[:40]


def raise_on_signal() -> None:
    """Raise an exception in this process when it is told to stop, so that it can roll back."""

    def stop(number: int, _frame: object) -> NoReturn:
        raise UserFacingError(f"stopped by {signal.Signals(number).name}")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def ignore_signals() -> None:
    """Keep a rollback from being interrupted. GitHub kills a cancelled job some seconds after it has signalled it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="website/deploy/deploy", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--image", type=Path, required=True, help="image archive that website/deploy/build wrote")
    parser.add_argument("--page", type=Path, required=True, help="built page that website/deploy/build wrote")
    parser.add_argument("--force", action="store_true", help="release both halves, also if they did not change")
    parser.add_argument(
        "--end-hold", action="store_true", help="release although a rollback holds releases; implies --force"
    )
    parser.add_argument(
        "--skip-canary", action="store_true", help="shift all traffic at once, for an urgent correction"
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    options = parser.parse_args(arguments)
    if not options.image.is_file():
        raise UserFacingError(f"--image must be the path of a file, not {options.image}")
    if not (options.page / "index.html").is_file():
        raise UserFacingError(f"--page must be the folder of a built page, and {options.page} has no index.html")
    return options


def main(arguments: list[str]) -> None:
    """Make a release. If it fails or is stopped, roll back."""
    options = read_options(arguments)
    google = Google(read_project(), dry_run=options.dry_run)
    hosting = Hosting(google, os.environ.get("HOSTING_SITE"))
    with tempfile.TemporaryDirectory(prefix="arcade-release-") as folder:
        release = Release(google, hosting, options, Path(folder))
        raise_on_signal()
        try:
            release.run()
        except BaseException:
            ignore_signals()
            release.restore()
            raise


if __name__ == "__main__":
    run_main(main)
