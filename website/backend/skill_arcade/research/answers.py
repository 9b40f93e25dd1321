"""Answers of charts: rows, the number of episodes behind them, and the SQL and Python that give the same rows."""

import asyncio
import csv
import io
import time
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.errors import InvalidRequest
from skill_arcade.research.charts import CHARTS, Chart, Row
from skill_arcade.research.selection import Selection

COUNT_SECONDS = 10.0
"""Time for which the numbers of selected episodes are kept."""
TIMEOUT_SECONDS = 20
"""A query that takes longer is cancelled, because players' requests use the same database."""


PROGRAMS_NOTE = (
    "Programs are among the players. They may have set the pace and the frame skip themselves, and have no latencies "
    "and reaction times. Split by people and programs before you compare."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a chart for a selection.

    * `episodes`, `players`: number of selected episodes, and of their players.
    * `left_out`: number of flagged episodes that the selection leaves out; None if it keeps them.
    * `sql`, `python`: what gives the same rows.
    """

    chart: Chart
    rows: list[Row]
    episodes: int
    players: int
    left_out: int | None
    sql: str
    python: str
    notes: tuple[str, ...]


class Counts:
    """Numbers of selected episodes. A page asks for several charts of one selection, so they are kept for seconds."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, tuple[int, int, int | None]]] = {}

    async def find(self, connection: AsyncConnection, selection: Selection) -> tuple[int, int, int | None]:
        """Return the numbers of episodes and players, and of the flagged episodes that are left out or None."""
        query = _write_count(selection)
        now = time.monotonic()
        self._found = {sql: kept for sql, kept in self._found.items() if kept[0] > now - COUNT_SECONDS}
        if query not in self._found:
            row = (await connection.exec_driver_sql(query)).mappings().one()
            self._found[query] = (now, (row["episodes"], row["players"], row["left_out"]))
        return self._found[query][1]


async def answer_chart(
    connection: AsyncConnection, name: str, selection: Selection, counts: Counts | None = None
) -> Answer:
    """Compute a chart in a read-only transaction. `counts` keeps numbers for other charts; None counts anew.

    Raises:
        InvalidRequest: the chart needs a game that the selection does not name, or the source of scores is unknown.
    """
    chart = CHARTS[name]
    _check_needs(chart, selection)
    await connection.execute(text("SET TRANSACTION READ ONLY"))
    await connection.execute(text(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'"))
    # Sorts of 100,000 episodes fit, and no query here is worth compiling.
    await connection.execute(text("SET LOCAL work_mem = '32MB'"))
    await connection.execute(text("SET LOCAL jit = off"))
    # Computed filters have no statistics. A nested loop that is chosen for few rows takes minutes for many.
    await connection.execute(text("SET LOCAL enable_nestloop = off"))
    notes = list(chart.notes)
    if selection.metric == "normalised":
        notes.append(await _describe_source(connection, selection.source))
    if selection.players == "all":
        notes.append(PROGRAMS_NOTE)
    sql = chart.write_sql(selection)
    rows = [dict(row) for row in (await connection.exec_driver_sql(sql)).mappings()]
    episodes, players, left_out = await (counts or Counts()).find(connection, selection)
    summarised = await asyncio.to_thread(chart.summarise_rows, rows)
    if chart.explain is not None:
        notes += chart.explain(summarised)
    return Answer(chart, summarised, episodes, players, left_out, sql, write_python(chart, sql), tuple(notes))


def write_python(chart: Chart, sql: str) -> str:
    """Return a program that prints the rows of a chart."""
    imports, rows = "", "arcade.query(SQL).to_pylist()"
    if chart.summarise is not None:
        imports = f"from skill_arcade.research.summaries import {chart.summarise}\n"
        rows = f"{chart.summarise}({rows})"
    return (
        f'import pandas as pd\n\nimport skill_arcade.dataset as sa\n{imports}\nSQL = """\n{sql}\n"""\n'
        f"with sa.open() as arcade:\n    rows = {rows}\nprint(pd.DataFrame(rows).to_string())\n"
    )


def write_csv(answer: Answer) -> str:
    """Return the rows as CSV with a header. Numbers have as many digits as they need to be read back unchanged."""
    output = io.StringIO()
    writer = csv.DictWriter(output, list(answer.chart.columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(answer.rows)
    return output.getvalue()


def _check_needs(chart: Chart, selection: Selection) -> None:
    has_game = selection.game is not None or selection.variant is not None
    if chart.needs == "nothing" or has_game:
        return
    if chart.needs == "game or normalised":
        if selection.metric == "normalised":
            return
        raise InvalidRequest(
            f"{chart.title}: returns of different games cannot be compared. Choose a game, or normalised scores."
        )
    raise InvalidRequest(f"{chart.title}: players learn one game at a time. Choose a game.")


def _write_count(selection: Selection) -> str:
    """Return the SQL that counts. Counting within players first avoids a sort of all episodes."""
    is_in, is_out = ("true", "false") if selection.flagged == "keep" else ("n_flags < 1", "n_flags > 0")
    left_out = "NULL::bigint" if selection.flagged == "keep" else "coalesce(sum(n_out), 0)::bigint"
    return (
        f"{selection.to_sql(leaves_out=False)},\n"
        f"totals AS (SELECT user_id, count(*) FILTER (WHERE {is_in}) AS n_in,\n"
        f"    count(*) FILTER (WHERE {is_out}) AS n_out\n  FROM chosen GROUP BY user_id)\n"
        "SELECT coalesce(sum(n_in), 0)::bigint AS episodes, count(*) FILTER (WHERE n_in > 0) AS players, "
        f"{left_out} AS left_out FROM totals"
    )


async def _describe_source(connection: AsyncConnection, source: str) -> str:
    query = text("SELECT version, citation, protocol FROM baseline_source WHERE id = :source")
    row = (await connection.execute(query, {"source": source})).first()
    if row is None:
        known = (await connection.execute(text("SELECT id FROM baseline_source ORDER BY id"))).scalars()
        raise InvalidRequest(f"The source of normalised scores is unknown. Use one of: {', '.join(known)}.")
    return f"0 is a random agent, 1 is the human of {source} ({row.version}): {row.citation}. {row.protocol}."
