"""Tables: the rows and the views as Parquet, without pictures, and the SQL that makes DuckDB answer what Postgres does.

For questions about hundreds of millions of transitions: what the views work out of an episode is worked out once.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.formats import Report
from skill_arcade.export.parquet_writer import ParquetFile
from skill_arcade.export.plan import Part, Plan
from skill_arcade.storage.database.bulk_copy import COPY_SCHEMAS

_TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
}
VIEWS = """\
-- In DuckDB, from this folder: the names and columns that the twelve questions ask.
{tables}
CREATE VIEW event AS SELECT * REPLACE (CAST(data AS JSON) AS data) FROM read_parquet('event/*.parquet');
CREATE VIEW episode AS
SELECT episode_id AS id, player_id AS user_id, game_id, seed, steps AS n_steps, status, "return" AS score, end_reason,
    time_created, time_ended
FROM episode_summary;
CREATE VIEW learning_curve AS
SELECT episode_id, player_id, game_id, episode_index, "return", steps, status, time_created,
    CAST(sum(steps) OVER past AS BIGINT) AS cumulative_frames,
    sum(duration_seconds) OVER past / 60 AS cumulative_minutes,
    gap_seconds, 1 + count(*) FILTER (WHERE gap_seconds > 1800) OVER past AS session_index
FROM (
    SELECT *, row_number() OVER played AS episode_index,
        epoch(time_created - lag(time_ended) OVER played) AS gap_seconds
    FROM episode_summary
    WINDOW played AS (PARTITION BY player_id, game_id ORDER BY time_created, episode_id)
)
WINDOW past AS (PARTITION BY player_id, game_id ORDER BY episode_index);
"""


class TablesFormat:
    """`TABLE/GROUP-00000.parquet` for each table and each part, and `views.sql`."""

    # Few big files: what reads them opens each.
    part_steps = 2_000_000

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        """Write a part."""
        ours = list(episodes)
        source, ids = ours[0].episode.source, [one.episode.id for one in ours]
        told = {
            "episode_id": {str(one.episode.id): one.facts["episode_id"] for one in ours},
            "player_id": {one.episode.user_id: one.facts["player_id"] for one in ours},
        }
        for name, columns in COPY_SCHEMAS.items():
            passing = folder / f"{name}.csv"
            source.copy_rows(name, ids, passing)
            file = ParquetFile(folder / name / f"{part.group}-{part.place:05d}.parquet", _schema(columns))
            if passing.stat().st_size:
                for batch in _read(passing, columns):
                    file.write(_pseudonymise(batch, told))
            file.close()
            passing.unlink()
        return {}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        """Write the views."""
        plain = (f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{name}/*.parquet');" for name in COPY_SCHEMAS)
        tables = "\n".join(view for view in plain if " event " not in view)
        (folder / "views.sql").write_text(VIEWS.format(tables=tables))

    def load(self, plan: Plan) -> str:
        """With DuckDB."""
        return (
            "import duckdb\n\n"
            "arcade = duckdb.connect()\n"
            'arcade.execute(open("views.sql").read())   # in this folder\n'
            'arcade.sql("SELECT game_id, count(*), sum(steps) FROM episode_summary GROUP BY game_id").show()'
        )


def _schema(columns: dict[str, str]) -> pa.Schema:
    return pa.schema([(name, _TYPES[type_]) for name, type_ in columns.items()])


def _read(path: Path, columns: dict[str, str]) -> csv.CSVStreamingReader:
    """Some rows at a time; as Postgres writes them, an empty text is quoted and a missing one is not."""
    return csv.open_csv(
        path,
        csv.ReadOptions(use_threads=False, column_names=list(columns)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types={name: _TYPES[type_] for name, type_ in columns.items()},
            true_values=["t"],
            false_values=["f"],
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _pseudonymise(batch: pa.RecordBatch, told: dict[str, dict[str, str]]) -> pa.RecordBatch:
    """Ids become pseudonyms."""
    arrays = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in told:
            places = pc.index_in(column, value_set=pa.array(list(told[name])))
            arrays.append(pa.array(list(told[name].values())).take(places))
        else:
            arrays.append(column)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


FORMAT = TablesFormat()
