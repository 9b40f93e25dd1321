"""Leave episodes in which an agent acted out of learning curves, mark them in the summary, and leave out its steps.

A step of an agent follows from no input, so it has no latency.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

SUMMARY_COMMENT = "One row per episode: its result, its latencies and the quality of its recording."
SUMMARY_END = r"\s+FROM played_episode e;\s*$"
WITH_AGENT = "e.provenance ? 'takeover'"
PRINTED = r"\((?:e\.)?provenance \? 'takeover'::text\)"
"""The same as Postgres prints it."""
ENDED = "e.time_ended IS NOT NULL"
PAINTED, OF_INPUT = "(next_shown_us IS NOT NULL)", " AND (input_us IS NOT NULL)"
"""Conditions of `input_latency`."""


def upgrade() -> None:
    """Apply."""
    summary, n_replaced = re.subn(
        SUMMARY_END, f", {WITH_AGENT} AS with_agent FROM played_episode e", _definition("episode_summary")
    )
    curve = _definition("learning_curve")
    latency = _definition("input_latency")
    if n_replaced != 1 or curve.count(ENDED) != 1 or latency.count(PAINTED) != 1:
        raise RuntimeError("episode_summary, learning_curve and input_latency are not as this migration expects")
    _execute(f"CREATE OR REPLACE VIEW input_latency AS {latency.replace(PAINTED, PAINTED + OF_INPUT)}")
    _execute(f"CREATE OR REPLACE VIEW episode_summary AS {summary}")
    _execute(f"CREATE OR REPLACE VIEW learning_curve AS {curve.replace(ENDED, f'{ENDED} AND NOT {WITH_AGENT}')}")


def downgrade() -> None:
    """Take back."""
    _execute(f"CREATE OR REPLACE VIEW input_latency AS {_definition('input_latency').replace(OF_INPUT, '')}")
    curve = re.sub(rf" AND \(NOT {PRINTED}\)", "", _definition("learning_curve"))
    _execute(f"CREATE OR REPLACE VIEW learning_curve AS {curve}")
    summary = re.sub(rf",\s*{PRINTED} AS with_agent", "", _definition("episode_summary"))
    op.execute("DROP VIEW episode_summary")
    _execute(f"CREATE VIEW episode_summary AS {summary}")
    op.execute(f"COMMENT ON VIEW episode_summary IS '{SUMMARY_COMMENT}'")


def _definition(view: str) -> str:
    """Return the definition of a view, as Postgres has it."""
    return str(op.get_bind().execute(sa.text(f"SELECT pg_get_viewdef('{view}')")).scalar())


def _execute(statement: str) -> None:
    op.execute(sa.text(statement.replace(":", r"\:")))
