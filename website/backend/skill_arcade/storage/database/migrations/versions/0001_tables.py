"""The tables: user, game, episode, transition, segment, event."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "game",
        sa.Column("id", sa.String(), nullable=False, comment="the manifest's file name without .yaml"),
        sa.Column(
            "config",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="the whole manifest",
        ),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="first seen, database clock",
        ),
        sa.Column(
            "time_updated",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="last change of the manifest, database clock",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("game_pkey")),
        comment="A game of the catalogue, as its manifest stood at the last server start.",
    )
    op.create_table(
        "user",
        sa.Column(
            "id",
            sa.String(),
            nullable=False,
            comment="keyed hash of the e-mail; no guess without the server's key",
        ),
        sa.Column("email", sa.String(), nullable=True, comment="normalised e-mail; null once erased"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="first sign-in, database clock",
        ),
        sa.Column(
            "time_updated",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="last change, database clock",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("user_pkey")),
        sa.UniqueConstraint("email", name=op.f("user_email_key")),
        comment="A person who plays.",
    )
    op.create_table(
        "episode",
        sa.Column("id", sa.Uuid(), nullable=False, comment="UUID version 7: sorts by start"),
        sa.Column("user_id", sa.String(), nullable=False, comment="who played"),
        sa.Column("game_id", sa.String(), nullable=False, comment="what was played"),
        sa.Column("seed", sa.BigInteger(), nullable=False, comment="argument of reset(seed=...), 1 to 2^31-1"),
        sa.Column(
            "n_steps",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="transitions delivered so far; final once ended",
        ),
        sa.Column(
            "status",
            sa.Enum("incomplete", "won", "lost", name="episode_status"),
            server_default="incomplete",
            nullable=False,
            comment="incomplete until an end that the manifest calls won or lost",
        ),
        sa.Column("score", sa.Float(), server_default="0", nullable=False, comment="sum of rewards so far"),
        sa.Column(
            "end_reason",
            sa.String(),
            nullable=True,
            comment="terminated, truncated, left, disconnected, server-stopped, crashed, ...; null while running",
        ),
        sa.Column(
            "environment",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="id, kwargs, spec and package versions: what a re-run needs",
        ),
        sa.Column(
            "provenance",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="package version and commit, manifest hash, browser, screen, device",
        ),
        sa.Column(
            "reset_info",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="info returned by reset",
        ),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="reset returned, server wall clock",
        ),
        sa.Column(
            "time_ended",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="end of the episode, server wall clock",
        ),
        sa.Column(
            "time_updated",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="last delivery, database clock",
        ),
        sa.ForeignKeyConstraint(["game_id"], ["game.id"], name=op.f("episode_game_id_fkey")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("episode_user_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("episode_pkey")),
        comment="One play of a game, from `reset(seed=...)` to its end, with all that a bit-exact re-run needs.",
    )
    op.create_index(op.f("episode_game_id_id_idx"), "episode", ["game_id", "id"], unique=False)
    op.create_index(op.f("episode_status_id_idx"), "episode", ["status", "id"], unique=False)
    op.create_index(op.f("episode_user_id_id_idx"), "episode", ["user_id", "id"], unique=False)
    op.create_table(
        "event",
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="the episode"),
        sa.Column("number", sa.Integer(), nullable=False, comment="0-based order of arrival"),
        sa.Column(
            "kind",
            sa.String(),
            nullable=False,
            comment="input, focus, pause, resume, detach, attach, clock, skipped, ...",
        ),
        sa.Column(
            "server_us",
            sa.BigInteger(),
            nullable=False,
            comment="arrival: microseconds since the episode's start, server monotonic clock",
        ),
        sa.Column(
            "client_us",
            sa.BigInteger(),
            nullable=True,
            comment="it happened: browser clock, microseconds since its time origin",
        ),
        sa.Column("step", sa.Integer(), nullable=False, comment="steps taken when it arrived"),
        sa.Column(
            "data",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="what is particular to the kind",
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("event_episode_id_fkey")),
        sa.PrimaryKeyConstraint("episode_id", "number", name=op.f("event_pkey")),
        comment="Something that happened in an episode beside its steps: raw input, focus, pause, clock sample, ...",
    )
    op.create_table(
        "segment",
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="the episode"),
        sa.Column("number", sa.Integer(), nullable=False, comment="0-based; SEGMENT of obs_key"),
        sa.Column("first_step", sa.Integer(), nullable=False, comment="step of its first transition"),
        sa.Column("n_steps", sa.Integer(), nullable=False, comment="transitions in it"),
        sa.Column("n_frames", sa.Integer(), nullable=False, comment="frames in its object"),
        sa.Column("n_bytes", sa.BigInteger(), nullable=False, comment="size of its objects"),
        sa.Column(
            "objects",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="object key to SHA-256, hexadecimal",
        ),
        sa.Column(
            "time_delivered",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="database clock",
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("segment_episode_id_fkey")),
        sa.PrimaryKeyConstraint("episode_id", "number", name=op.f("segment_pkey")),
        comment="A delivered piece of an episode. Its row is written in the transaction of its transitions.",
    )
    op.create_table(
        "transition",
        sa.Column(
            "id", sa.Uuid(), nullable=False, comment="episode_id + step + 1; find a row by those two, they are the key"
        ),
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="the episode"),
        sa.Column("step", sa.Integer(), nullable=False, comment="0-based index in the episode"),
        sa.Column("action", sa.Integer(), nullable=False, comment="index in the environment's action space"),
        sa.Column("reward", sa.Float(), nullable=False, comment="as returned by step"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="step returned, server wall clock",
        ),
        sa.Column(
            "server_us",
            sa.BigInteger(),
            nullable=False,
            comment="step began: microseconds since the episode's start, server monotonic clock",
        ),
        sa.Column(
            "shown_us",
            sa.BigInteger(),
            nullable=True,
            comment="the obs acted on was painted: browser clock, microseconds since its origin; null: never shown",
        ),
        sa.Column(
            "input_us",
            sa.BigInteger(),
            nullable=True,
            comment="the input in force happened: browser clock, microseconds since its time origin; null: none yet",
        ),
        sa.Column(
            "input_received_us",
            sa.BigInteger(),
            nullable=True,
            comment="that input arrived: microseconds since the episode's start, server monotonic clock",
        ),
        sa.Column(
            "late_us",
            sa.Integer(),
            nullable=True,
            comment="step began this many microseconds after its deadline; null when turn-based",
        ),
        sa.Column(
            "input_frame",
            sa.Integer(),
            nullable=True,
            comment="observation index on the player's screen when that input happened",
        ),
        sa.Column("terminated", sa.Boolean(), nullable=False, comment="as returned by step"),
        sa.Column("truncated", sa.Boolean(), nullable=False, comment="as returned by step"),
        sa.Column(
            "obs_key",
            sa.String(),
            nullable=False,
            comment="where the observation acted on is: SEGMENT/INDEX in it",
        ),
        sa.Column("next_obs_key", sa.String(), nullable=False, comment="obs_key of the next step"),
        sa.Column(
            "info",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="kept part of info; null: as in the step before",
        ),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("transition_episode_id_fkey")),
        sa.PrimaryKeyConstraint("episode_id", "step", name=op.f("transition_pkey")),
        comment="One step: `obs`, action, reward, `next_obs`. Observation n of an episode is the one before step n.",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("transition")
    op.drop_table("segment")
    op.drop_table("event")
    op.drop_index(op.f("episode_user_id_id_idx"), table_name="episode")
    op.drop_index(op.f("episode_status_id_idx"), table_name="episode")
    op.drop_index(op.f("episode_game_id_id_idx"), table_name="episode")
    op.drop_table("episode")
    op.drop_table("user")
    op.drop_table("game")
    op.execute("DROP TYPE episode_status")
