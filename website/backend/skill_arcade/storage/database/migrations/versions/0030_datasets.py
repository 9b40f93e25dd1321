"""Saved datasets: selections of episodes under a name, in versions that never change."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "saved_dataset",
        _text("name", "name, such as breakout-people"),
        _text("key", "hexadecimal key of the pseudonyms, the same in all versions and exports"),
        _now("time of the first version, database clock"),
        sa.PrimaryKeyConstraint("name", name=op.f("saved_dataset_pkey")),
        comment="A dataset that researchers have saved under a name. Its episodes are those of its versions.",
    )
    op.create_table(
        "dataset_version",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUID version 7; sorts by time"),
        _text("dataset_name", "dataset"),
        _integer("number", "number of the version, from 1"),
        _text("cause", "saved: by a researcher; removal: episodes were erased, or their consent withdrawn"),
        _text("query", "SQL condition on episode_summary that selected the episodes"),
        _json("filters", "filters of the research page, of which `query` is the SQL; null: none", nullable=True),
        _text("scope", "scope of the consent that every episode has"),
        _json("description", "title, summary, authors, license and contact"),
        _json(
            "consent_documents", "version, language and SHA-256 of what players agreed to, and the number of episodes"
        ),
        _text("schema_version", "alembic_version.version_num when it was saved"),
        _json("software", "package versions with which it was saved"),
        sa.Column(
            "as_of",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="exports have the notes and certificates of this time, database clock",
        ),
        _integer("n_episodes", "number of episodes"),
        sa.Column("n_steps", sa.BigInteger(), nullable=False, comment="number of transitions"),
        _integer("n_players", "number of players"),
        _integer("n_without_consent", "number of episodes that matched the query and lacked the scope"),
        _text("digest", "SHA-256 of the pseudonyms and digests of all episodes"),
        sa.Column(
            "removed",
            sa.ARRAY(sa.String()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="pseudonyms of the episodes of the previous version that a removal took out",
        ),
        _json("publications", "address of each repository to the time of its upload"),
        _now("time at which it was saved, database clock"),
        sa.CheckConstraint("cause IN ('saved', 'removal')", name=op.f("dataset_version_cause_check")),
        sa.ForeignKeyConstraint(
            ["dataset_name"], ["saved_dataset.name"], name=op.f("dataset_version_dataset_name_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("dataset_version_pkey")),
        sa.UniqueConstraint("dataset_name", "number", name=op.f("dataset_version_dataset_name_number_key")),
        comment="A version of a saved dataset. Rows are only added; `publications` alone grows later.",
    )
    op.create_table(
        "dataset_episode",
        sa.Column("version_id", sa.Uuid(), nullable=False, comment="version of a dataset"),
        _text("pseudonym", "id of the episode in exports of the dataset"),
        sa.Column("episode_id", sa.Uuid(), nullable=True, comment="episode; null: it was erased"),
        sa.Column(
            "digest",
            sa.String(),
            nullable=True,
            comment="SHA-256 of the recording: rows, objects, origin, and notes as of `as_of`; null: the episode was "
            "erased",
        ),
        sa.Column(
            "is_certified", sa.Boolean(), nullable=False, comment="newest certificate as of `as_of` says certified"
        ),
        sa.ForeignKeyConstraint(["version_id"], ["dataset_version.id"], name=op.f("dataset_episode_version_id_fkey")),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("dataset_episode_episode_id_fkey")),
        sa.PrimaryKeyConstraint("version_id", "pseudonym", name=op.f("dataset_episode_pkey")),
        comment="An episode of a version of a saved dataset. Of an erased episode the pseudonym stays.",
    )
    op.create_index(op.f("dataset_episode_episode_id_idx"), "dataset_episode", ["episode_id"])


def downgrade() -> None:
    """Revert."""
    op.drop_table("dataset_episode")
    op.drop_table("dataset_version")
    op.drop_table("saved_dataset")


def _text(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=False, comment=comment)


def _integer(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def _json(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    default = None if nullable else sa.text("'{}'::jsonb")
    type_ = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    return sa.Column(name, type_, server_default=default, nullable=nullable, comment=comment)


def _now(comment: str) -> sa.Column[Any]:
    return sa.Column(
        "time_created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment=comment
    )
