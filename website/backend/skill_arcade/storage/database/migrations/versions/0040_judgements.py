"""Judgements: people compare or rate clips of recorded episodes."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0040"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "judgement_set",
        _column("name", sa.String(), "name, such as breakout-pairs"),
        _column("sha256", sa.String(), "SHA-256 of the canonical JSON of `content` and of the items that were drawn"),
        _column("kind", sa.String(), "pair: two clips are compared; rating: one clip is rated"),
        _column("audience", sa.String(), "who may judge: researchers, or everyone who is signed in"),
        sa.Column(
            "content",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="complete specification, with the seed of the draw",
        ),
        _column("game_id", sa.String(), "game"),
        _column("n_items", sa.Integer(), "number of items that were drawn, without repeats"),
        _column("n_repeats", sa.Integer(), "number of repeats that were drawn"),
        _column("n_frames", sa.Integer(), "number of frames of each clip"),
        _column("frames_per_second", sa.Float(), "pace at which the page shows the frames"),
        _time("time_created", "time of the draw, database clock"),
        _time("time_closed", "time from which nobody can judge, database clock; null: open", nullable=True),
        sa.CheckConstraint("kind IN ('pair', 'rating')", name=op.f("judgement_set_kind_check")),
        sa.CheckConstraint("audience IN ('researchers', 'everyone')", name=op.f("judgement_set_audience_check")),
        sa.ForeignKeyConstraint(["game_id"], ["game.id"], name=op.f("judgement_set_game_id_fkey")),
        sa.PrimaryKeyConstraint("name", name=op.f("judgement_set_pkey")),
        comment="A set of clips to judge. Rows are only added; `time_closed` alone is set later.",
    )
    op.create_table(
        "judgement_item",
        _column("set_name", sa.String(), "set of clips"),
        _column("number", sa.Integer(), "0-based number; repeats follow the others"),
        _column(
            "repeat_of",
            sa.Integer(),
            "number of the item that is shown again, sides swapped; null: no repeat",
            nullable=True,
        ),
        _column(
            "gold",
            sa.String(),
            "clip that is known to be the better one: first or second; null: not known",
            nullable=True,
        ),
        sa.CheckConstraint("gold IN ('first', 'second')", name=op.f("judgement_item_gold_check")),
        sa.ForeignKeyConstraint(["set_name"], ["judgement_set.name"], name=op.f("judgement_item_set_name_fkey")),
        sa.PrimaryKeyConstraint("set_name", "number", name=op.f("judgement_item_pkey")),
        comment="A pair of clips to compare, or a clip to rate. It is deleted with the first of its episodes.",
    )
    op.create_table(
        "judgement_clip",
        _column("set_name", sa.String(), "set of clips"),
        _column("number", sa.Integer(), "item"),
        _column("side", sa.String(), "first or second clip of the item; a rating: first"),
        _column("episode_id", sa.Uuid(), "episode"),
        _column("frame_from", sa.Integer(), "first frame: 0-based index of the observation"),
        _column("frame_to", sa.Integer(), "frame after the last one"),
        sa.CheckConstraint("side IN ('first', 'second')", name=op.f("judgement_clip_side_check")),
        _item_key("judgement_clip"),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("judgement_clip_episode_id_fkey")),
        sa.PrimaryKeyConstraint("set_name", "number", "side", name=op.f("judgement_clip_pkey")),
        comment="A clip of an item: consecutive frames of an episode.",
    )
    op.create_index(op.f("judgement_clip_episode_id_idx"), "judgement_clip", ["episode_id"])
    op.create_table(
        "judgement",
        _column("id", sa.Uuid(), "UUID version 7; sorts by time"),
        _column("set_name", sa.String(), "set of clips"),
        _column("number", sa.Integer(), "item"),
        _column("user_id", sa.String(), "judge"),
        _column(
            "consent_id",
            sa.Uuid(),
            "consent of the judge that the answer is recorded under; null: a program",
            nullable=True,
        ),
        _column("position", sa.Integer(), "0-based position of the item in the order of this judge"),
        _column("is_swapped", sa.Boolean(), "true: the second clip was shown left; of a rating: false"),
        _column(
            "answer",
            sa.String(),
            "left, right or equal, as shown; cannot_tell; skip: no answer; or rating: `rating` has it",
        ),
        _column("rating", sa.Float(), "rating on the scale of the set; null: none", nullable=True),
        _column(
            "reaction_ms",
            sa.Integer(),
            "milliseconds from the first paint of the clips to the answer, browser clock",
        ),
        _column("n_plays", sa.Integer(), "number of times that the clips were played to their end"),
        _column("build", sa.String(), "version and commit of the server that took the answer"),
        _time("time_created", "time of the answer, database clock"),
        _time("time_retracted", "time at which the judge undid it, database clock; null: valid", nullable=True),
        sa.CheckConstraint(
            "answer IN ('left', 'right', 'equal', 'cannot_tell', 'skip', 'rating')",
            name=op.f("judgement_answer_check"),
        ),
        sa.CheckConstraint("(answer = 'rating') = (rating IS NOT NULL)", name=op.f("judgement_rating_check")),
        _item_key("judgement"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("judgement_user_id_fkey")),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("judgement_consent_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("judgement_pkey")),
        comment="A judge's answer to an item; retracted, never changed; deleted with its item and with its judge.",
    )
    op.create_index(op.f("judgement_user_id_idx"), "judgement", ["user_id"])
    op.create_index(
        "judgement_valid_idx",
        "judgement",
        ["set_name", "number", "user_id"],
        unique=True,
        postgresql_where=sa.text("time_retracted IS NULL"),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("judgement", "judgement_clip", "judgement_item", "judgement_set"):
        op.drop_table(table)


def _column(name: str, type_: sa.types.TypeEngine[Any], comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=nullable, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    default = None if nullable else sa.func.now()
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable, comment=comment)


def _item_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["set_name", "number"],
        ["judgement_item.set_name", "judgement_item.number"],
        name=op.f(f"{table}_set_name_fkey"),
        ondelete="CASCADE",
    )
