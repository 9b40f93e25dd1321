"""Leaderboards and the daily challenge."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "daily",
        sa.Column("day", sa.Date(), nullable=False, comment="day, UTC"),
        sa.Column("game_id", sa.String(), nullable=False, comment="game"),
        sa.Column(
            "arguments",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="arguments of gymnasium.make that differ from the manifest",
        ),
        sa.Column(
            "key",
            sa.String(),
            nullable=False,
            comment="random key that the seed is derived from, hexadecimal; secret until the day is over",
        ),
        sa.Column(
            "commitment",
            sa.String(),
            nullable=False,
            comment="SHA-256 of the key, hexadecimal; published before the day",
        ),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the draw, database clock",
        ),
        sa.ForeignKeyConstraint(["game_id"], ["game.id"], name=op.f("daily_game_id_fkey")),
        sa.PrimaryKeyConstraint("day", name=op.f("daily_pkey")),
        comment="The daily challenge of one day: one game with the same seed for all. Researchers cannot read it.",
    )
    op.create_table(
        "board",
        sa.Column("id", sa.String(), nullable=False, comment="game_id?settings#edition"),
        sa.Column("game_id", sa.String(), nullable=False, comment="game"),
        sa.Column(
            "settings",
            sa.String(),
            nullable=False,
            comment="chosen options as name=value, joined by &; daily=DAY for a daily challenge",
        ),
        sa.Column("edition", sa.String(), nullable=False, comment="hash of `contents`"),
        sa.Column(
            "contents",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="environment, arguments, ROM, steps per second and package versions of the edition",
        ),
        sa.Column("day", sa.Date(), nullable=True, comment="day of a daily challenge; null: an ordinary board"),
        sa.Column(
            "newest_id",
            sa.Uuid(),
            nullable=False,
            comment="id of the newest episode that ranked; of several editions the newest is shown",
        ),
        sa.ForeignKeyConstraint(["game_id"], ["game.id"], name=op.f("board_game_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("board_pkey")),
        comment="A leaderboard: one game with certain settings, in one edition (versions of what decides it).",
    )
    op.create_index(op.f("board_game_id_settings_idx"), "board", ["game_id", "settings"], unique=False)
    op.create_table(
        "board_season",
        sa.Column("board_id", sa.String(), nullable=False, comment="board"),
        sa.Column("season", sa.String(), nullable=False, comment="all, 2026-11-28 or 2026-W48; UTC"),
        sa.Column(
            "time_ends", sa.DateTime(timezone=True), nullable=True, comment="end of the season; null: it has none"
        ),
        sa.Column(
            "time_frozen",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="time at which ranks and names were fixed; null: open",
        ),
        sa.Column(
            "n_players",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="number of ranked players when it was frozen",
        ),
        sa.ForeignKeyConstraint(["board_id"], ["board.id"], name=op.f("board_season_board_id_fkey")),
        sa.PrimaryKeyConstraint("board_id", "season", name=op.f("board_season_pkey")),
        comment="A season of a board: a day, an ISO week or all time. A frozen season gets no new rows.",
    )
    op.create_table(
        "board_player",
        sa.Column("user_id", sa.String(), nullable=False, comment="player"),
        sa.Column("name", sa.String(), nullable=False, comment="name on the boards"),
        sa.Column(
            "skeleton",
            sa.String(),
            nullable=False,
            comment="the name without what looks alike, so that no two names look alike",
        ),
        sa.Column("is_chosen", sa.Boolean(), nullable=False, comment="false: a neutral name, given by the server"),
        sa.Column("n_reports", sa.Integer(), nullable=False, comment="reports of this name that nobody has decided on"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the consent, database clock",
        ),
        sa.Column(
            "time_updated",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the last change, database clock",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("board_player_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("board_player_pkey")),
        sa.UniqueConstraint("name", name=op.f("board_player_name_key")),
        sa.UniqueConstraint("skeleton", name=op.f("board_player_skeleton_key")),
        comment="A player who has chosen to be on leaderboards. The row is deleted when they opt out.",
    )
    op.create_table(
        "board_queue",
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="episode"),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the request, database clock",
        ),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episode.id"], name=op.f("board_queue_episode_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("episode_id", name=op.f("board_queue_pkey")),
        comment="An episode of a player on leaderboards that is to be judged (again).",
    )
    op.create_table(
        "board_entry",
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="episode"),
        sa.Column("user_id", sa.String(), nullable=False, comment="player"),
        sa.Column("board_id", sa.String(), nullable=True, comment="board; null: it does not rank"),
        sa.Column("score", sa.Float(), nullable=False, comment="episode.score"),
        sa.Column("time_ended", sa.DateTime(timezone=True), nullable=False, comment="episode.time_ended"),
        sa.Column(
            "rejection",
            sa.String(),
            nullable=True,
            comment="why it does not rank: unfinished, slow-motion, ...; null: it ranks",
        ),
        sa.Column(
            "signals",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="signals of programs and of slow motion, for a review; they change no rank by themselves",
        ),
        sa.Column(
            "review", sa.String(), nullable=True, comment="decision of a maintainer: accepted or hidden; null: none"
        ),
        sa.Column("review_reason", sa.String(), nullable=True, comment="reason of the decision; the player sees it"),
        sa.Column(
            "time_reviewed",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="time of the decision, database clock; null: none",
        ),
        sa.Column(
            "time_created",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="time of the judgement, database clock",
        ),
        sa.ForeignKeyConstraint(["board_id"], ["board.id"], name=op.f("board_entry_board_id_fkey")),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episode.id"], name=op.f("board_entry_episode_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("board_entry_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("episode_id", name=op.f("board_entry_pkey")),
        comment="A judged episode of a player on leaderboards: its board, or why it does not rank; signals; a review.",
    )
    op.create_index(op.f("board_entry_user_id_board_id_idx"), "board_entry", ["user_id", "board_id"], unique=False)
    op.create_table(
        "board_standing",
        sa.Column("board_id", sa.String(), nullable=False, comment="board"),
        sa.Column("season", sa.String(), nullable=False, comment="season of the board"),
        sa.Column("user_id", sa.String(), nullable=False, comment="player"),
        sa.Column("episode_id", sa.Uuid(), nullable=False, comment="the player's best episode"),
        sa.Column("score", sa.Float(), nullable=False, comment="its score"),
        sa.Column(
            "time_reached",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="end of that episode; of equal scores the earlier leads",
        ),
        sa.Column("rank", sa.Integer(), nullable=True, comment="rank in a frozen season; null: open season"),
        sa.Column("name", sa.String(), nullable=True, comment="name in a frozen season; null: open season"),
        sa.ForeignKeyConstraint(["board_id"], ["board.id"], name=op.f("board_standing_board_id_fkey")),
        sa.ForeignKeyConstraint(
            ["episode_id"], ["episode.id"], name=op.f("board_standing_episode_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("board_standing_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("board_id", "season", "user_id", name=op.f("board_standing_pkey")),
        comment="The best entry of a player on a board in a season.",
    )
    op.create_index(op.f("board_standing_episode_id_idx"), "board_standing", ["episode_id"], unique=False)
    op.create_index(
        "board_standing_rank_idx",
        "board_standing",
        ["board_id", "season", sa.literal_column("score DESC"), "time_reached", "episode_id"],
        unique=False,
    )
    op.create_index(op.f("board_standing_user_id_idx"), "board_standing", ["user_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    for table in ("board_standing", "board_entry", "board_queue", "board_player", "board_season", "board", "daily"):
        op.drop_table(table)
