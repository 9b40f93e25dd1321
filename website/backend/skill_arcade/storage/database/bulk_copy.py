"""Exports rows of tables and views as CSV with COPY, which is the fastest bulk export of Postgres."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.storage.database.transition_columns import TRANSITION

TEXT, INTEGER, NUMBER, BOOLEAN, TIMESTAMP = "string", "int64", "double", "bool", "timestamp"
_ID_COLUMNS = {"episode_id": TEXT, "player_id": TEXT, "game_id": TEXT}

COPY_SCHEMAS: dict[str, dict[str, str]] = {
    "episode_summary": {
        **_ID_COLUMNS,
        "environment_id": TEXT,
        "seed": INTEGER,
        "return": NUMBER,
        "steps": INTEGER,
        "status": TEXT,
        "end_reason": TEXT,
        "time_created": TIMESTAMP,
        "time_ended": TIMESTAMP,
        "duration_seconds": NUMBER,
        "certified": BOOLEAN,
        "latency_p50_ms": NUMBER,
        "latency_p95_ms": NUMBER,
        "dropped_frames": INTEGER,
        "device": TEXT,
        "refresh_hz": NUMBER,
        "pauses": INTEGER,
        "paused_seconds": NUMBER,
        "active_speed": NUMBER,
        "overall_speed": NUMBER,
        "variant": TEXT,
        "is_branch": BOOLEAN,
        "with_agent": BOOLEAN,
    },
    "transition": {column.name: column.kind.value[2] for column in TRANSITION if column.is_exported},
    "event": {
        "episode_id": TEXT,
        "number": INTEGER,
        "kind": TEXT,
        "server_us": INTEGER,
        "client_us": INTEGER,
        "step": INTEGER,
        "data": TEXT,
    },
    "note": {
        "episode_id": TEXT,
        "step_from": INTEGER,
        "step_to": INTEGER,
        "tag": TEXT,
        "vocabulary": INTEGER,
        "text": TEXT,
        "author_role": TEXT,
        "time_created": TIMESTAMP,
        "time_retracted": TIMESTAMP,
    },
    "input_latency": {"episode_id": TEXT, "step": INTEGER, "input_us": INTEGER, "latency_ms": NUMBER},
    "reaction_time": {
        **_ID_COLUMNS,
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
        **_ID_COLUMNS,
        "action": INTEGER,
        "steps": INTEGER,
        "share": NUMBER,
        "holds": INTEGER,
        "mean_hold_steps": NUMBER,
    },
    "human_normalised_score": {
        **_ID_COLUMNS,
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
"""Tables and views that can be copied, with columns and types. The user agent is excluded: it can identify a device."""

# Second sort key after `episode_id`, so that the order of rows is deterministic.
_ORDER = {
    "transition": "step",
    "event": "number",
    "note": "step_from, step_to, time_created, id",
    "input_latency": "step",
    "reaction_time": "number",
    "action_use": "action",
    "human_normalised_score": "source",
}


async def copy_rows(connection: AsyncConnection, name: str, episodes: Sequence[UUID], path: Path) -> None:
    """Write the rows of `episodes` to `path` as CSV without a header, in the column order of `COPY_SCHEMAS`.

    NULL is an empty field.
    """
    columns = ", ".join(f'"{column}"' for column in COPY_SCHEMAS[name])
    ids = ", ".join(f"'{id_}'" for id_ in episodes)
    order = ", ".join(["episode_id", *([_ORDER[name]] if name in _ORDER else [])])
    # BETWEEN makes Postgres use the index; IN excludes other episodes that started in the same period.
    query = (
        f"SELECT {columns} FROM {name} WHERE episode_id BETWEEN '{min(episodes)}' AND '{max(episodes)}' "
        f"AND episode_id IN ({ids}) ORDER BY {order}"
    )
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.execute("SET LOCAL TIME ZONE 'UTC'")
    await driver.copy_from_query(query, output=path, format="csv")
