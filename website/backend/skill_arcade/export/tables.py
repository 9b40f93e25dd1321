"""Format of plain tables: rows and views as Parquet without frames, and SQL that defines the views in DuckDB.

It is for queries over hundreds of millions of transitions: the columns of the views are computed once per episode.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from skill_arcade.dataset.arrow_schema import ARROW_TYPES
from skill_arcade.export.episode_facts import ExportedEpisode, later_is_none
from skill_arcade.export.formats import Report
from skill_arcade.export.parquet_writer import ParquetFile
from skill_arcade.export.plan import Part, Plan
from skill_arcade.storage.database.bulk_copy import COPY_SCHEMAS

MIN_BLOCK_BYTES = 1 << 20
"""Size of the blocks in which CSV is read."""
VIEWS = """\
-- For DuckDB, run in this folder: the views that the queries of the documentation use.
{tables}
CREATE VIEW event AS SELECT * REPLACE (CAST(data AS JSON) AS data) FROM read_parquet('event/*.parquet');
CREATE VIEW episode AS
SELECT episode_id AS id, player_id AS user_id, game_id, seed, steps AS n_steps, status, "return" AS score, end_reason,
    time_created, time_ended
FROM episode_summary;
CREATE VIEW played_episode AS SELECT * FROM episode;
CREATE VIEW episode_variant AS SELECT episode_id, variant FROM episode_summary;
CREATE VIEW learning_curve AS
SELECT episode_id, player_id, game_id, episode_index, "return", steps, status, time_created,
    CAST(sum(steps) OVER past AS BIGINT) AS cumulative_frames,
    sum(duration_seconds) OVER past / 60 AS cumulative_minutes,
    gap_seconds, 1 + count(*) FILTER (WHERE gap_seconds > 1800) OVER past AS session_index, variant
FROM (
    SELECT *, row_number() OVER played AS episode_index,
        epoch(time_created - lag(time_ended) OVER played) AS gap_seconds
    FROM episode_summary
    WHERE NOT is_branch AND NOT with_agent
    WINDOW played AS (PARTITION BY player_id, variant ORDER BY time_created, episode_id)
)
WINDOW past AS (PARTITION BY player_id, variant ORDER BY episode_index);
"""


class TablesFormat:
    """Writes `TABLE/GROUP-00000.parquet` for each table and part, and `views.sql`."""

    # A few large files, because a query opens each file.
    part_steps = 2_000_000
    has_reference = False

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        part_episodes = list(episodes)
        source, ids = part_episodes[0].episode.source, [exported.episode.id for exported in part_episodes]
        pseudonyms = {
            "episode_id": {str(exported.episode.id): exported.facts["episode_id"] for exported in part_episodes},
            "player_id": {exported.episode.user_id: exported.facts["player_id"] for exported in part_episodes},
        }
        for name, columns in COPY_SCHEMAS.items():
            csv_path = folder / f"{name}.csv"
            source.copy_rows(name, ids, csv_path)
            file = ParquetFile(folder / name / f"{part.group}-{part.place:05d}.parquet", table_schema(columns))
            if csv_path.stat().st_size:
                for batch in read_copied(csv_path, columns):
                    file.write(_pseudonymise(_freeze(name, batch, part_episodes), pseudonyms))
            file.close()
            csv_path.unlink()
        return {}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        statements = (f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{name}/*.parquet');" for name in COPY_SCHEMAS)
        tables = "\n".join(view for view in statements if " event " not in view)
        (folder / "views.sql").write_text(VIEWS.format(tables=tables))

    def load(self, plan: Plan) -> str:
        return (
            "import duckdb\n\n"
            "arcade = duckdb.connect()\n"
            'arcade.execute(open("views.sql").read())   # in this folder\n'
            'arcade.sql("SELECT game_id, count(*), sum(steps) FROM episode_summary GROUP BY game_id").show()'
        )


def table_schema(columns: dict[str, str]) -> pa.Schema:
    """Return the Arrow schema of a table of `COPY_SCHEMAS`."""
    return pa.schema([(name, ARROW_TYPES[type_]) for name, type_ in columns.items()])


def read_copied(path: Path, columns: dict[str, str]) -> csv.CSVStreamingReader:
    """Read CSV in batches. Postgres quotes an empty text and leaves NULL empty.

    A block must hold at least one row, and a row may have an `info` of any size.
    """
    with path.open("rb") as file:
        longest = max(map(len, file))
    return csv.open_csv(
        path,
        csv.ReadOptions(use_threads=False, column_names=list(columns), block_size=max(MIN_BLOCK_BYTES, 2 * longest)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types={name: ARROW_TYPES[type_] for name, type_ in columns.items()},
            true_values=["t"],
            false_values=["f"],
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _freeze(name: str, batch: pa.RecordBatch, episodes: list[ExportedEpisode]) -> pa.RecordBatch:
    """Return rows of a table with the certificates and notes that the episodes are exported with."""
    if name == "episode_summary":
        certified = {str(exported.episode.id): exported.facts["certified"] for exported in episodes}
        values = pa.array([certified[id_] for id_ in batch.column("episode_id").to_pylist()], pa.bool_())
        return batch.set_column(batch.schema.get_field_index("certified"), "certified", values)
    as_of = episodes[0].as_of
    if name != "note" or as_of is None:
        return batch
    batch = batch.filter(pc.less_equal(batch.column("time_created"), pa.scalar(as_of, ARROW_TYPES["timestamp"])))
    retracted = [later_is_none(time, as_of) for time in batch.column("time_retracted").to_pylist()]
    index = batch.schema.get_field_index("time_retracted")
    return batch.set_column(index, "time_retracted", pa.array(retracted, ARROW_TYPES["timestamp"]))


def _pseudonymise(batch: pa.RecordBatch, pseudonyms: dict[str, dict[str, str]]) -> pa.RecordBatch:
    """Replace ids by pseudonyms."""
    arrays = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in pseudonyms:
            indices = pc.index_in(column, value_set=pa.array(list(pseudonyms[name])))
            arrays.append(pa.array(list(pseudonyms[name].values())).take(indices))
        else:
            arrays.append(column)
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


FORMAT = TablesFormat()
