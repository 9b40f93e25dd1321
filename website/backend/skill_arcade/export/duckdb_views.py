"""Opens the recordings in DuckDB: what is in the database and what is archived, under the names of the data dictionary.

Unlike an export of tables, it copies no archived transitions: DuckDB reads the objects of the archive as they are.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from skill_arcade.dataset.reader import Dataset
from skill_arcade.errors import SettingsError
from skill_arcade.export.parquet_writer import ParquetFile
from skill_arcade.export.tables import VIEWS, read_copied, table_schema
from skill_arcade.storage.database.bulk_copy import COPY_SCHEMAS
from skill_arcade.storage.database.consents import RESEARCH

if TYPE_CHECKING:
    import duckdb

COPIED = ("episode_summary", "event", "note", "human_normalised_score", "transition")
"""Tables and views that are copied from the database; of `transition`, the rows that are not archived."""
BATCH_EPISODES = 500
"""Episodes that are copied by one query."""
# The same as the views in the database, whose SQL the migrations have.
STEP_VIEWS = """
CREATE VIEW input_latency AS
SELECT episode_id, step, input_us, (next_shown_us - input_us) / CAST(1000 AS DOUBLE) AS latency_ms
FROM (
    SELECT episode_id, step, input_us, lag(input_us) OVER later AS before_us, lead(shown_us) OVER later AS next_shown_us
    FROM transition WINDOW later AS (PARTITION BY episode_id ORDER BY step)
)
WHERE input_us IS DISTINCT FROM before_us AND next_shown_us IS NOT NULL AND input_us IS NOT NULL;
CREATE VIEW reaction_time AS
WITH press AS (
    SELECT episode_id, number, data ->> 'control' AS control, data ->> 'device' AS device,
        CAST((data ->> 'frame') AS BIGINT) AS frame, client_us
    FROM event
    WHERE kind = 'input' AND CAST((data ->> 'down') AS BOOLEAN) AND (data ->> 'frame') IS NOT NULL
), cause AS (
    SELECT episode_id, step, reward FROM transition WHERE reward <> 0 OR (info IS NOT NULL AND step > 0)
), caused AS (
    SELECT press.*, cause.step AS cause_step, cause.reward
    FROM press ASOF LEFT JOIN cause ON press.episode_id = cause.episode_id AND press.frame > cause.step
)
SELECT c.episode_id, e.player_id, e.game_id, c.number, c.control, c.device, c.frame, on_screen.shown_us,
    c.client_us AS input_us, (c.client_us - on_screen.shown_us) / CAST(1000 AS DOUBLE) AS reaction_ms,
    CASE WHEN c.cause_step IS NULL THEN 'start' WHEN c.reward <> 0 THEN 'reward' ELSE 'info' END AS stimulus,
    coalesce(c.cause_step + 1, 0) AS stimulus_frame,
    (c.client_us - stimulus.shown_us) / CAST(1000 AS DOUBLE) AS stimulus_ms
FROM caused c
JOIN episode_summary e ON e.episode_id = c.episode_id
LEFT JOIN transition on_screen ON on_screen.episode_id = c.episode_id AND on_screen.step = c.frame
LEFT JOIN transition stimulus
    ON stimulus.episode_id = c.episode_id AND stimulus.step = coalesce(c.cause_step + 1, 0);
CREATE VIEW action_use AS
SELECT episode_id, player_id, game_id, action, count(*) AS steps,
    count(*) / CAST(sum(count(*)) OVER (PARTITION BY episode_id) AS DOUBLE) AS share,
    count(*) FILTER (WHERE action IS DISTINCT FROM before) AS holds,
    count(*) / CAST(nullif(count(*) FILTER (WHERE action IS DISTINCT FROM before), 0) AS DOUBLE) AS mean_hold_steps
FROM (
    SELECT e.game_id, e.player_id, t.episode_id, t.action,
        lag(t.action) OVER (PARTITION BY t.episode_id ORDER BY t.step) AS before
    FROM transition t JOIN episode_summary e ON e.episode_id = t.episode_id
)
GROUP BY game_id, player_id, episode_id, action;
"""


@contextlib.contextmanager
def open_duckdb(dataset: Dataset, folder: Path | str) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Yield a DuckDB with the tables and views of the data dictionary that the twelve questions use.

    It has the episodes that research may use now, with the ids of the database. `folder` gets copies: the rows that are
    in the database, each time anew, and the objects of the archive, which are read once and deleted when they are
    replaced. Delete the folder when you are done: the copies outlive an erasure until the next call.

    Raises:
        SettingsError: DuckDB is not installed.
        RecordingDamaged: an object of the archive is missing, or has other bytes than were archived.
    """
    try:
        import duckdb  # noqa: PLC0415  (optional)
    except ImportError as error:
        raise SettingsError("DuckDB is not installed: run `pip install duckdb`.") from error
    place = Path(folder).absolute()
    episodes = [episode.id for episode in dataset.episodes(scope=RESEARCH)]
    for name in COPIED:
        _copy(dataset, name, episodes, place)
    archived = _fetch(dataset, episodes, place / "archive")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_list_views(place, archived))
        yield connection


def _copy(dataset: Dataset, name: str, episodes: Sequence[UUID], folder: Path) -> None:
    columns, csv_path = COPY_SCHEMAS[name], folder / f"{name}.csv"
    with ParquetFile(folder / name / "rows.parquet", table_schema(columns)) as file:
        for start in range(0, len(episodes), BATCH_EPISODES):
            dataset.source.copy_rows(name, episodes[start : start + BATCH_EPISODES], csv_path, with_archived=False)
            if csv_path.stat().st_size:
                for batch in read_copied(csv_path, columns):
                    file.write(batch)
            csv_path.unlink()


def _fetch(dataset: Dataset, episodes: Sequence[UUID], folder: Path) -> list[Path]:
    """Return copies of the objects with archived transitions of these episodes. Others in the folder are deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for key, sha256 in dataset.source.list_archive(episodes).items():
        path = folder / key.rpartition("/")[2]
        found.append(path)
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            path.write_bytes(dataset.source.read_object(key, sha256))
    for path in set(folder.iterdir()) - set(found):
        path.unlink()
    return found


def _list_views(folder: Path, archived: Sequence[Path]) -> str:
    names = ", ".join(COPY_SCHEMAS["transition"])
    transition = f"SELECT {names} FROM read_parquet('transition/*.parquet')"
    if archived:
        paths = ", ".join(f"'{path}'" for path in archived)
        # An object has episodes of several players, also such as research may not use.
        transition += (
            f" UNION ALL SELECT {names} FROM read_parquet([{paths}])"
            " WHERE episode_id IN (SELECT episode_id FROM episode_summary)"
        )
    tables = [
        f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{name}/*.parquet');"
        for name in ("episode_summary", "note", "human_normalised_score")
    ]
    statements = VIEWS.format(tables="\n".join([*tables, f"CREATE VIEW transition AS {transition};"])) + STEP_VIEWS
    return statements.replace("read_parquet('", f"read_parquet('{folder}/")
