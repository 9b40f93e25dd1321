"""For researchers: published scores, and views with names that stay."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCORES = Path(__file__).parents[2] / "baselines" / "atari_1.csv"
NOOP = "3 or more episodes of a professional game tester, up to 30 no-op starts, 108,000 frames at most"
# id, version, column of the file, citation, protocol
SOURCES = [
    (
        "dqn-zoo",
        "45061f4",
        "human",
        "google-deepmind/dqn_zoo, atari_data.py; in print Wang et al. 2016, arXiv 1511.06581",
        NOOP,
    ),
    (
        "nature-2015",
        "rldb 8c471c4",
        "human_nature2015_noop",
        "Mnih et al. 2015, Nature 518, 529-533, by seungjaeryanlee/rldb",
        NOOP,
    ),
    (
        "human-starts",
        "rldb 8c471c4",
        "human_human_starts",
        "Nair et al. 2015, arXiv 1507.04296, by seungjaeryanlee/rldb",
        "professional game tester, starts taken from human play",
    ),
    (
        "world-record",
        "arXiv 2010.02193 table K.1",
        "human_world_record",
        "Toromanoff et al. 2019, arXiv 1908.04683, by Hafner et al. 2021",
        "best score on record, whatever the protocol",
    ),
]
RANDOM = "; random agent: dqn_zoo 45061f4"

VIEWS = {
    "episode_summary": """
        SELECT e.id AS episode_id, e.user_id AS player_id, e.game_id, e.environment ->> 'id' AS environment_id, e.seed,
            e.score AS return, e.n_steps AS steps, e.status::text AS status, e.end_reason,
            e.time_created, e.time_ended,
            extract(epoch FROM e.time_ended - e.time_created)::float8 AS duration_seconds,
            coalesce((SELECT c.result = 'certified' FROM certificate c WHERE c.episode_id = e.id
                ORDER BY c.time_created DESC LIMIT 1), false) AS certified,
            (SELECT (percentile_cont(0.5) WITHIN GROUP (ORDER BY l.latency_ms)) FROM input_latency l WHERE l.episode_id = e.id)
                AS latency_p50_ms,
            (SELECT (percentile_cont(0.95) WITHIN GROUP (ORDER BY l.latency_ms)) FROM input_latency l WHERE l.episode_id = e.id)
                AS latency_p95_ms,
            (SELECT count(*) FROM transition t WHERE t.episode_id = e.id AND t.shown_us IS NULL) AS dropped_frames,
            (SELECT mode() WITHIN GROUP (ORDER BY v.data ->> 'device') FROM event v
                WHERE v.episode_id = e.id AND v.kind = 'input') AS device,
            e.provenance #>> '{player,browser}' AS browser,
            (e.provenance #>> '{player,refresh_hz}')::float8 AS refresh_hz
        FROM episode e""",
    "learning_curve": """
        SELECT episode_id, player_id, game_id, episode_index, return, steps, status, time_created,
            (sum(steps) OVER past)::bigint AS cumulative_frames,
            sum(seconds) OVER past / 60 AS cumulative_minutes,
            gap_seconds,
            1 + count(*) FILTER (WHERE gap_seconds > 1800) OVER past AS session_index
        FROM (
            SELECT e.user_id AS player_id, e.game_id, e.id AS episode_id, e.score AS return, e.n_steps AS steps,
                e.status::text AS status, e.time_created,
                extract(epoch FROM e.time_ended - e.time_created)::float8 AS seconds,
                row_number() OVER played AS episode_index,
                extract(epoch FROM e.time_created - lag(e.time_ended) OVER played)::float8 AS gap_seconds
            FROM episode e
            WHERE e.time_ended IS NOT NULL
            WINDOW played AS (PARTITION BY e.user_id, e.game_id ORDER BY e.id)
        ) AS numbered
        WINDOW past AS (PARTITION BY player_id, game_id ORDER BY episode_index)""",
    "reaction_time": """
        SELECT v.episode_id, e.user_id AS player_id, e.game_id, v.number, v.data ->> 'control' AS control,
            v.data ->> 'device' AS device, (v.data ->> 'frame')::int AS frame, on_screen.shown_us, v.client_us AS input_us,
            (v.client_us - on_screen.shown_us) / 1000.0::float8 AS reaction_ms,
            CASE WHEN cause.step IS NULL THEN 'start' WHEN cause.reward <> 0 THEN 'reward' ELSE 'info' END AS stimulus,
            coalesce(cause.step + 1, 0) AS stimulus_frame,
            (v.client_us - stimulus.shown_us) / 1000.0::float8 AS stimulus_ms
        FROM event v
        JOIN episode e ON e.id = v.episode_id
        LEFT JOIN transition on_screen ON on_screen.episode_id = v.episode_id AND on_screen.step = (v.data ->> 'frame')::int
        LEFT JOIN LATERAL (
            SELECT t.step, t.reward FROM transition t
            WHERE t.episode_id = v.episode_id AND t.step < (v.data ->> 'frame')::int
                AND (t.reward <> 0 OR (t.info IS NOT NULL AND t.step > 0))
            ORDER BY t.step DESC LIMIT 1) AS cause ON true
        LEFT JOIN transition stimulus ON stimulus.episode_id = v.episode_id AND stimulus.step = coalesce(cause.step + 1, 0)
        WHERE v.kind = 'input' AND (v.data ->> 'down')::boolean AND v.data ->> 'frame' IS NOT NULL""",
    "action_use": """
        SELECT episode_id, player_id, game_id, action, count(*) AS steps,
            count(*)::float8 / sum(count(*)) OVER (PARTITION BY game_id, player_id, episode_id)::float8 AS share,
            count(*) FILTER (WHERE action IS DISTINCT FROM before) AS holds,
            count(*)::float8 / nullif(count(*) FILTER (WHERE action IS DISTINCT FROM before), 0) AS mean_hold_steps
        FROM (
            SELECT e.game_id, e.user_id AS player_id, t.episode_id, t.action,
                lag(t.action) OVER (PARTITION BY e.game_id, e.user_id, t.episode_id ORDER BY t.step) AS before
            FROM transition t JOIN episode e ON e.id = t.episode_id
        ) AS held
        GROUP BY game_id, player_id, episode_id, action""",
    "human_normalised_score": """
        SELECT e.id AS episode_id, e.user_id AS player_id, e.game_id, b.environment_id, e.score AS return,
            (e.score - b.random) / nullif(b.human - b.random, 0) AS normalised, b.random, b.human,
            b.source_id AS source, s.version, s.citation, s.protocol
        FROM episode e
        JOIN baseline b ON b.environment_id = e.environment ->> 'id'
        JOIN baseline_source s ON s.id = b.source_id
        WHERE e.time_ended IS NOT NULL""",
}
LATENCY = """
        SELECT episode_id, step, input_us, (next_shown_us - input_us) / 1000.0::float8 AS latency_ms
        FROM (
            SELECT t.episode_id, t.step, t.input_us,
                lag(t.input_us) OVER later AS before_us, lead(t.shown_us) OVER later AS next_shown_us
            FROM transition t WINDOW later AS (PARTITION BY t.episode_id ORDER BY t.step)
        ) AS paired
        WHERE input_us IS DISTINCT FROM before_us AND next_shown_us IS NOT NULL"""
COMMENTS = {
    "input_latency": "A row for each input that came into force: key pressed to first picture made with it, browser clock",
    "episode_summary": "A row for each episode: how it went, and how good its record is",
    "learning_curve": "A row for each ended episode: the how-manieth of this player in this game, after how much play and what break",
    "reaction_time": "A row for each press: how long after the picture on the screen, and after the newest stimulus before it",
    "action_use": "A row for each action that an episode has: how often, and held for how long",
    "human_normalised_score": "A row for each ended episode and published source of a human score for its environment",
}


def upgrade() -> None:
    """Apply."""
    sources = op.create_table(
        "baseline_source",
        sa.Column("id", sa.String(), nullable=False, comment="short name of the source"),
        sa.Column("version", sa.String(), nullable=False, comment="commit or table that the figures were taken from"),
        sa.Column("citation", sa.String(), nullable=False, comment="what to cite"),
        sa.Column("protocol", sa.String(), nullable=False, comment="how these scores came about"),
        sa.PrimaryKeyConstraint("id", name=op.f("baseline_source_pkey")),
        comment="Where published scores come from. Figures never change: another version is another source.",
    )
    scores = op.create_table(
        "baseline",
        sa.Column("source_id", sa.String(), nullable=False, comment="the source"),
        sa.Column("environment_id", sa.String(), nullable=False, comment="Gymnasium's id: ALE/Breakout-v5"),
        sa.Column("random", sa.Float(), nullable=False, comment="mean return of a random agent"),
        sa.Column("human", sa.Float(), nullable=False, comment="return of a person, as the source has it"),
        sa.ForeignKeyConstraint(["source_id"], ["baseline_source.id"], name=op.f("baseline_source_id_fkey")),
        sa.PrimaryKeyConstraint("source_id", "environment_id", name=op.f("baseline_pkey")),
        comment="A published score: return 0 and 1 of the normalised scale.",
    )
    op.bulk_insert(
        sources,
        [
            {"id": id_, "version": version, "citation": cited, "protocol": how + RANDOM}
            for id_, version, _, cited, how in SOURCES
        ],
    )
    op.bulk_insert(scores, list(read_scores()))
    for name, query in {"input_latency": LATENCY, **VIEWS}.items():
        op.execute(sa.text(f"CREATE VIEW {name} AS {query}".replace(":", r"\:")))
        op.execute(f"COMMENT ON VIEW {name} IS '{COMMENTS[name]}'")


def downgrade() -> None:
    """Take back."""
    for name in [*reversed(VIEWS), "input_latency"]:
        op.execute(f"DROP VIEW {name}")
    op.drop_table("baseline")
    op.drop_table("baseline_source")


def read_scores() -> Iterator[dict[str, Any]]:
    """Rows of `baseline`: a score for each source that has one of the game."""
    with SCORES.open(newline="") as file:
        for row in csv.DictReader(file):
            for source, _, column, _, _ in SOURCES:
                if row[column]:
                    yield {
                        "source_id": source,
                        "environment_id": row["ale_v5_id"],
                        "random": float(row["random"]),
                        "human": float(row[column]),
                    }
