"""The Google Cloud project: the name of everything in it, derived from environment variables."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from release.errors import UserFacingError

DEPLOY = Path(__file__).resolve().parents[1]
ROOT = DEPLOY.parents[1]
AUTH_SECRET, METRICS_SECRET, OWNER_SECRET = "arcade-auth-secret", "arcade-metrics-token", "arcade-database-owner"
OWNER_USER = "arcade_owner"
REPOSITORY = "arcade"


@dataclass(frozen=True)
class Project:
    """Project, region and names. The defaults are those of website/deploy/bootstrap, which creates these resources."""

    id: str
    number: str
    region: str
    bucket: str
    sql_connection: str
    sql_name: str
    sql_user: str
    firebase: str

    @property
    def sql_instance(self) -> str:
        """Name of the Cloud SQL instance."""
        return self.sql_connection.rpartition(":")[2]

    def account(self, name: str) -> str:
        """Return the address of a service account."""
        return f"{name}@{self.id}.iam.gserviceaccount.com"

    def host(self, service: str) -> str:
        """Return the host name of a Cloud Run service, which is known before the service exists."""
        return f"{service}-{self.number}.{self.region}.run.app"

    def package(self, name: str) -> str:
        """Return the name of an image without tag or digest."""
        return f"{self.registry}/{self.id}/{REPOSITORY}/{name}"

    @property
    def registry(self) -> str:
        """Host name of the image registry."""
        return f"{self.region}-docker.pkg.dev"


def read_project() -> Project:
    """Read the project from environment variables, which website/deploy/bootstrap prints. Empty ones have a default."""
    read = os.environ.get
    for name in ("GCP_PROJECT_ID", "GCP_PROJECT_NUMBER"):
        if not read(name):
            raise UserFacingError(f"the variable {name} is not set. website/deploy/bootstrap prints its value")
    id_, region = os.environ["GCP_PROJECT_ID"], read("GCP_REGION") or "europe-west1"
    return Project(
        id=id_,
        number=os.environ["GCP_PROJECT_NUMBER"],
        region=region,
        bucket=read("GCP_BUCKET_NAME") or f"{id_}-recordings",
        sql_connection=read("GCP_SQL_CONNECTION_NAME") or f"{id_}:{region}:arcade",
        sql_name=read("GCP_SQL_NAME") or "arcade",
        # The Cloud SQL user of a service account is its address without the last part.
        sql_user=read("GCP_SQL_USER") or f"arcade-run@{id_}.iam",
        firebase=read("FIREBASE_PROJECT_ID") or id_,
    )


def read_commit() -> str:
    """Return the first 12 digits of the commit: of the variable COMMIT, or of this clone."""
    return os.environ.get("COMMIT", "")[:12] or git("rev-parse", "--short=12", "HEAD")


def git(*arguments: str) -> str:
    """Run git in the repository. Raises `UserFacingError` outside of a clone."""
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserFacingError(f"the script must run in a git clone of the project: {done.stderr.strip()}")
    return done.stdout.strip()


def resource_labels(part: str, **more: str) -> str:
    """Return the labels of a resource for gcloud. A value has at most 63 lower-case letters, digits and dashes."""
    return ",".join(f"{name}={value}" for name, value in {"app": "arcade", "part": part[:63], **more}.items())
