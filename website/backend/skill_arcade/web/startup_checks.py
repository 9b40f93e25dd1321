"""What must be set before a server may start anywhere but on a laptop."""

import os
from collections.abc import Iterator, Mapping

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings

# Each makes Google's libraries believe whoever answers there.
EMULATOR_SETTINGS = ("FIREBASE_AUTH_EMULATOR_HOST", "STORAGE_EMULATOR_HOST", "GCP_SQL_ADMIN_ENDPOINT")
PROVIDERS = {"google", "email-link", "anonymous"}
# For migrations, the next version's smoke test, researchers, and Postgres' own.
RESERVED = 10


def check_settings(settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
    """Return if a server may start with these.

    Raises:
        SettingsError: it may not; says all that is missing or in the way.
    """
    wrong = [*_contradictions(settings)]
    if settings.skill_arcade_environment != "local":
        wrong += _missing_settings(settings, environment)
    if wrong:
        where = settings.skill_arcade_environment
        raise SettingsError(f"This server can't start ({where}): {'; '.join(wrong)}.")


def _contradictions(settings: Settings) -> Iterator[str]:
    if settings.sign_in_method == "firebase":
        for name in ("firebase_project_id", "firebase_api_key"):
            if getattr(settings, name) is None:
                yield f"signing in by Firebase needs {name.upper()}"
    if unknown := sorted(set(settings.firebase_providers) - PROVIDERS):
        yield f"FIREBASE_PROVIDERS has {', '.join(unknown)}, and may have {', '.join(sorted(PROVIDERS))}"
    allowed, wanted = settings.database_max_connections, settings.database_connections
    if allowed is not None and wanted + RESERVED > allowed:
        yield (
            f"{wanted} connections of {settings.max_instances} servers (DATABASE_POOL_SIZE and UPLOADER_NUM_WORKERS of "
            f"each, twice while a new version takes over) and {RESERVED} spare ones are more than "
            f"DATABASE_MAX_CONNECTIONS={allowed}"
        )


def _missing_settings(settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    if settings.auth_secret is None:
        yield "AUTH_SECRET is not set, and every server needs the same one: 32 or more random characters"
    if settings.use_embedded_postgres:
        yield "neither GCP_SQL_CONNECTION_NAME nor DATABASE_URL is set"
    if settings.gcp_bucket_name is None:
        yield "GCP_BUCKET_NAME is not set, and this disk goes with the server"
    if settings.skill_arcade_environment == "preview" and not settings.gcp_bucket_prefix:
        yield "GCP_BUCKET_PREFIX is not set, and a preview must keep to its own part of the bucket"
    if settings.sign_in_method is None:
        yield "FIREBASE_PROJECT_ID is not set; AUTH_METHOD=email lets anyone in under any e-mail, if that is wanted"
    if settings.trusted_hosts == Settings.model_fields["trusted_hosts"].default:
        yield "TRUSTED_HOSTS is not set: name the hosts by which this server is reached"
    for name in EMULATOR_SETTINGS:
        if environment.get(name) or getattr(settings, name.lower(), None):
            yield f"{name} is set, which is for tests"
