"""A selection of episodes: an iterator, and a table with one row per episode."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from skill_arcade.dataset.episode import Episode
from skill_arcade.dataset.source import Source
from skill_arcade.errors import SettingsError
from skill_arcade.storage.database.queries import EpisodeListItem

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

PAGE_SIZE = 200
"""Number of episodes per page of results."""


class Episodes(Iterator[Episode]):
    """Episodes that match a selection, newest first. Pages of the list are read on demand.

    Iterating consumes it, like any iterator. The tables are read anew each time, and always have all episodes.
    """

    def __init__(self, source: Source, filters: dict[str, Any]) -> None:
        """`filters` are the arguments of `queries.list_episodes`, without `before` and `limit`."""
        self._source, self._filters = source, filters
        self._iterator = (Episode(source, item) for page in self._pages() for item in page)

    def __next__(self) -> Episode:
        return next(self._iterator)

    def to_arrow(self) -> "pa.Table":
        """Return a table with one row per episode: the columns of the view `episode_summary`.

        Reading takes some milliseconds per episode, for the latencies. Rows can go directly to other libraries, such as
        `duckdb.from_arrow(table)`, and to a file that R reads, by `pyarrow.parquet.write_table(table, path)`.
        """
        import pyarrow as pa  # noqa: PLC0415  (see the module `arrow_schema`)

        from skill_arcade.dataset.arrow_schema import SUMMARY_SCHEMA  # noqa: PLC0415

        batches = [
            pa.RecordBatch.from_pylist(self._source.read_summaries([item.id for item in page]), SUMMARY_SCHEMA)
            for page in self._pages()
        ]
        return pa.Table.from_batches(batches, SUMMARY_SCHEMA)

    def to_pandas(self) -> "pd.DataFrame":
        """Return `to_arrow()` as a data frame. Raises SettingsError if pandas is not installed."""
        try:
            return self.to_arrow().to_pandas()
        except ImportError as error:
            raise SettingsError("pandas is not installed: run `pip install pandas`, or use to_arrow().") from error

    def to_polars(self) -> "pl.DataFrame":
        """Return `to_arrow()` as a data frame. Raises SettingsError if Polars is not installed."""
        try:
            import polars as pl  # noqa: PLC0415  (optional)
        except ImportError as error:
            raise SettingsError("Polars is not installed: run `pip install polars`, or use to_arrow().") from error
        frame = pl.from_arrow(self.to_arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def _pages(self) -> Iterator[list[EpisodeListItem]]:
        page: list[EpisodeListItem] = []
        while True:
            page = self._source.list_episodes(**self._filters, before=page[-1].id if page else None, limit=PAGE_SIZE)
            if page:
                yield page
            if len(page) < PAGE_SIZE:
                return
