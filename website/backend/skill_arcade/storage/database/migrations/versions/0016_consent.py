"""Consent: documents, answers of players, decisions of the owner, and which episode has which consent."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

EPISODE_COMMENT = "consent that it was recorded under; null: no consent on record"
# An episode without a consent takes the owner's newest decision, unless its player has withdrawn the scope.
VIEW = """
CREATE VIEW episode_consent AS
SELECT e.id AS episode_id, e.consent_id, scope.name AS scope,
    CASE
        WHEN c.id IS NOT NULL THEN c.scopes ? scope.name AND NOT c.withdrawn ? scope.name
        ELSE coalesce(d.scopes ? scope.name AND e.time_created < d.before, false)
            AND NOT EXISTS (SELECT FROM consent w WHERE w.user_id = e.user_id AND w.withdrawn ? scope.name)
    END AS is_allowed
FROM episode e
CROSS JOIN (VALUES ('research'), ('publication'), ('boards')) AS scope (name)
LEFT JOIN consent c ON c.id = e.consent_id
LEFT JOIN LATERAL (SELECT scopes, before FROM consent_decision ORDER BY id DESC LIMIT 1) AS d ON true
WHERE NOT EXISTS (SELECT FROM "user" u WHERE u.id = e.user_id AND u.is_synthetic)"""
VIEW_COMMENT = "One row per episode and scope: whether the episode may be used for it now."
COLUMN_COMMENTS = {
    "episode_id": "episode",
    "consent_id": "consent that it was recorded under; null: no consent on record",
    "scope": "research, publication or boards (replays and leaderboards)",
    "is_allowed": "true if its consent has the scope and it is not withdrawn; without a consent, by the owner''s newest "
    "consent_decision",
}


def upgrade() -> None:
    """Apply."""
    _create_documents()
    _create_consents()
    _create_decisions()
    op.add_column("episode", sa.Column("consent_id", sa.Uuid(), nullable=True, comment=EPISODE_COMMENT))
    op.create_foreign_key(op.f("episode_consent_id_fkey"), "episode", "consent", ["consent_id"], ["id"])
    op.create_index(op.f("episode_consent_id_idx"), "episode", ["consent_id"])
    op.execute(VIEW)
    op.execute(f"COMMENT ON VIEW episode_consent IS '{VIEW_COMMENT}'")
    for column, comment in COLUMN_COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN episode_consent.{column} IS '{comment}'")


def downgrade() -> None:
    """Take back."""
    op.execute("DROP VIEW episode_consent")
    op.drop_index(op.f("episode_consent_id_idx"), "episode")
    op.drop_constraint(op.f("episode_consent_id_fkey"), "episode")
    op.drop_column("episode", "consent_id")
    op.drop_table("consent_decision")
    op.drop_table("consent")
    op.drop_table("consent_document")


def _json(name: str, comment: str, default: str | None) -> sa.Column[Any]:
    type_ = postgresql.JSONB(astext_type=sa.Text())
    server_default = None if default is None else sa.text(f"'{default}'::jsonb")
    return sa.Column(name, type_, server_default=server_default, nullable=False, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = False, now: bool = False) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable, comment=comment)


def _create_documents() -> None:
    op.create_table(
        "consent_document",
        sa.Column("sha256", sa.String(), nullable=False, comment="SHA-256 of the canonical JSON of `content`"),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="version; players who answered another one are asked again",
        ),
        sa.Column("language", sa.String(), nullable=False, comment="language tag, such as de"),
        _json("content", "complete document", "{}"),
        _time("time_created", "time of its first use, database clock", now=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("consent_document_pkey")),
        sa.UniqueConstraint("version", "language", name=op.f("consent_document_version_language_key")),
        comment="A version of the text that players are asked with, in one language. It never changes.",
    )


def _create_consents() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUID version 7; sorts by time"),
        sa.Column("user_id", sa.String(), nullable=False, comment="player"),
        sa.Column("document_sha256", sa.String(), nullable=False, comment="document"),
        sa.Column(
            "decision",
            sa.String(),
            nullable=False,
            comment="given, declined, or underage: the year of birth does not allow recording",
        ),
        _json(
            "scopes", "scopes that the player allowed: research, publication, boards (replays and leaderboards)", "[]"
        ),
        _json("withdrawn", "withdrawn scope to the time of its withdrawal", "{}"),
        _time("time_shown", "time at which the page showed the document, its clock", nullable=True),
        _time("time_decided", "time of the answer, database clock", now=True),
        _time("time_withdrawn", "time at which the last scope was withdrawn; null: one is left", nullable=True),
        _time(
            "time_processed",
            "time at which the newest withdrawal was carried out and noted outside of the database; null: none, or in "
            "progress",
            nullable=True,
        ),
        sa.Column("build", sa.String(), nullable=False, comment="version and commit of the server that asked"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("consent_user_id_fkey")),
        sa.ForeignKeyConstraint(
            ["document_sha256"], ["consent_document.sha256"], name=op.f("consent_document_sha256_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("consent_pkey")),
        comment="A player's answer to a consent document. The newest one counts for new episodes.",
    )
    op.create_index(op.f("consent_user_id_id_idx"), "consent", ["user_id", "id"])


def _create_decisions() -> None:
    op.create_table(
        "consent_decision",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUID version 7; sorts by time"),
        _json("scopes", "scopes that these episodes count as consented to", None),
        sa.Column("reason", sa.String(), nullable=False, comment="reason, by the owner"),
        _time("before", "only for episodes that started before"),
        _time("time_created", "time of the decision, database clock", now=True),
        sa.PrimaryKeyConstraint("id", name=op.f("consent_decision_pkey")),
        comment="The owner's decision on episodes without a consent on record. The newest one counts.",
    )
