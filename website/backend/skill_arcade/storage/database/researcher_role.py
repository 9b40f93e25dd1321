"""The database role `researcher`: it reads recordings under pseudonyms, and it neither writes nor reads e-mails."""

import logging

from sqlalchemy import Connection, text

ROLE = "researcher"
# An explicit list, so that a new table is not readable until it is added here.
READABLE = [
    *("game", "episode", "transition", "segment", "event", "certificate", "quarantine", "baseline", "baseline_source"),
    *("input_latency", "episode_summary", "learning_curve", "reaction_time", "action_use", "human_normalised_score"),
    "episode_pace",
]
COLUMNS = {"user": "id, time_created, time_updated", "erasure": "time_created, time_erased, games"}

_log = logging.getLogger(__name__)


def grant_read_access(connection: Connection) -> None:
    """Create the role if it is missing, and grant it read access. Called at the end of every migration.

    If this database user may not create roles, a warning names the command for an administrator. Nothing fails.
    """
    if not _create_role(connection):
        _log.warning(
            "cannot create the read-only role %r: this database user may not create roles. Ask an administrator to run "
            "`CREATE ROLE %s NOLOGIN`; the next `skill-arcade migrate` then grants it read access.",
            ROLE,
            ROLE,
        )
        return
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
    existing = set(connection.execute(text(query)).scalars())
    for name in READABLE:
        if name in existing:
            connection.execute(text(f"GRANT SELECT ON {name} TO {ROLE}"))
    for name in COLUMNS.keys() & existing:
        connection.execute(text(f'GRANT SELECT ({COLUMNS[name]}) ON "{name}" TO {ROLE}'))


def _create_role(connection: Connection) -> bool:
    """Return whether the role exists, after trying to create it."""
    role_query = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(role_query, {"role": ROLE}).first() is not None:
        return True
    rights_query = text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    if not connection.execute(rights_query).scalar_one():
        return False
    # Roles are shared by all databases of a server: a migration of another database may create it concurrently.
    connection.execute(
        text(
            f"DO $$ BEGIN CREATE ROLE {ROLE} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    )
    return True
