"""Checks of the settings at startup, above all of those that a server needs outside of the local environment."""

import os
import re
from collections.abc import Iterator, Mapping

from skill_arcade.errors import SettingsError
from skill_arcade.settings import SOCKET_ORIGIN, Settings
from skill_arcade.web.security import host_name, matches_host

# Each makes Google's libraries trust an emulator.
EMULATOR_SETTINGS = (
    "FIREBASE_AUTH_EMULATOR_HOST",
    "STORAGE_EMULATOR_HOST",
    "GCP_SQL_ADMIN_ENDPOINT",
    "GCP_RUN_ENDPOINT",
)
PROVIDERS = {"google", "email-link", "anonymous"}
# Database connections for migrations, the smoke test of the next version, researchers, and Postgres itself.
RESERVED_CONNECTIONS = 10


def check_settings(settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
    """Check that the server may start with these settings.

    Raises:
        SettingsError: it may not; the message lists all problems.
    """
    problems = [*_contradictions(settings)]
    if settings.skill_arcade_environment != "local":
        problems += _missing_settings(settings, environment)
    if problems:
        raise SettingsError(
            f"Cannot start the server in the environment {settings.skill_arcade_environment}: {'; '.join(problems)}."
        )


def _contradictions(settings: Settings) -> Iterator[str]:
    if settings.sign_in_method == "firebase":
        for name in ("firebase_project_id", "firebase_api_key"):
            if getattr(settings, name) is None:
                yield f"signing in with Firebase requires {name.upper()}"
    if unknown := sorted(set(settings.firebase_providers) - PROVIDERS):
        yield f"FIREBASE_PROVIDERS contains {', '.join(unknown)}; allowed are {', '.join(sorted(PROVIDERS))}"
    if settings.auth_secret_previous is not None and settings.user_id_secret is None:
        yield "AUTH_SECRET_PREVIOUS requires USER_ID_SECRET: set it to the first AUTH_SECRET, or guests lose their ids"
    quota = settings.journal_max_mb
    if quota is not None and quota <= settings.journal_min_free_mb:
        yield f"JOURNAL_MAX_MB={quota} must be more than JOURNAL_MIN_FREE_MB={settings.journal_min_free_mb}"
    if quota is None and settings.skill_arcade_fallback_home is not None:
        yield "SKILL_ARCADE_FALLBACK_HOME requires JOURNAL_MAX_MB, because its disk may be the server's memory"
    yield from _socket_problems(settings)
    if settings.export_job is not None and settings.gcp_bucket_name is None:
        yield "EXPORT_JOB requires GCP_BUCKET_NAME, because the job cannot write to this server's disk"
    max_connections, needed = settings.database_max_connections, settings.database_connections
    if max_connections is not None and needed + RESERVED_CONNECTIONS > max_connections:
        yield (
            f"{needed} connections of {settings.max_instances} servers (from DATABASE_POOL_SIZE and "
            f"UPLOADER_NUM_WORKERS, twice for deployments) and {RESERVED_CONNECTIONS} reserved ones exceed "
            f"DATABASE_MAX_CONNECTIONS={max_connections}"
        )


def _socket_problems(settings: Settings) -> Iterator[str]:
    for pattern in settings.socket_origins:
        if not re.fullmatch(SOCKET_ORIGIN, pattern.replace("://*.", "://", 1)):
            yield f"SOCKET_ORIGINS contains {pattern}; write origins such as wss://arcade-1.example.org"
    if settings.socket_origin is None:
        return
    host = host_name(settings.socket_origin.partition("://")[2])
    if not matches_host(host, [name.lower().strip("[]") for name in settings.trusted_hosts]):
        yield f"TRUSTED_HOSTS lacks {host}, the host of SOCKET_ORIGIN, so the server would reject its players"


def _missing_settings(settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    if settings.auth_secret is None:
        yield "AUTH_SECRET is not set; set the same 32 or more random characters on every server"
    if settings.use_embedded_postgres:
        yield "neither GCP_SQL_CONNECTION_NAME nor DATABASE_URL is set"
    if settings.gcp_bucket_name is None:
        yield "GCP_BUCKET_NAME is not set, and the local disk is lost with the server"
    if settings.skill_arcade_environment == "preview" and not settings.gcp_bucket_prefix:
        yield "GCP_BUCKET_PREFIX is not set, and a preview needs a prefix of its own in the bucket"
    if settings.sign_in_method is None:
        yield "FIREBASE_PROJECT_ID is not set; to let anyone sign in with any e-mail address, set AUTH_METHOD=email"
    if settings.trusted_hosts == Settings.model_fields["trusted_hosts"].default:
        yield "TRUSTED_HOSTS is not set; list the host names of this server"
    if unencrypted := [origin for origin in settings.allowed_sockets if not origin.startswith("wss://")]:
        yield f"SOCKET_ORIGIN and SOCKET_ORIGINS must begin with wss://, unlike {', '.join(unencrypted)}"
    for name in EMULATOR_SETTINGS:
        if environment.get(name) or getattr(settings, name.lower(), None):
            yield f"{name} is set, but it is for tests only; unset it"
