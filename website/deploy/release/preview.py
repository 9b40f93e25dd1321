"""`website/deploy/preview`: a complete, separate deployment for each pull request."""

import argparse
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from release import console, service
from release.console import log_info
from release.errors import UserFacingError, run_main
from release.google import Google
from release.hosting import Hosting, read_serving_config, write_page_config
from release.image import push_image
from release.project import DEPLOY, REPOSITORY, ROOT, read_commit, read_project, resource_labels
from release.pull_requests import list_open

MAX_GAMES = 10
NAME = re.compile(r"(?:arcade-|arcade-migrate-|previews/)?pr[-_]([1-9][0-9]*)")
DESCRIPTION = """Creates, updates and removes the preview of a pull request.

up: create or update the service, database, bucket prefix and Hosting channel, and play three games for test data.
down: remove everything that exists of the preview; fails if something could not be removed or listed.
sweep: remove every preview whose pull request is not open, and renew the channels of the others (needs GITHUB_TOKEN).

Settings come from environment variables, which website/deploy/bootstrap preview prints."""


@dataclass(frozen=True)
class Names:
    """Names of the parts of a preview."""

    number: int

    @property
    def service(self) -> str:
        """Cloud Run service."""
        return f"arcade-pr-{self.number}"

    @property
    def job(self) -> str:
        """Migration job."""
        return f"arcade-migrate-pr-{self.number}"

    @property
    def database(self) -> str:
        """Database."""
        return f"pr_{self.number}"

    @property
    def channel(self) -> str:
        """Hosting channel and image."""
        return f"pr-{self.number}"

    @property
    def prefix(self) -> str:
        """Prefix of all objects, without the slash that keeps preview 7 from including preview 70."""
        return f"previews/pr-{self.number}"


