"""Every setting of the back end, read once from the environment and `.env`."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from skill_arcade.errors import SettingsError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Several values, divided by commas: TRUSTED_HOSTS=localhost,arcade.example.org
Listed = Annotated[tuple[str, ...], NoDecode]
# Connections of what does one thing after another: the certifier, and each reader of recordings.
CHILD_POOL_SIZE = 2


class Settings(BaseSettings):
    """Where things are and how much is allowed. With nothing set, all is local and on loopback."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    skill_arcade_home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("skill-arcade")),
        description="Folder of the embedded database, the object folder, the journal and the local key.",
    )
    database_url: str | None = Field(
        None,
        description="Any Postgres; none: the embedded one, or Cloud SQL when that is set.",
    )
    auth_secret: str | None = Field(
        None, min_length=32, description="Key that signs tokens; none: made once and kept in the home folder."
    )
    skill_arcade_environment: Literal["local", "preview", "production"] = Field(
        "local", description="Where this server runs: outside of local, what a laptop may leave unset must be set."
    )
    skill_arcade_commit: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{40}(-dirty)?$",
        description="Commit that this server was built from; none: asked of git, where it runs from a clone.",
    )
    gcp_project_name: str | None = Field(None, description="Google Cloud project.")
    gcp_bucket_name: str | None = Field(None, description="Bucket of the recorded objects; none: a folder.")
    gcp_bucket_prefix: str = Field(
        "", pattern=r"^([a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*)?$", description="Before every key: previews/pr-7."
    )
    gcp_sql_connection_name: str | None = Field(
        None, pattern=r"^[a-z0-9.:-]+:[a-z0-9-]+:[a-z0-9-]+$", description="Cloud SQL instance, project:region:name."
    )
    gcp_sql_name: str | None = Field(None, description="Cloud SQL database.")
    gcp_sql_user: str | None = Field(None, description="Cloud SQL user; with IAM, the service account's e-mail.")
    gcp_sql_password: str | None = Field(None, description="Cloud SQL password.")
    gcp_sql_iam_auth: bool = Field(False, description="Sign in to Cloud SQL as the service account, with no password.")
    gcp_sql_ip_type: Literal["public", "private", "psc"] = Field(
        "public", description="Address of Cloud SQL: private needs the service in its network."
    )
    gcp_sql_admin_endpoint: str | None = Field(None, description="Stand-in for the Cloud SQL Admin API, for tests.")
    database_pool_size: int = Field(8, ge=1, le=200, description="Connections that one process keeps to its database.")
    database_max_connections: int | None = Field(
        None, ge=1, description="Connections that the database allows in all; none: not held against the pools."
    )
    max_instances: int = Field(1, ge=1, description="Servers that may run at once on one database.")
    uploader_num_workers: int = Field(4, ge=1, le=64, description="Segments that are delivered at once.")
    segment_seconds: float = Field(5.0, gt=0, le=60, description="A journal segment is sealed after this time.")
    resume_seconds: float = Field(60.0, ge=0, description="How long a game waits for a player who dropped out.")
    journal_min_free_mb: int = Field(
        256, ge=1, description="No new games with less room than this on the journal's disk."
    )
    max_upload_stall_seconds: float = Field(
        600.0, gt=0, description="No new games when segments wait and none could be delivered for so long."
    )
    metrics_token: str | None = Field(
        None, min_length=16, description="Bearer token of GET /metrics; none: open locally, closed elsewhere."
    )
    max_games: int = Field(64, ge=1, description="Games that this server runs at once.")
    games_per_process: int = Field(
        4, ge=1, description="Atari games that may share a process; 1: a game that crashes takes no other with it."
    )

    trusted_hosts: Listed = Field(
        ("localhost", "127.0.0.1", "::1"),
        description="Host names that this server answers to; *.example.org: all below, *: any.",
    )
    cors_origins: Listed = Field(
        (), description="Other sites whose pages may use this server, such as https://arcade.example.org."
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=8,
        description="Proxies before this server that say who asks (X-Forwarded-For, -Proto): Cloud Run 1.",
    )
    rate_limit_burst: int = Field(
        60,
        ge=1,
        description="Sign-ins, tickets and sockets, each, that one address may ask for at once; then a fifteenth of it "
        "a second.",
    )
    max_body_bytes: int = Field(65_536, ge=1_024, description="A request with a bigger body is refused.")
    auth_method: Literal["email", "firebase"] | None = Field(
        None, description="How one signs in; none: firebase when FIREBASE_PROJECT_ID is set, else email, locally only."
    )
    firebase_project_id: str | None = Field(None, description="Firebase project whose accounts sign in here.")
    firebase_api_key: str | None = Field(None, description="Web API key of that project; it is no secret.")
    firebase_providers: Listed = Field(
        ("google", "email-link", "anonymous"), description="Ways to sign in that the page offers, of these three."
    )
    firebase_google_client_id: str | None = Field(
        None, description="OAuth client of the page; none: signing in with Google is not offered."
    )
    firebase_auth_emulator_host: str | None = Field(
        None, description="Stand-in for Firebase Authentication, for tests."
    )
    researcher_emails: Listed = Field((), description="Who may read everybody's recordings, beside custom claims.")
    admin_emails: Listed = Field((), description="Who may change things, beside custom claims.")
    page_folder: Path | None = Field(
        None, description="Folder of the built page; none: website/frontend/dist of this repository."
    )
    games_folder: Path | None = Field(
        None, description="Folder of the games' manifests, with covers/ in it; none: the games of this package."
    )
    lockstep: bool | None = Field(
        None,
        description="Whether Atari games may run in the page, which sends players the emulator (GPL) and the games' "
        "ROMs; none: only while this server answers to loopback names alone.",
    )
    lockstep_folder: Path | None = Field(
        None, description="Folder of the built emulator; none: website/.state/lockstep of this repository."
    )
    log_format: Literal["text", "json"] = Field(
        default_factory=lambda read: "text" if read.get("skill_arcade_environment") == "local" else "json",
        description="Log lines for people, or one JSON object a line as Google Cloud reads it.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level logged.")

    @field_validator(
        "trusted_hosts", "cors_origins", "firebase_providers", "researcher_emails", "admin_emails", mode="before"
    )
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("gcp_bucket_prefix", mode="before")
    @classmethod
    def _strip_slashes(cls, value: Any) -> Any:
        return value.strip("/") if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _check_postgres_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgres://", "postgresql://", "postgresql+asyncpg://")):
            raise ValueError("not the address of a Postgres, such as postgresql://user:password@host/name")
        return value

    @property
    def journal_folder(self) -> Path:
        """Where game processes write and delivery reads."""
        return self.skill_arcade_home / "journal"

    @property
    def uploader_status_path(self) -> Path:
        """What delivery says of itself, for the server to read."""
        return self.skill_arcade_home / "delivery.json"

    @property
    def postgres_folder(self) -> Path:
        """The embedded database."""
        return self.skill_arcade_home / "postgres"

    @property
    def is_lockstep_enabled(self) -> bool:
        """Whether pages get emulator and ROMs: what the owner said, else only on loopback."""
        return set(self.trusted_hosts) <= LOOPBACK if self.lockstep is None else self.lockstep

    @property
    def objects_folder(self) -> Path:
        """The object store when no bucket is set."""
        return self.skill_arcade_home / "objects"

    @property
    def database_connections(self) -> int:
        """Connections that all servers may hold at once, the next version's beside the present one's.

        Each server has several processes with a pool of their own: its own, delivery with a connection for each
        segment that is on its way, the certifier, and the reader that it starts.
        """
        one = self.database_pool_size + self.uploader_num_workers + 2 * CHILD_POOL_SIZE
        return 2 * self.max_instances * one

    @property
    def sign_in_method(self) -> Literal["email", "firebase"] | None:
        """How one signs in here; None: that must be said first."""
        if self.auth_method is not None:
            return self.auth_method
        if self.firebase_project_id is not None:
            return "firebase"
        return "email" if self.skill_arcade_environment == "local" else None

    @cached_property
    def use_embedded_postgres(self) -> bool:
        """True when the embedded Postgres is the one to use."""
        return self.database_url is None and self.gcp_sql_connection_name is None


def read_settings(**given: Any) -> Settings:
    """Read every setting that is not `given`, or raise SettingsError with all that does not fit, in one message."""
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = "; ".join(
            f"{str(part['loc'][0]).upper()}: {part['msg'].removeprefix('Value error, ')}" for part in error.errors()
        )
        raise SettingsError(f"Some settings do not fit. {wrong}. They come from the environment and .env.") from None
