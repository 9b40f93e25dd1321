"""The database role `researcher`: it reads recordings that research may use, under pseudonyms, and writes nothing.

Postgres searches the schema `researcher` first once the role is set (`SET ROLE researcher`), so `episode` is then the
view of this schema, with the episodes that consent allows, and not the table.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

from sqlalchemy import Connection, inspect, text

ROLE = "researcher"
# Explicit lists, so that a new table is not readable until it is added to one of them.
READABLE = (
    *("game", "baseline", "baseline_source", "published_agent", "published_score"),
    *("consent_document", "consent_decision", "episode_consent"),
    *("saved_dataset", "dataset_version", "dataset_episode", "archive_object"),
    "agent_version",
    *("study_version", "participant_answer", "participant_exclusion"),  # withdrawal deletes answers and exclusions
    *("judgement_set", "judgement_item", "judgement"),  # withdrawal deletes the judge's answers
    "alembic_version",  # `dataset` checks that it knows this version of the tables
)
"""Tables and views that the role reads as they are."""
COLUMNS = {
    "user": "id, is_synthetic, time_created, time_updated",
    "server": "id, journal_id, address, revision, max_games, socket_origin, games, time_started, time_beat, "
    "time_steady, time_expires, time_ended",
    "agent": "user_id, name, summary, time_created",
    "erasure": "time_created, time_erased, games",
    "study": "name, status, time_created, time_closed",
    "participant": "user_id, study_name, version_id, is_synthetic, status, stage, attempt, failed_checks, stratum, "
    "slot, holds_slot, arm, sequence, time_created, time_stage, time_active, time_ended",
}
"""Tables of which the role reads these columns only."""
LIMITED_TABLES = {
    "episode": "id",
    **dict.fromkeys(
        (
            *("transition", "archived_episode", "segment", "event", "certificate", "quarantine", "note"),
            *("episode_measure", "death", "judgement_clip"),
        ),
        "episode_id",
    ),
}
"""Tables of which the role reads the rows that research may use, with the column that names their episode."""
LIMITED_VIEWS = (
    *("played_episode", "input_latency", "episode_summary", "learning_curve", "reaction_time", "action_use"),
    *("human_normalised_score", "episode_pace", "episode_variant", "study_episode"),
)
"""Views over these tables."""
# As the view episode_consent, but one plain join, which Postgres can look up or hash as it expects to be cheaper.
_ALLOWED = """
CREATE VIEW {role}.allowed_episode AS
SELECT e.id AS episode_id
FROM public.episode e
JOIN public."user" u ON u.id = e.user_id
LEFT JOIN public.consent c ON c.id = e.consent_id
WHERE u.is_synthetic OR CASE
    WHEN c.id IS NOT NULL THEN c.scopes ? 'research' AND NOT c.withdrawn ? 'research'
    ELSE e.time_created < (
        SELECT d.before FROM public.consent_decision d
        WHERE d.scopes ? 'research' AND NOT EXISTS (SELECT FROM public.consent_decision n WHERE n.id > d.id)
    ) AND NOT EXISTS (SELECT FROM public.consent w WHERE w.user_id = e.user_id AND w.withdrawn ? 'research')
END
"""
_VIEW_SOURCES = """
SELECT DISTINCT v.relname, t.relname
FROM pg_rewrite r JOIN pg_depend d ON d.classid = CAST('pg_rewrite' AS regclass) AND d.objid = r.oid
JOIN pg_class v ON v.oid = r.ev_class JOIN pg_class t ON t.oid = d.refobjid
WHERE d.refclassid = CAST('pg_class' AS regclass) AND v.relname = ANY(:names) AND t.relname = ANY(:names)
    AND v.relnamespace = CAST('public' AS regnamespace) AND v.oid <> t.oid
"""

_log = logging.getLogger(__name__)


def grant_read_access(connection: Connection) -> None:
    """Create the role and its views if they are missing, and grant it read access. Called at the end of a migration.

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
        # After a downgrade the schema may be older than a column.
        present = {column["name"] for column in inspect(connection).get_columns(name)}
        columns = ", ".join(column for column in COLUMNS[name].split(", ") if column in present)
        connection.execute(text(f'GRANT SELECT ({columns}) ON "{name}" TO {ROLE}'))
    _create_views(connection, existing)


def drop_views(connection: Connection) -> None:
    """Drop the role's views, because tables that are read by a view cannot be changed by a migration."""
    connection.execute(text(f"DROP SCHEMA IF EXISTS {ROLE} CASCADE"))


def _create_views(connection: Connection, existing: set[str]) -> None:
    """Create the schema of the role with its views, unless it has these already. Earlier rights are taken back."""
    if "episode_consent" not in existing:
        return  # after a downgrade
    statements = _list_statements(connection, existing)
    fingerprint = hashlib.sha256("\n".join(statements).encode()).hexdigest()
    query = text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name")
    if connection.execute(query, {"name": ROLE}).scalar() == fingerprint:
        return
    drop_views(connection)
    for statement in statements:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(f"COMMENT ON SCHEMA {ROLE} IS '{fingerprint}'")


def _list_statements(connection: Connection, existing: set[str]) -> Sequence[str]:
    tables = [name for name in LIMITED_TABLES if name in existing]
    definitions = _read_definitions(connection, [name for name in LIMITED_VIEWS if name in existing])
    statements = [f"CREATE SCHEMA {ROLE}", _ALLOWED.format(role=ROLE)]
    for name in tables:
        # A barrier keeps functions in the researcher's own SQL from seeing rows that the view leaves out. IS TRUE keeps
        # the condition from becoming a join, so that Postgres hashes what is allowed, or looks up single episodes.
        allowed = f"SELECT FROM {ROLE}.allowed_episode a WHERE a.episode_id = t.{LIMITED_TABLES[name]}"
        statements.append(
            f"CREATE VIEW {ROLE}.{name} WITH (security_barrier) AS SELECT * FROM public.{name} t "
            f"WHERE EXISTS ({allowed}) IS TRUE"
        )
    # Names in the definitions now mean the views above.
    statements.append(f"SET LOCAL search_path = {ROLE}, public")
    statements += [f"CREATE VIEW {ROLE}.{name} AS {definition}" for name, definition in definitions.items()]
    statements.append("RESET search_path")
    statements += [f"REVOKE ALL ON public.{name} FROM {ROLE}" for name in (*tables, *definitions)]
    statements += [f"GRANT USAGE ON SCHEMA {ROLE} TO {ROLE}", f"GRANT SELECT ON ALL TABLES IN SCHEMA {ROLE} TO {ROLE}"]
    return statements


def _read_definitions(connection: Connection, names: Sequence[str]) -> Mapping[str, str]:
    """Return the SQL of views, each after those that it reads."""
    graph: dict[str, set[str]] = {name: set() for name in names}
    for view, source in connection.execute(text(_VIEW_SOURCES), {"names": list(names)}):
        graph[view].add(source)
    query = text("SELECT pg_get_viewdef(CAST(:name AS regclass))")
    ordered = TopologicalSorter(graph).static_order()
    return {name: str(connection.execute(query, {"name": f"public.{name}"}).scalar()) for name in ordered}


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
