"""Returns of published agents with their protocol, and where players die."""

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0033"
branch_labels = None
depends_on = None

AGENTS = Path(__file__).parents[2] / "baselines" / "atari_agents_1.json"
NOOP = "3 or more episodes of a professional game tester, up to 30 no-op starts, 108,000 frames at most"
# Methods of the paper. The text above is that of the table of dqn_zoo.
NATURE = (
    "mean of about 20 episodes of at most 5 minutes of a professional game tester after about 2 hours of practice, "
    "60 frames a second, without sound"
)


def upgrade() -> None:
    """Apply."""
    agents = op.create_table(
        "published_agent",
        _column("id", sa.String(), "short name"),
        _column("name", sa.String(), "name for charts"),
        _column("version", sa.String(), "commit that contains the scores"),
        _column("citation", sa.String(), "reference to cite"),
        _column("sticky_probability", sa.Float(), "probability that the emulator repeats the last action instead"),
        _column("frame_skip", sa.Integer(), "number of emulator frames that an action lasts"),
        _column("max_episode_frames", sa.Integer(), "number of emulator frames after which an episode is cut off"),
        _column("start", sa.String(), "how an episode starts"),
        _column("trained_frames", sa.BigInteger(), "number of emulator frames that the agent was trained for"),
        _column("evaluation", sa.String(), "what the score is the mean of"),
        sa.PrimaryKeyConstraint("id", name=op.f("published_agent_pkey")),
        comment="An agent with published scores, and the protocol by which they were measured.",
    )
    scores = op.create_table(
        "published_score",
        _column("agent_id", sa.String(), "agent"),
        _column("environment_id", sa.String(), "Gymnasium id, such as ALE/Breakout-v5"),
        _column("score", sa.Float(), "return"),
        sa.ForeignKeyConstraint(["agent_id"], ["published_agent.id"], name=op.f("published_score_agent_id_fkey")),
        sa.PrimaryKeyConstraint("agent_id", "environment_id", name=op.f("published_score_pkey")),
        comment="The return of a published agent in an environment.",
    )
    published = json.loads(AGENTS.read_text(encoding="utf-8"))
    op.bulk_insert(agents, [{name: value for name, value in agent.items() if name != "scores"} for agent in published])
    op.bulk_insert(
        scores,
        [
            {"agent_id": agent["id"], "environment_id": environment, "score": score}
            for agent in published
            for environment, score in agent["scores"].items()
        ],
    )
    _replace_protocol(NOOP, NATURE)
    op.create_table(
        "death",
        _column("episode_id", sa.Uuid(), "episode"),
        _column("frame", sa.Integer(), "0-based index of the last observation before the death"),
        _column("x", sa.Float(), "place from the left edge of the picture (0) to the right one (1)"),
        _column("y", sa.Float(), "place from the upper edge of the picture (0) to the lower one (1)"),
        _column("screen", sa.Integer(), "number of the screen in a game with several; otherwise 0"),
        _column("columns", sa.Integer(), "number of columns of a level of cells; null: pixels", nullable=True),
        _column("rows", sa.Integer(), "number of rows of a level of cells; null: pixels", nullable=True),
        sa.ForeignKeyConstraint(["episode_id"], ["episode.id"], name=op.f("death_episode_id_fkey")),
        sa.PrimaryKeyConstraint("episode_id", "frame", name=op.f("death_pkey")),
        comment="A death in an episode, and where in the picture; the certifier finds it, if the game tells.",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("death")
    _replace_protocol(NATURE, NOOP)
    op.drop_table("published_score")
    op.drop_table("published_agent")


def _column(name: str, type_: sa.types.TypeEngine[Any], comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=nullable, comment=comment)


def _replace_protocol(before: str, after: str) -> None:
    statement = "UPDATE baseline_source SET protocol = replace(protocol, :before, :after) WHERE id = 'nature-2015'"
    op.execute(sa.text(statement).bindparams(before=before, after=after))
