"""The settings of the back end, read once from environment variables and `.env`."""

import os
import stat
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from skill_arcade.errors import SettingsError

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SOCKET_ORIGIN = r"wss?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
"""Origin of play sockets, as a regular expression."""
# A comma-separated list: TRUSTED_HOSTS=localhost,arcade.example.org
Listed = Annotated[tuple[str, ...], NoDecode]
# Connection pool size of the certifier and of each reader of recordings, which run one query at a time.
CHILD_POOL_SIZE = 2
DEFAULT_SHIPMENT_SECONDS = 0.5


def default_home() -> Path:
    """Return the user data folder, or for root a folder in /var/lib unless the former exists.

    As root Postgres runs as another user, who cannot reach /root.
    """
    home = Path(platformdirs.user_data_dir("skill-arcade"))
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or home.exists():
        return home
    is_closed = any(folder.exists() and not folder.stat().st_mode & stat.S_IXOTH for folder in home.parents)
    return Path("/var/lib/skill-arcade") if is_closed else home


class Settings(BaseSettings):
    """All settings. With no variable set, everything is local and only loopback names are answered."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    skill_arcade_home: Path = Field(
        default_factory=default_home,
        description="Folder of the embedded database, the object folder, the journal and the generated signing key.",
    )
    skill_arcade_fallback_home: Path | None = Field(
        None,
        description="Folder to use instead if the journal in SKILL_ARCADE_HOME cannot be written when the server "
        "starts. Requires JOURNAL_MAX_MB. Default: none.",
    )
    database_url: str | None = Field(
        None,
        description="URL of a Postgres database. Default: Cloud SQL if GCP_SQL_CONNECTION_NAME is set, otherwise "
        "the embedded one.",
    )
    auth_secret: str | None = Field(
        None,
        min_length=32,
        description="Key that signs tokens, at least 32 characters. Default: generated once and stored in the "
        "home folder.",
    )
    auth_secret_previous: str | None = Field(
        None,
        min_length=32,
        description="Key before AUTH_SECRET, whose tokens are still valid. Set it while a key is replaced, for at "
        "least 12 hours. Default: none.",
    )
    user_id_secret: str | None = Field(
        None,
        min_length=32,
        description="Key that user ids are derived from, which must never change: with another key every guest is "
        "somebody else. Default: AUTH_SECRET.",
    )
    skill_arcade_environment: Literal["local", "preview", "production"] = Field(
        "local",
        description="Where this server runs. Outside of `local`, settings that have local defaults must be set.",
    )
    skill_arcade_commit: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{40}(-dirty)?$",
        description="Git commit that this server was built from. Default: read from the clone that it runs from, "
        "if any.",
    )
    gcp_project_name: str | None = Field(
        None, description="Id of the Google Cloud project. If set, log lines refer to their traces in it."
    )
    gcp_bucket_name: str | None = Field(
        None, description="Cloud Storage bucket of the recorded objects. Default: a folder in SKILL_ARCADE_HOME."
    )
    gcp_bucket_prefix: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*)?$",
        description="Prefix of all object keys, for example previews/pr-7. Default: none.",
    )
    gcp_sql_connection_name: str | None = Field(
        None,
        pattern=r"^[a-z0-9.:-]+:[a-z0-9-]+:[a-z0-9-]+$",
        description="Cloud SQL instance as project:region:name. If set, the database is Cloud SQL.",
    )
    gcp_sql_name: str | None = Field(None, description="Name of the Cloud SQL database.")
    gcp_sql_user: str | None = Field(
        None, description="Cloud SQL user. With IAM authentication: the e-mail address of the service account."
    )
    gcp_sql_password: str | None = Field(None, description="Password of the Cloud SQL user.")
    gcp_sql_iam_auth: bool = Field(
        False, description="Authenticate to Cloud SQL as the service account, without a password. Default: false."
    )
    gcp_sql_ip_type: Literal["public", "private", "psc"] = Field(
        "public",
        description="IP address of Cloud SQL to connect to. `private` and `psc` require access to its network.",
    )
    gcp_sql_admin_endpoint: str | None = Field(
        None, description="URL of an emulator of the Cloud SQL Admin API, for tests only."
    )
    database_pool_size: int = Field(
        8, ge=1, le=200, description="Maximum number of database connections of the server process."
    )
    database_max_connections: int | None = Field(
        None,
        ge=1,
        description="`max_connections` of the database. If set, startup fails when all connection pools together "
        "could exceed it.",
    )
    max_instances: int = Field(1, ge=1, description="Maximum number of servers that run at once on one database.")
    server_lost_seconds: float = Field(
        60.0,
        gt=0,
        description="Time in seconds without a sign of life after which a server is lost, and another one ends its "
        "episodes until it comes back. A server gives six signs of life in this time.",
    )
    uploader_num_workers: int = Field(4, ge=1, le=64, description="Number of segments that are uploaded concurrently.")
    segment_seconds: float = Field(
        5.0, gt=0, le=60, description="Duration of a journal segment in seconds, after which it is sealed and uploaded."
    )
    open_journal_seconds: float | None = Field(
        None,
        ge=0,
        le=60,
        description="Interval in seconds at which the open journals are shipped to the object store, so that at most "
        "this and a request are lost with a server's disk; 0: never. Default: 0.5 with a bucket, otherwise 0, because "
        "a folder is on the same disk.",
    )
    resume_seconds: float = Field(
        60.0, ge=0, description="Time in seconds for which a game waits for a disconnected player to reconnect."
    )
    journal_min_free_mb: int = Field(
        256, ge=1, description="Minimum free space on the journal's disk in MB. Below it no new games start."
    )
    journal_max_mb: int | None = Field(
        None,
        ge=1,
        description="Maximum size of the journal in MB. New games are rejected JOURNAL_MIN_FREE_MB before it, and "
        "running games end at it. Default: none, so that only its disk limits the journal.",
    )
    max_upload_stall_seconds: float = Field(
        600.0,
        gt=0,
        description="Maximum time in seconds without an upload while segments wait. After it no new games start.",
    )
    metrics_token: str | None = Field(
        None,
        min_length=16,
        description="Bearer token of GET /metrics. Default: open if SKILL_ARCADE_ENVIRONMENT is local, otherwise "
        "closed.",
    )
    max_games: int = Field(64, ge=1, description="Maximum number of games that this server runs at once.")
    max_watchers_per_game: int = Field(
        50, ge=1, description="Maximum number of people who watch one game live by a link of its player."
    )
    max_watchers: int = Field(200, ge=1, description="Maximum number of people who watch games of this server live.")
    max_idle_seconds: float = Field(
        180.0,
        gt=0,
        description="Maximum time in seconds for which a player may hold a game without an episode: before it starts "
        "and after it ends.",
    )
    max_inactive_seconds: float = Field(
        900.0,
        gt=0,
        description="Maximum time in seconds without input while an episode runs or is paused. After it the player is "
        "disconnected and has RESUME_SECONDS to continue.",
    )
    games_per_process: int = Field(
        4,
        ge=1,
        description="Maximum number of Atari games in one process. With 1, a game that crashes cannot affect "
        "another one.",
    )
    max_step_seconds: float = Field(
        10.0,
        gt=0,
        description="Time in seconds that one call of an environment may take. A game that takes longer is ended, and "
        "everything before it is kept.",
    )
    game_memory_mb: int = Field(
        2048,
        ge=256,
        description="Memory limit in MB of a game that has a process of its own. Its environment gets a MemoryError. "
        "Atari games, which share processes, have no limit.",
    )
    export_job: str | None = Field(
        None,
        pattern=r"^projects/[^/]+/locations/[^/]+/jobs/[^/]+$",
        description="Cloud Run job that makes the downloads of recordings, as projects/P/locations/L/jobs/J. It runs "
        "`skill-arcade export-requested`. Default: this server makes them while they are downloaded.",
    )
    export_memory_mb: int = Field(
        2048,
        ge=256,
        description="Memory limit in MB of a process that makes a download. A download that needs more fails and says "
        "so.",
    )
    certifier: bool = Field(
        True,
        description="Whether this server re-runs finished episodes. Otherwise run `skill-arcade certify` regularly.",
    )
    certify_job: str | None = Field(
        None,
        pattern=r"^projects/[^/]+/locations/[^/]+/jobs/[^/]+$",
        description="Cloud Run job that runs `skill-arcade certify`, as projects/P/locations/L/jobs/J. This server "
        "starts it, at most once a minute, while a player waits for a place on a leaderboard.",
    )
    certifier_memory_mb: int = Field(
        3072,
        ge=256,
        description="Memory limit in MB of a process that re-runs episodes. An episode that needs more is "
        "irreproducible.",
    )
    archive_after_days: int | None = Field(
        None,
        ge=1,
        le=36500,
        description="Number of days after its end from which `skill-arcade archive` moves the transitions of an "
        "episode from the database to the object store. Default: never.",
    )
    gcp_run_endpoint: str | None = Field(None, description="URL of an emulator of the Cloud Run API, for tests only.")
    max_address_percent: int | None = Field(
        None,
        ge=1,
        le=100,
        description="Maximum share of MAX_GAMES and of MAX_CONNECTIONS that one client address may hold, in percent. "
        "Default: 100 if all TRUSTED_HOSTS are loopback names, otherwise 50.",
    )
    max_connections: int = Field(
        1000,
        ge=8,
        description="Maximum number of open HTTP and WebSocket connections, and at most half of the file descriptors "
        "of the process.",
    )

    trusted_hosts: Listed = Field(
        ("localhost", "127.0.0.1", "::1"),
        description="Host names that this server answers to. *.example.org matches all subdomains, * any host.",
    )
    socket_origin: str | None = Field(
        None,
        pattern=rf"^{SOCKET_ORIGIN}$",
        description="Public origin of this very server, for example wss://arcade-0.example.org. Other servers then "
        "send players to it by their tickets. Default: none, so that pages connect to the server that they talk to.",
    )
    socket_origins: Listed = Field(
        (),
        description="Origins of other servers to which tickets of this one may send players, for example "
        "wss://*.example.org. Pages may connect to these only. Those without a wildcard are woken by a request when "
        "the others are nearly full. Default: none besides SOCKET_ORIGIN.",
    )
    cors_origins: Listed = Field(
        (),
        description="Origins of other sites whose pages may use this server, for example "
        "https://arcade.example.org. Default: none.",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        le=8,
        description="Number of trusted proxies in front of this server (Cloud Run: 1). The client address and "
        "scheme are then read from X-Forwarded-For and X-Forwarded-Proto.",
    )
    rate_limit_burst: int = Field(
        60,
        ge=1,
        description="Rate limit per client address: burst of logins, of play tickets and of play sockets. One "
        "fifteenth of it is allowed per second after that.",
    )
    max_body_bytes: int = Field(
        65_536, ge=1_024, description="Maximum size of a request body in bytes. Larger requests are rejected."
    )
    auth_method: Literal["email", "firebase"] | None = Field(
        None,
        description="How users sign in. Default: firebase if FIREBASE_PROJECT_ID is set, otherwise email, in the "
        "local environment only.",
    )
    firebase_project_id: str | None = Field(None, description="Firebase project whose accounts can sign in.")
    firebase_api_key: str | None = Field(None, description="Web API key of the Firebase project. It is public.")
    firebase_providers: Listed = Field(
        ("google", "email-link", "anonymous"),
        description="Sign-in providers that the page offers, of google, email-link and anonymous.",
    )
    firebase_google_client_id: str | None = Field(
        None, description="OAuth client id of the page. Default: signing in with Google is not offered."
    )
    firebase_auth_emulator_host: str | None = Field(
        None, description="Host and port of the Firebase Authentication emulator, for tests only."
    )
    researcher_emails: Listed = Field(
        (),
        description="E-mail addresses of users with the role researcher, who can read all recordings, in addition "
        "to custom claims.",
    )
    daily_games: Listed = Field(
        ("breakout", "ms-pacman", "lunar-lander", "tetris", "space-invaders", "seaquest", "qbert"),
        description="Games of the daily challenge, separated by commas; each day has the next one. Games that the "
        "catalogue does not have are left out; if it has none of them, all its games take part.",
    )
    admin_emails: Listed = Field(
        (), description="E-mail addresses of users with the role admin, in addition to custom claims."
    )
    page_folder: Path | None = Field(
        None, description="Folder of the built page. Default: website/frontend/dist of this repository."
    )
    games_folder: Path | None = Field(
        None, description="Folder of the games' manifests, with covers/ in it. Default: the games of this package."
    )
    lockstep: bool | None = Field(
        None,
        description="Whether Atari games may run in the page, which sends the emulator (GPL) and the games' ROMs "
        "to players. Default: only if all TRUSTED_HOSTS are loopback names.",
    )
    lockstep_folder: Path | None = Field(
        None, description="Folder of the built emulator. Default: website/.state/lockstep of this repository."
    )
    consent_folder: Path | None = Field(
        None,
        description="Folder of `consent.yaml`, the text that players read before anything is recorded. Default: a "
        "template that names no owner.",
    )
    studies_folder: Path = Field(
        Path("studies"),
        description="Folder of studies, NAME.yaml, for `skill-arcade studies`. The server needs no file.",
    )
    unrecorded_play: bool = Field(
        True,
        description="Whether a player who declines may play without recording. Otherwise they cannot play.",
    )
    program_play: bool = Field(
        default_factory=lambda read: read.get("firebase_project_id") is None,
        description="Whether programs may play by `act`, at their own pace and with higher rate limits. Anybody can "
        "say at sign-in to be a program. Agents that sign in by a token may in any case. Default: true unless "
        "FIREBASE_PROJECT_ID is set.",
    )
    log_format: Literal["text", "json"] = Field(
        default_factory=lambda read: "text" if read.get("skill_arcade_environment") == "local" else "json",
        description="Format of log lines: `text` for a terminal, `json` for Google Cloud Logging. Default: text "
        "if local, otherwise json.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Minimum level of log lines.")

    @field_validator(
        "trusted_hosts",
        "socket_origins",
        "cors_origins",
        "firebase_providers",
        "researcher_emails",
        "admin_emails",
        "daily_games",
        mode="before",
    )
    @classmethod
    def _split_list(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("gcp_bucket_prefix", mode="before")
    @classmethod
    def _strip_slashes(cls, value: Any) -> Any:
        return value.strip("/") if isinstance(value, str) else value

    @field_validator("skill_arcade_home")
    @classmethod
    def _resolve_home(cls, value: Path) -> Path:
        # A game may change the working folder of its process.
        return value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _check_postgres_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgres://", "postgresql://", "postgresql+asyncpg://")):
            raise ValueError("not a Postgres URL, for example postgresql://user:password@host/name")
        return value

    @property
    def allowed_sockets(self) -> tuple[str, ...]:
        """Origins of play sockets that tickets of this server may name; none: they name no server."""
        own = () if self.socket_origin is None else (self.socket_origin,)
        return tuple(dict.fromkeys((*own, *self.socket_origins)))

    @property
    def journal_folder(self) -> Path:
        """Folder in which game processes write segments and from which the uploader reads them."""
        return self.skill_arcade_home / "journal"

    @property
    def uploader_status_path(self) -> Path:
        """File in which the uploader reports its progress to the server."""
        return self.skill_arcade_home / "uploader.json"

    @property
    def journal_id_path(self) -> Path:
        """File with the id of the journal, which a restart with the same disk finds again."""
        return self.skill_arcade_home / "journal-id"

    @property
    def postgres_folder(self) -> Path:
        """Folder of the embedded database."""
        return self.skill_arcade_home / "postgres"

    @property
    def is_lockstep_enabled(self) -> bool:
        """True if pages can load the emulator and ROMs: the value of LOCKSTEP, or by default only on loopback."""
        return set(self.trusted_hosts) <= LOOPBACK if self.lockstep is None else self.lockstep

    def address_share(self, total: int) -> int:
        """Return the part of `total` that one client address may hold, at least 1."""
        default = 100 if set(self.trusted_hosts) <= LOOPBACK else 50
        return max(1, total * (self.max_address_percent or default) // 100)

    @property
    def objects_folder(self) -> Path:
        """Folder of the object store if no bucket is set."""
        return self.skill_arcade_home / "objects"

    @property
    def shipment_seconds(self) -> float:
        """Interval at which open journals are shipped, 0 for never."""
        if self.open_journal_seconds is not None:
            return self.open_journal_seconds
        return 0.0 if self.gcp_bucket_name is None else DEFAULT_SHIPMENT_SECONDS

    @property
    def database_connections(self) -> int:
        """Maximum number of connections of all servers, including those of the next version during a deployment.

        Each server has several processes with their own pools: the server itself, the uploader with one connection per
        concurrent upload, the certifier, and the reader that it starts.
        """
        per_server = self.database_pool_size + self.uploader_num_workers + 2 * CHILD_POOL_SIZE
        return 2 * self.max_instances * per_server

    @property
    def sign_in_method(self) -> Literal["email", "firebase"] | None:
        """The sign-in method, or None if AUTH_METHOD must be set first."""
        if self.auth_method is not None:
            return self.auth_method
        if self.firebase_project_id is not None:
            return "firebase"
        return "email" if self.skill_arcade_environment == "local" else None

    @cached_property
    def use_embedded_postgres(self) -> bool:
        """True if the embedded Postgres is used."""
        return self.database_url is None and self.gcp_sql_connection_name is None


def read_settings(**overrides: Any) -> Settings:
    """Read all settings that are not in `overrides`.

    Raises:
        SettingsError: settings are invalid; the message lists all of them.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        problems = "; ".join(
            f"{str(part['loc'][0]).upper()}: {part['msg'].removeprefix('Value error, ')}"
            for part in error.errors()
            if part["type"] != "default_factory_not_called"  # a consequence of another error
        )
        raise SettingsError(f"Invalid settings: {problems}. Correct the environment variables or .env.") from None
