"""Types of the tables in Arrow. Apart from the rest, because pyarrow takes 26 MB and half a second."""

import pyarrow as pa

from skill_arcade.storage.database.bulk_copy import COPY_SCHEMAS

ARROW_TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", "UTC"),
}
"""Arrow types by the names in `COPY_SCHEMAS`."""
# With the three columns that exported tables leave out.
_COLUMNS = {**COPY_SCHEMAS["episode_summary"], "browser": "string", "mode": "string", "incident": "string"}
SUMMARY_SCHEMA = pa.schema([(name, ARROW_TYPES[type_]) for name, type_ in _COLUMNS.items()])