class Previews:
    """The previews in a project."""

    def __init__(self, google: Google, hosting: Hosting) -> None:
        self._google, self._hosting = google, hosting

    def create(self, number: int, image_archive: Path, page_folder: Path, folder: Path) -> None:
        """Create or update a preview."""
        names, google = Names(number), self._google
        api_url = f"https://{google.project.host(names.service)}"
        # The channel is created first: its address has a random part, and the service allows only that origin.
        page_url = self._hosting.ensure_channel(names.channel).url
        image = push_image(google, image_archive, names.channel, folder)
        if names.database not in self._databases():
            google.gcloud("sql", "databases", "create", names.database, f"--instance={google.project.sql_instance}")
        service.migrate_database(google, names.job, image, names.database, folder)
        settings = {
            "SKILL_ARCADE_ENVIRONMENT": "preview",
            "AUTH_METHOD": "email",
            "TRUSTED_PROXIES": "1",
            "TRUSTED_HOSTS": api_url.removeprefix("https://"),
            "CORS_ORIGINS": page_url,
            "GCP_BUCKET_PREFIX": names.prefix,
            "GCP_SQL_NAME": names.database,
            "GCP_SQL_USER": google.project.sql_user,
            "GCP_SQL_IAM_AUTH": "true",
            "DATABASE_POOL_SIZE": "2",
            "UPLOADER_NUM_WORKERS": "2",
            "MAX_GAMES": str(MAX_GAMES),
            # A preview has no jobs: what it exports and re-runs shares the memory of its games.
            "EXPORT_MEMORY_MB": "512",
            "CERTIFIER_MEMORY_MB": "768",
        }
        service.write_environment(folder / "service.json", google, settings)
        size = service.size_flags(cpu=1, memory="2Gi", games=MAX_GAMES, instances=1, minimum=0)
        labels = resource_labels(names.service, preview=str(number), commit=read_commit())
        flags = (*size, "--allow-unauthenticated", f"--labels={labels}")
        service.deploy_service(google, names.service, image, folder / "service.json", *flags)
        # The smoke test plays three games, which also creates test data in the current schema.
        console.run([DEPLOY / "smoke", api_url, "--games", "3"], dry_run=google.dry_run)
        page = folder / "page"
        shutil.copytree(page_folder, page)
        write_page_config(page, api_url, read_commit())
        config = read_serving_config(ROOT / "website" / "frontend" / "firebase.json", api_url)
        # A preview must not be found by a search engine.
        config["headers"].append({"glob": "**", "headers": {"X-Robots-Tag": "noindex"}})
        self._hosting.release(names.channel, self._hosting.upload(page, config, {}), read_commit())
        console.run([DEPLOY / "smoke", api_url, "--page", page_url], dry_run=google.dry_run)
        log_info(f"deployed preview pull_request={number} page={page_url} api={api_url}")
        if output := os.environ.get("GITHUB_OUTPUT"):
            with Path(output).open("a") as file:
                file.write(f"page={page_url}\napi={api_url}\n")

    def remove(self, number: int) -> list[str]:
        """Remove every part that exists. Returns the parts that could not be listed or removed.

        Each part is removed separately, so that a failure does not stop the removal of the others. The service comes
        first, because it uses the other parts.
        """
        names, google, region = Names(number), self._google, f"--region={self._google.project.region}"
        instance = f"--instance={google.project.sql_instance}"
        objects = f"gs://{google.project.bucket}/{names.prefix}/**"
        place = (f"--repository={REPOSITORY}", f"--location={google.project.region}")
        delete_channel = self._hosting.delete_channel

        def delete_service() -> None:
            google.gcloud("run", "services", "delete", names.service, region)

        def delete_job() -> None:
            google.gcloud("run", "jobs", "delete", names.job, region)

        def delete_database() -> None:
            # A database cannot be dropped until the service's last connections are closed, some seconds later.
            google.gcloud_with_retry("sql", "databases", "delete", names.database, instance)

        parts: list[tuple[str, str, Callable[[], list[str]], Callable[[], None]]] = [
            ("service", names.service, self._services, delete_service),
            ("job", names.job, self._jobs, delete_job),
            ("database", names.database, self._databases, delete_database),
            ("objects", names.prefix, self._prefixes, lambda: google.gcloud("storage", "rm", "--recursive", objects)),
            ("channel", names.channel, self._channels, lambda: delete_channel(names.channel)),
            (
                "images",
                names.channel,
                self._packages,
                lambda: google.gcloud("artifacts", "packages", "delete", names.channel, *place),
            ),
        ]
        failed = []
        for kind, name, list_names, delete in parts:
            try:
                if name in list_names():
                    delete()
            except UserFacingError as error:
                log_info(f"error: {error}")
                failed.append(f"{kind} {name}")
        return failed

    def sweep(self, repository: str) -> None:
        """Remove previews that were not removed on close, and renew the channels of the others.

        GitHub sends no event for a pull request with conflicts, and a run can be cancelled.
        """
        # Previews are listed first: one whose pull request is opened in between is then not taken for closed.
        found = self._find()
        is_open = set(list_open(repository))
        failures = []
        for number in found:
            if number in is_open:
                if Names(number).channel in self._channels():
                    self._hosting.ensure_channel(Names(number).channel)
                continue
            log_info(f"removing preview pull_request={number} reason=not-open")
            if failed := self.remove(number):
                failures.append(f"#{number}: {', '.join(failed)}")
        log_info(f"kept previews pull_requests={sorted(is_open & set(found)) or 'none'}")
        if failures:
            raise UserFacingError(f"cannot remove all of {'; '.join(failures)}. The next run tries again")

    def _find(self) -> list[int]:
        """Return the numbers of all pull requests of which any part of a preview exists."""
        lists = (self._services, self._jobs, self._databases, self._prefixes, self._channels, self._packages)
        names = [name for list_names in lists for name in list_names()]
        return sorted({int(match[1]) for name in names if (match := NAME.fullmatch(name))})

    def _services(self) -> list[str]:
        return self._google.gcloud_list("run", "services", "list", self._region, field="metadata.name")

    def _jobs(self) -> list[str]:
        return self._google.gcloud_list("run", "jobs", "list", self._region, field="metadata.name")

    def _databases(self) -> list[str]:
        instance = f"--instance={self._google.project.sql_instance}"
        return self._google.gcloud_list("sql", "databases", "list", instance, field="name")

    def _prefixes(self) -> list[str]:
        objects = f"gs://{self._google.project.bucket}/previews/**"
        names = self._google.gcloud_list("storage", "objects", "list", objects, field="name")
        return sorted({"/".join(name.split("/")[:2]) for name in names})

    def _channels(self) -> list[str]:
        return [channel.id for channel in self._hosting.channels()]

    def _packages(self) -> list[str]:
        place = (f"--repository={REPOSITORY}", f"--location={self._google.project.region}")
        return self._google.gcloud_list("artifacts", "packages", "list", *place, field="name.basename()")

    @property
    def _region(self) -> str:
        return f"--region={self._google.project.region}"


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="website/deploy/preview", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    up, down, sweep = verbs.add_parser("up"), verbs.add_parser("down"), verbs.add_parser("sweep")
    for verb in (up, down):
        verb.add_argument("number", help="number of the pull request")
    up.add_argument("--image", type=Path, required=True, help="image archive that website/deploy/build wrote")
    up.add_argument("--page", type=Path, required=True, help="built page that website/deploy/build wrote")
    sweep.add_argument("--repository", default=os.environ.get("GITHUB_REPOSITORY", ""), help="OWNER/NAME")
    for verb in (up, down, sweep):
        verb.add_argument("--dry-run", action="store_true", help="print what would change, and change nothing")
    options = parser.parse_args(arguments)
    if options.verb != "sweep":
        if not re.fullmatch(r"[1-9][0-9]{0,9}", options.number):
            raise UserFacingError(f"the number of the pull request must be a number, not {options.number!r}")
        options.number = int(options.number)
    elif "/" not in options.repository:
        raise UserFacingError("--repository must be OWNER/NAME")
    return options


def main(arguments: list[str]) -> None:
    """Create, update or remove previews."""
    options = read_options(arguments)
    google = Google(read_project(), dry_run=options.dry_run)
    previews = Previews(google, Hosting(google, os.environ.get("HOSTING_SITE")))
    if options.verb == "sweep":
        previews.sweep(options.repository)
    elif options.verb == "down":
        if failed := previews.remove(options.number):
            parts = ", ".join(failed)
            raise UserFacingError(f"cannot remove all of the preview of #{options.number}: {parts}. Run this again")
        log_info(f"removed preview pull_request={options.number}")
    else:
        with tempfile.TemporaryDirectory(prefix="arcade-preview-") as folder:
            previews.create(options.number, options.image, options.page, Path(folder))


if __name__ == "__main__":
    run_main(main)
