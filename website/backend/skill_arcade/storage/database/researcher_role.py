"""The role `researcher`: reads what was played and who is who by pseudonym, writes nothing, sees no e-mail."""

import logging

from sqlalchemy import Connection, text

ROLE = "researcher"
# By name, so that a new table is nobody's to read until somebody adds it here.
READABLE = [
    *("game", "episode", "transition", "segment", "event", "certificate", "quarantine", "baseline", "baseline_source"),
    *("input_latency", "episode_summary", "learning_curve", "reaction_time", "action_use", "human_normalised_score"),
]
COLUMNS = {"user": "id, time_created, time_updated", "erasure": "time_created, time_erased, games"}

_log = logging.getLogger(__name__)


def grant_read_access(connection: Connection) -> None:
    """Create the role if it is missing, and let it read. Called at the end of every migration, so it may come later.

    A database user who may not create roles is told what an administrator can do; nothing fails.
    """
    if not _create_role(connection):
        _log.warning(
            "The read-only role %r was not created: this database user may not create roles. An administrator can run "
            "`CREATE ROLE %s NOLOGIN`; `skill-arcade migrate` then lets it read.",
            ROLE,
            ROLE,
        )
        return
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')"
    there = set(connection.execute(text(query)).scalars())
    for name in READABLE:
        if name in there:
            connection.execute(text(f"GRANT SELECT ON {name} TO {ROLE}"))
    for name in COLUMNS.keys() & there:
        connection.execute(text(f'GRANT SELECT ({COLUMNS[name]}) ON "{name}" TO {ROLE}'))


def _create_role(connection: Connection) -> bool:
    """True when the role is there."""
    there = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(there, {"role": ROLE}).first() is not None:
        return True
    may = text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    if not connection.execute(may).scalar_one():
        return False
    # Roles belong to the whole server: a migration of another database may be a moment ahead.
    connection.execute(
        text(
            f"DO $$ BEGIN CREATE ROLE {ROLE} NOLOGIN; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    )
    return True
