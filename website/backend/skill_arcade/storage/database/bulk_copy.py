"""Tables and views of some episodes, as files of CSV: the fastest way out of Postgres."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

TEXT, INTEGER, NUMBER, FLAG, MOMENT = "string", "int64", "double", "bool", "timestamp"
_WHO = {"episode_id": TEXT, "player_id": TEXT, "game_id": TEXT}

COPY_SCHEMAS: dict[str, dict[str, str]] = {
    "episode_summary": {
        **_WHO,
        "environment_id": TEXT,
        "seed": INTEGER,
        "return": NUMBER,
        "steps": INTEGER,
        "status": TEXT,
        "end_reason": TEXT,
        "time_created": MOMENT,
        "time_ended": MOMENT,
        "duration_seconds": NUMBER,
        "certified": FLAG,
        "latency_p50_ms": NUMBER,
        "latency_p95_ms": NUMBER,
        "dropped_frames": INTEGER,
        "device": TEXT,
        "refresh_hz": NUMBER,
    },
    "transition": {
        "episode_id": TEXT,
        "step": INTEGER,
        "action": INTEGER,
        "reward": NUMBER,
        "terminated": FLAG,
        "truncated": FLAG,
        "time_created": MOMENT,
        "server_us": INTEGER,
        "late_us": INTEGER,
        "shown_us": INTEGER,
        "input_us": INTEGER,
        "input_received_us": INTEGER,
        "input_frame": INTEGER,
        "info": TEXT,
    },
    "event": {
        "episode_id": TEXT,
        "number": INTEGER,
        "kind": TEXT,
        "server_us": INTEGER,
        "client_us": INTEGER,
        "step": INTEGER,
        "data": TEXT,
    },
    "input_latency": {"episode_id": TEXT, "step": INTEGER, "input_us": INTEGER, "latency_ms": NUMBER},
    "reaction_time": {
        **_WHO,
        "number": INTEGER,
        "control": TEXT,
        "device": TEXT,
        "frame": INTEGER,
        "shown_us": INTEGER,
        "input_us": INTEGER,
        "reaction_ms": NUMBER,
        "stimulus": TEXT,
        "stimulus_frame": INTEGER,
        "stimulus_ms": NUMBER,
    },
    "action_use": {
        **_WHO,
        "action": INTEGER,
        "steps": INTEGER,
        "share": NUMBER,
        "holds": INTEGER,
        "mean_hold_steps": NUMBER,
    },
    "human_normalised_score": {
        **_WHO,
        "environment_id": TEXT,
        "return": NUMBER,
        "normalised": NUMBER,
        "random": NUMBER,
        "human": NUMBER,
        "source": TEXT,
        "version": TEXT,
        "citation": TEXT,
        "protocol": TEXT,
    },
}
"""What can be copied, with its columns and their types. The user agent is left out: it tells devices apart."""

# Beside the episode, so that the same rows come in the same order always.
_ORDER = {
    "transition": "step",
    "event": "number",
    "input_latency": "step",
    "reaction_time": "number",
    "action_use": "action",
    "human_normalised_score": "source",
}


async def copy_rows(connection: AsyncConnection, name: str, episodes: Sequence[UUID], path: Path) -> None:
    """Write the rows of these episodes as CSV without a header, in the order of `BULK`; NULL is an empty field."""
    columns = ", ".join(f'"{column}"' for column in COPY_SCHEMAS[name])
    ids = ", ".join(f"'{id_}'" for id_ in episodes)
    order = ", ".join(["episode_id", *([_ORDER[name]] if name in _ORDER else [])])
    # Between, since it goes down the index; in, since others may have begun meanwhile.
    query = (
        f"SELECT {columns} FROM {name} WHERE episode_id BETWEEN '{min(episodes)}' AND '{max(episodes)}' "
        f"AND episode_id IN ({ids}) ORDER BY {order}"
    )
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.execute("SET LOCAL TIME ZONE 'UTC'")
    await driver.copy_from_query(query, output=path, format="csv")
