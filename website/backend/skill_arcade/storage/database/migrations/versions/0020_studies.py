"""Studies: versions, codes, participants, their ids at recruiters, their answers, and the view study_episode."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The newest decision counts, and earlier ones stay.
EXCLUDED = """
coalesce((SELECT x.is_excluded FROM participant_exclusion x WHERE x.user_id = e.user_id ORDER BY x.id DESC LIMIT 1), false)
"""
VIEW = f"""
CREATE VIEW study_episode AS
SELECT e.id AS episode_id, e.user_id AS player_id, s.study ->> 'name' AS study,
    (s.study ->> 'version')::integer AS version, s.study ->> 'arm' AS arm,
    (s.study ->> 'sequence')::integer AS sequence, s.study ->> 'stage' AS stage,
    (s.study ->> 'trial')::integer AS trial, (s.study ->> 'attempt')::integer AS attempt,
    (s.study ->> 'practice')::boolean AS is_practice,
    coalesce(e.end_reason IN ('terminated', 'truncated'), false) AS is_complete, {EXCLUDED.strip()} AS is_excluded
FROM played_episode e CROSS JOIN LATERAL (SELECT e.provenance -> 'study' AS study) AS s
WHERE s.study IS NOT NULL"""
VIEW_COMMENT = "One row per episode of a person in a study: its condition, stage and trial."
COLUMN_COMMENTS = {
    "episode_id": "episode",
    "player_id": "pseudonym of the participant: user.id",
    "study": "study",
    "version": "number of the version of the study''s file",
    "arm": "condition between participants",
    "sequence": "row of the Williams square of counterbalanced stages; null: none",
    "stage": "name of the stage",
    "trial": "0-based number of the trial in the stage",
    "attempt": "0-based number of the attempt at this trial",
    "is_practice": "true: practice",
    "is_complete": "true if the game ended or its limit was reached; otherwise the trial was repeated",
    "is_excluded": "true if the newest participant_exclusion excludes the participant",
}
DOCUMENT_COMMENT = "study that the document belongs to; null: the document of the arcade"


def upgrade() -> None:
    """Apply."""
    _create_studies()
    _create_participants()
    op.add_column("consent_document", sa.Column("study_name", sa.String(), nullable=True, comment=DOCUMENT_COMMENT))
    op.drop_constraint(op.f("consent_document_version_language_key"), "consent_document")
    op.create_index(
        op.f("consent_document_arcade_idx"),
        "consent_document",
        ["version", "language"],
        unique=True,
        postgresql_where=sa.text("study_name IS NULL"),
    )
    op.create_index(
        op.f("consent_document_study_idx"), "consent_document", ["study_name", "version", "language"], unique=True
    )
    op.execute(VIEW)
    op.execute(f"COMMENT ON VIEW study_episode IS '{VIEW_COMMENT}'")
    for column, comment in COLUMN_COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN study_episode.{column} IS '{comment}'")


def downgrade() -> None:
    """Take back. Documents of studies stay, with versions that no document of the arcade has."""
    op.execute("DROP VIEW study_episode")
    op.drop_index(op.f("consent_document_study_idx"), "consent_document")
    op.drop_index(op.f("consent_document_arcade_idx"), "consent_document")
    op.execute(
        "UPDATE consent_document d SET version = 1000000 + n.number FROM (SELECT sha256, row_number() OVER "
        "(ORDER BY sha256) AS number FROM consent_document WHERE study_name IS NOT NULL) n WHERE n.sha256 = d.sha256"
    )
    op.create_unique_constraint(
        op.f("consent_document_version_language_key"), "consent_document", ["version", "language"]
    )
    op.drop_column("consent_document", "study_name")
    for table in (
        "participant_exclusion",
        "participant_answer",
        "participant_identity",
        "participant",
        "study_code",
        "study_version",
        "study",
    ):
        op.drop_table(table)


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=nullable, comment=comment)


def _number(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = False, now: bool = False) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable, comment=comment)


def _json(name: str, comment: str) -> sa.Column[Any]:
    type_ = postgresql.JSONB(astext_type=sa.Text())
    return sa.Column(name, type_, server_default=sa.text("'{}'::jsonb"), nullable=False, comment=comment)


def _create_studies() -> None:
    op.create_table(
        "study",
        _text("name", "name of the file without .yaml"),
        _text("status", "open: new participants are accepted; closed: they are not"),
        _text("secret", "random key of blocks, orders and seeds, hexadecimal; secret until the study is over"),
        _time("time_created", "time of the first opening, database clock", now=True),
        _time("time_closed", "time of the last closing, database clock; null: open", nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("study_pkey")),
        comment="A study. Its newest version counts for new participants.",
    )
    op.create_table(
        "study_version",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUID version 7; sorts by time"),
        _text("study_name", "study"),
        _number("number", "1-based number of the version"),
        _text("sha256", "SHA-256 of the canonical JSON of `content`"),
        _json("content", "complete study"),
        _time("time_created", "time at which it was opened, database clock", now=True),
        sa.ForeignKeyConstraint(["study_name"], ["study.name"], name=op.f("study_version_study_name_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("study_version_pkey")),
        sa.UniqueConstraint("study_name", "number", name=op.f("study_version_study_name_number_key")),
        comment="A version of a study's file. It never changes; participants keep the version that they began with.",
    )
    op.create_table(
        "study_code",
        _text("study_name", "study"),
        _text("outcome", "complete, no-consent, screened-out, ..."),
        _text("code", "code that the participant gives the recruiter"),
        sa.ForeignKeyConstraint(["study_name"], ["study.name"], name=op.f("study_code_study_name_fkey")),
        sa.PrimaryKeyConstraint("study_name", "outcome", name=op.f("study_code_pkey")),
        comment="The completion code of an outcome of a study. Researchers' roles cannot read it.",
    )


def _create_participants() -> None:
    op.create_table(
        "participant",
        _text("user_id", "pseudonym: user.id, of this study only"),
        _text("study_name", "study"),
        sa.Column("version_id", sa.Uuid(), nullable=False, comment="version that they began with"),
        _text(
            "status", "active, expired (inactive for too long), or the outcome: complete, no-consent, screened-out, ..."
        ),
        _number("stage", "0-based number of the current stage in their own order"),
        _number("attempt", "number of earlier attempts at the current stage"),
        _number("failed_checks", "number of failed attention checks"),
        _text("stratum", "answers that the draw was stratified by", nullable=True),
        _number("slot", "place in the stratum's blocks; null: not drawn yet", nullable=True),
        sa.Column(
            "holds_slot",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="whether the place counts for the quota",
        ),
        _text("arm", "condition; null: not drawn yet", nullable=True),
        _number("sequence", "row of the Williams square of counterbalanced stages; null: none", nullable=True),
        _text("resume_sha256", "SHA-256 of the token of their own link, hexadecimal"),
        _time("time_created", "time of arrival, database clock", now=True),
        _time("time_stage", "time at which the current stage began, database clock", now=True),
        _time("time_active", "time of the last activity, database clock", now=True),
        _time("time_ended", "time of the outcome, database clock; null: none yet", nullable=True),
        sa.CheckConstraint("NOT holds_slot OR slot IS NOT NULL", name=op.f("participant_slot_check")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("participant_user_id_fkey")),
        sa.ForeignKeyConstraint(["study_name"], ["study.name"], name=op.f("participant_study_name_fkey")),
        sa.ForeignKeyConstraint(["version_id"], ["study_version.id"], name=op.f("participant_version_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("participant_pkey")),
        sa.UniqueConstraint("resume_sha256", name=op.f("participant_resume_sha256_key")),
        comment="A participant of a study: where they are, their arm and order, and how they ended.",
    )
    op.create_index(
        "participant_slot_idx",
        "participant",
        ["study_name", "stratum", "slot"],
        unique=True,
        postgresql_where=sa.text("holds_slot"),
    )
    op.create_index(op.f("participant_study_name_status_idx"), "participant", ["study_name", "status"])
    op.create_table(
        "participant_identity",
        _text("user_id", "participant"),
        _text("study_name", "study"),
        _text("external_id", "id of the person at the recruiter"),
        _json("details", "other ids of the recruiter's address, such as its session's"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("participant_identity_user_id_fkey")),
        sa.ForeignKeyConstraint(["study_name"], ["study.name"], name=op.f("participant_identity_study_name_fkey")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("participant_identity_pkey")),
        sa.UniqueConstraint("study_name", "external_id", name=op.f("participant_identity_study_name_external_id_key")),
        comment="A recruiter's ids of a participant. Researchers' roles cannot read it, and no export has it.",
    )
    op.create_table(
        "participant_exclusion",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUID version 7; sorts by time"),
        _text("user_id", "participant"),
        sa.Column("is_excluded", sa.Boolean(), nullable=False, comment="true: excluded; false: included again"),
        _text("reason", "reason, by the researcher"),
        _time("time_created", "time of the decision, database clock", now=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("participant_exclusion_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("participant_exclusion_pkey")),
        comment="A decision to exclude a participant from the analysis. The newest one counts; none is deleted.",
    )
    op.create_index(op.f("participant_exclusion_user_id_id_idx"), "participant_exclusion", ["user_id", "id"])
    op.create_table(
        "participant_answer",
        _text("user_id", "participant"),
        _text("stage", "name of the stage"),
        _number("attempt", "0-based number of the attempt"),
        sa.Column("is_passed", sa.Boolean(), nullable=False, comment="whether the next stage followed"),
        _json("data", "measures of a screening, or `answers` by question"),
        _time("time_began", "time at which the stage began, database clock"),
        _time("time_created", "time of the answer, database clock", now=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("participant_answer_user_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", "stage", "attempt", name=op.f("participant_answer_pkey")),
        comment="What a participant did in a stage: measures, answers, and how long it took. One row per attempt.",
    )
