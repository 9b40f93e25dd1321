"""Parquet objects with transitions: one row group for each episode, and a manifest in the metadata of the file."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from skill_arcade.errors import RecordingDamaged
from skill_arcade.ids import STEP_BITS
from skill_arcade.storage.database.transition_columns import TRANSITION, Kind

MANIFEST_KEY = b"skill_arcade.archive"
"""Key of the metadata of a file with its manifest, as JSON: id, row group, steps and digest of each episode."""
MANIFEST_VERSION = 1
MAGIC = b"PAR1"
"""Begin and end of a Parquet file."""
TRAILER_BYTES = 4 + len(MAGIC)
"""Size of what follows the footer: its size, and `MAGIC`."""
_TYPES = {
    Kind.uuid: pa.string(),
    Kind.int32: pa.int32(),
    Kind.int64: pa.int64(),
    Kind.float64: pa.float64(),
    Kind.boolean: pa.bool_(),
    Kind.text: pa.string(),
    Kind.timestamp: pa.timestamp("us", "UTC"),
    Kind.json: pa.string(),
}
STORED_COLUMNS = tuple(column for column in TRANSITION if column.name != "id")
"""The columns in the objects. `id` follows from `episode_id` and `step`."""
STORED_NAMES = tuple(column.name for column in STORED_COLUMNS)
SCHEMA = pa.schema([pa.field(column.name, _TYPES[column.kind], nullable=column.nullable) for column in STORED_COLUMNS])
# Times and keys grow from row to row, so their differences take less space than a dictionary. The other columns have
# few values.
_DELTAS = {
    **{column.name: "DELTA_BINARY_PACKED" for column in STORED_COLUMNS if column.is_time or column.name == "step"},
    **dict.fromkeys(("obs_key", "next_obs_key"), "DELTA_BYTE_ARRAY"),
}
_OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 6,
    "write_statistics": True,
    "use_dictionary": [name for name in STORED_NAMES if name not in _DELTAS],
    "column_encoding": _DELTAS,
}


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """An episode in an object. `rows_sha256` is the digest of its rows, of the columns that the object has."""

    episode_id: UUID
    row_group: int
    n_steps: int
    rows_sha256: str


@dataclass(frozen=True, slots=True)
class Location:
    """Where a row group is in an object."""

    first_byte: int
    n_bytes: int


class ObjectWriter:
    """Builds an object in memory, episode by episode."""

    def __init__(self) -> None:
        self._sink = io.BytesIO()
        self._writer = pq.ParquetWriter(self._sink, SCHEMA, **_OPTIONS)
        self.entries: list[ManifestEntry] = []

    @property
    def n_steps(self) -> int:
        """Number of transitions that were added."""
        return sum(entry.n_steps for entry in self.entries)

    def add(self, episode_id: UUID, rows: pa.Table, rows_sha256: str) -> None:
        """Add the transitions of an episode, at least one."""
        self.entries.append(ManifestEntry(episode_id, len(self.entries), rows.num_rows, rows_sha256))
        self._writer.write_table(rows.cast(SCHEMA), row_group_size=rows.num_rows)

    def finish(self) -> bytes:
        """Return the object. Nothing can be added afterwards."""
        episodes = [
            {
                "episode_id": str(entry.episode_id),
                "row_group": entry.row_group,
                "n_steps": entry.n_steps,
                "rows_sha256": entry.rows_sha256,
            }
            for entry in self.entries
        ]
        manifest = {"version": MANIFEST_VERSION, "episodes": episodes}
        self._writer.add_key_value_metadata({MANIFEST_KEY: json.dumps(manifest).encode()})
        self._writer.close()
        return self._sink.getvalue()


class SparseFile(io.RawIOBase):
    """A file of which only some parts are known. It stands for an object whose parts were read by range."""

    def __init__(self, size: int, parts: Mapping[int, bytes]) -> None:
        super().__init__()
        self._size, self._parts, self._position = size, parts, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        return self._position

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._size, self._position + size)
        for start, part in self._parts.items():
            if start <= self._position and end <= start + len(part):
                data = part[self._position - start : end - start]
                self._position = end
                return data
        raise OSError(f"bytes {self._position} to {end} were not read")


def open_object(data: bytes) -> pq.ParquetFile:
    """Open an object. Raises RecordingDamaged if it is no Parquet file."""
    try:
        return pq.ParquetFile(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise RecordingDamaged(f"An archived object cannot be read: {error}.") from error


def read_rows(file: pq.ParquetFile, row_group: int) -> pa.Table:
    """Return the transitions of a row group. Raises RecordingDamaged."""
    try:
        return file.read_row_group(row_group)
    except (pa.ArrowException, OSError, IndexError) as error:
        raise RecordingDamaged(f"Row group {row_group} of an archived object cannot be read: {error}.") from error


def read_part(size: int, first_byte: int, part: bytes, footer: bytes, row_group: int) -> pa.Table:
    """Return the transitions of a row group, of which the object's bytes were read. Raises RecordingDamaged."""
    sparse = SparseFile(size, {first_byte: part})
    try:
        # The reader would read more of the object's end than the footer.
        metadata = pq.read_metadata(pa.BufferReader(MAGIC + footer))
        file = pq.ParquetFile(pa.PythonFile(sparse, mode="r"), metadata=metadata, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise RecordingDamaged(f"The description of an archived object cannot be read: {error}.") from error
    return read_rows(file, row_group)


def read_manifest(file: pq.ParquetFile) -> list[ManifestEntry]:
    """Return the episodes of an object. Raises RecordingDamaged if it has no manifest of this version."""
    try:
        manifest = json.loads((file.metadata.metadata or {})[MANIFEST_KEY])
        if manifest["version"] != MANIFEST_VERSION:
            raise RecordingDamaged(f"An archived object has a manifest of version {manifest['version']}.")
        return [
            ManifestEntry(UUID(one["episode_id"]), one["row_group"], one["n_steps"], one["rows_sha256"])
            for one in manifest["episodes"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingDamaged("An archived object has no manifest.") from error


def locate(file: pq.ParquetFile, row_group: int) -> Location:
    """Return where a row group is in its object."""
    group = file.metadata.row_group(row_group)
    columns = [group.column(index) for index in range(group.num_columns)]
    starts = [
        min(column.data_page_offset, column.dictionary_page_offset)
        if column.dictionary_page_offset is not None
        else column.data_page_offset
        for column in columns
    ]
    ends = [start + column.total_compressed_size for start, column in zip(starts, columns, strict=True)]
    return Location(min(starts), max(ends) - min(starts))


def measure_footer(data: bytes) -> int:
    """Return the size of what describes the file, at its end."""
    return int.from_bytes(data[-TRAILER_BYTES : -TRAILER_BYTES + 4], "little") + TRAILER_BYTES


def copy_entries(file: pq.ParquetFile, entries: Iterable[ManifestEntry]) -> ObjectWriter:
    """Return a writer with some episodes of an object."""
    writer = ObjectWriter()
    for entry in entries:
        writer.add(entry.episode_id, read_rows(file, entry.row_group), entry.rows_sha256)
    return writer


def parse_csv(data: bytes) -> pa.Table:
    """Return transitions from the CSV of `STORED_NAMES` by Postgres: NULL is empty, an empty text is quoted."""
    if not data:
        return SCHEMA.empty_table()
    return csv.read_csv(
        pa.BufferReader(data),
        csv.ReadOptions(use_threads=False, column_names=list(STORED_NAMES), block_size=max(1 << 20, len(data) + 1)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types={field.name: field.type for field in SCHEMA},
            true_values=["t"],
            false_values=["f"],
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def format_csv(rows: pa.Table) -> tuple[bytes, Sequence[str]]:
    """Return transitions as CSV for Postgres with their ids, and the names of its columns."""
    ids = [
        f"{episode[:-8]}{step + 1:08x}"
        for episode, step in zip(rows["episode_id"].to_pylist(), rows["step"].to_pylist(), strict=True)
    ]
    complete = rows.append_column("id", pa.array(ids, pa.string()))
    sink = io.BytesIO()
    csv.write_csv(complete, sink, csv.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getvalue(), complete.column_names


assert STEP_BITS == 32  # the ids of the steps of an episode differ in their last eight hexadecimal digits
