"""Where the transitions of archived episodes are, and views that have their values without them."""

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# An archived episode has no rows that the definition before could count. Its own values come first.
SUMMARY_COLUMNS = ("latency_p50_ms", "latency_p95_ms", "dropped_frames")
SUMMARY_VALUE = "coalesce((SELECT a.{name} FROM archived_episode a WHERE a.episode_id = e.id), {before})"
PACE = {
    "elapsed_seconds": "coalesce(before.elapsed_seconds, a.elapsed_us / 1e6::float8)",
    "active_seconds": "coalesce(before.active_seconds, a.active_us / 1e6::float8)",
    "active_speed": "coalesce(before.active_speed, "
    "(stored.n_steps - 1) * 1e6::float8 / nullif(before.nominal_hz * a.active_us, 0))",
    "overall_speed": "coalesce(before.overall_speed, "
    "(stored.n_steps - 1) * 1e6::float8 / nullif(before.nominal_hz * a.elapsed_us, 0))",
}
WORK_KIND = "certify, erase{archive} or withdraw"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "archive_object",
        _column("key", sa.String(), "key of the object"),
        _column("sha256", sa.String(), "SHA-256 of the object in hexadecimal"),
        _column("n_bytes", sa.BigInteger(), "size of the object, bytes"),
        _column("n_footer_bytes", sa.BigInteger(), "size of the description of the file at its end, bytes"),
        _column("n_episodes", sa.Integer(), "number of episodes in the object"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time before the upload, database clock",
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("archive_object_pkey")),
        comment="A Parquet object with the transitions of archived episodes, one row group for each episode.",
    )
    op.create_table(
        "archived_episode",
        _column("episode_id", sa.Uuid(), "episode"),
        _column("object_key", sa.String(), "object with the transitions"),
        _column("row_group", sa.Integer(), "0-based number of the episode's row group in the object"),
        _column("first_byte", sa.BigInteger(), "position of the row group in the object"),
        _column("n_bytes", sa.BigInteger(), "size of the row group, bytes"),
        _column("n_steps", sa.Integer(), "number of transitions in the row group"),
        _column("rows_sha256", sa.String(), "SHA-256 of the transitions with all columns; checked when they are read"),
        _column(
            "time_archived",
            sa.DateTime(timezone=True),
            "time at which the rows of the table transition were deleted, database clock; null: in progress, they are "
            "still there",
            nullable=True,
        ),
        _column("latency_p50_ms", sa.Float(), "episode_summary.latency_p50_ms", nullable=True),
        _column("latency_p95_ms", sa.Float(), "episode_summary.latency_p95_ms", nullable=True),
        _column("dropped_frames", sa.BigInteger(), "episode_summary.dropped_frames; null: in progress", nullable=True),
        _column(
            "elapsed_us",
            sa.BigInteger(),
            "episode_pace.elapsed_seconds in microseconds; null: as there",
            nullable=True,
        ),
        _column(
            "active_us", sa.BigInteger(), "episode_pace.active_seconds in microseconds; null: as there", nullable=True
        ),
        _column(
            "n_before_shown",
            sa.Integer(),
            "number of presses that refer to a frame which was painted after them, browser clock; null: in progress",
            nullable=True,
        ),
        _column(
            "shown_md5",
            sa.String(),
            "MD5 of all shown_us, for the digests of saved datasets; null: in progress",
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("archived_episode_episode_id_fkey")),
        sa.ForeignKeyConstraint(["object_key"], ["archive_object.key"], name=op.f("archived_episode_object_key_fkey")),
        sa.PrimaryKeyConstraint("episode_id", name=op.f("archived_episode_pkey")),
        comment="Where the transitions of an archived episode are, and what views compute from them.",
    )
    op.create_index(op.f("archived_episode_object_key_idx"), "archived_episode", ["object_key"])
    op.alter_column("work", "kind", comment=WORK_KIND.format(archive=", archive"))
    _change_pace()
    # The end of the definition stays, because other migrations look for it.
    _change_summary(lambda name, before: SUMMARY_VALUE.format(name=name, before=before))


def downgrade() -> None:
    """Take back. It fails if episodes are archived: their rows would be missing."""
    if op.get_bind().execute(sa.text("SELECT count(*) FROM archived_episode")).scalar():
        raise RuntimeError("episodes are archived; the tables of the version before have no place for them")
    _change_summary(lambda _, value: _split(value.strip().removeprefix("COALESCE(").removesuffix(")"))[1])
    _execute(f"CREATE OR REPLACE VIEW episode_pace AS {_unwrap(_definition('episode_pace'))}")
    op.alter_column("work", "kind", comment=WORK_KIND.format(archive=""))
    op.drop_table("archived_episode")
    op.drop_table("archive_object")


def _change_pace() -> None:
    names = _list_columns("episode_pace")
    if not PACE.keys() <= set(names):
        raise RuntimeError("the view episode_pace is not as this migration expects")
    columns = ", ".join(f'{PACE[name]} AS "{name}"' if name in PACE else f'before."{name}"' for name in names)
    before = _definition("episode_pace").rstrip().rstrip(";")
    _execute(
        f"CREATE OR REPLACE VIEW episode_pace AS SELECT {columns} FROM ({before}) AS before "
        "LEFT JOIN archived_episode a ON a.episode_id = before.episode_id "
        "JOIN episode stored ON stored.id = before.episode_id"
    )


def _change_summary(change: Callable[[str, str], str]) -> None:
    """Replace the values of `SUMMARY_COLUMNS` in the select list, as Postgres has it."""
    definition = _definition("episode_summary").strip().removeprefix("SELECT")
    items = _split(definition)
    n_changed = 0
    for index, item in enumerate(items):
        value, _, name = item.rpartition(" AS ")
        if name.strip() in SUMMARY_COLUMNS:
            items[index] = f" {change(name.strip(), value)} AS {name}"
            n_changed += 1
    if n_changed != len(SUMMARY_COLUMNS):
        raise RuntimeError("the view episode_summary is not as this migration expects")
    _execute(f"CREATE OR REPLACE VIEW episode_summary AS SELECT {','.join(items)}")


def _split(text: str) -> list[str]:
    """Split at the commas that are in no parentheses and no quotes."""
    parts, depth, is_quoted = [""], 0, False
    for letter in text:
        is_quoted ^= letter == "'"
        depth += 0 if is_quoted else {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        if letter == "," and depth == 0 and not is_quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _unwrap(definition: str) -> str:
    """Return the definition before: the subquery at the beginning of the FROM clause."""
    found = re.search(r"FROM \(+\s*(?=SELECT)", definition)
    if found is None:
        raise RuntimeError("the view is not as this migration has made it")
    depth = 1
    for position in range(found.end(), len(definition)):
        depth += {"(": 1, ")": -1}.get(definition[position], 0)
        if depth == 0:
            return definition[found.end() : position]
    raise RuntimeError("the view is not as this migration has made it")


def _column(name: str, type_: sa.types.TypeEngine[Any], comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=nullable, comment=comment)


def _list_columns(view: str) -> list[str]:
    query = sa.text(
        "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:view AS regclass) AND attnum > 0 ORDER BY attnum"
    )
    return list(op.get_bind().execute(query, {"view": view}).scalars())


def _definition(view: str) -> str:
    """Return the definition of a view, as Postgres has it."""
    return str(op.get_bind().execute(sa.text(f"SELECT pg_get_viewdef('{view}')")).scalar())


def _execute(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", r"\:")))
