"""Loads an export in Parquet with pyarrow, and with DuckDB and polars if they are there."""

import importlib.util
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from readers.compare import Expected, require, require_equal, run_reader


def check(group: str, export: Path, expected: Path) -> tuple[int, int]:
    facts = pq.read_table(export / "episodes.parquet").to_pylist()
    n_episodes = n_steps = 0
    for path in sorted((export / "steps").glob(f"{group}-0*.parquet")):
        table = pq.read_table(path)
        described = json.loads(table.schema.metadata[b"columns"])
        require(list(described) == table.column_names, "descriptions of columns")
        for number in sorted(set(table["episode"].to_pylist())):
            rows = table.filter(pc.equal(table["episode"], number))
            (seed,) = [fact["seed"] for fact in facts if fact["episode"] == number]
            check_episode(rows, Expected(expected / f"{seed}.npz"))
            n_episodes, n_steps = n_episodes + 1, n_steps + rows.num_rows - 1
        check_other_libraries(path, table)
    return n_episodes, n_steps


def check_episode(rows: Any, source: Expected) -> None:
    require_equal(rows["action"].to_pylist()[:-1], source.actions, "actions")
    require_equal(np.array(rows["reward"].to_pylist()[:-1], float), source.rewards, "rewards")
    require([json.loads(text) for text in rows["info"].to_pylist()] == source.values["infos"], "infos differ")
    frames = [np.asarray(Image.open(io.BytesIO(one["bytes"]))) for one in rows["picture"].to_pylist()]
    source.check_frames(frames, source.n_steps + 1)
    names = [name for name in rows.column_names if name.startswith("observation")]
    for name, array in zip(names, source.leaves.values(), strict=True):
        wanted = np.stack([array.real, array.imag], -1) if array.dtype.kind == "c" else array
        values = rows[name].to_pylist()
        require_equal(values if wanted.dtype.kind == "O" else np.array(values, wanted.dtype), wanted, name)


def check_other_libraries(path: Path, table: Any) -> None:
    total = np.nansum(np.array(table["action"].to_pylist(), float))
    if importlib.util.find_spec("duckdb"):
        import duckdb  # noqa: PLC0415  (not in every environment)

        found = duckdb.connect().execute("SELECT count(*), sum(action) FROM read_parquet(?)", [str(path)]).fetchone()
        require(found == (table.num_rows, total), f"DuckDB finds {found}")
    if importlib.util.find_spec("polars"):
        import polars  # noqa: PLC0415  (not in every environment)

        frame = polars.read_parquet(path)
        require((len(frame), frame["action"].sum()) == (table.num_rows, total), "polars")


run_reader(check)
