"""Distinguishes permanent rejections from temporary failures by the error's class, never by counting (rule R12)."""

import struct
import zlib

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from skill_arcade.errors import InvalidRequest, NotReady, ObjectExists, ObjectRejected

# PostgreSQL manual, appendix A "Error Codes": the first two characters are the class.
PERMANENT_SQLSTATE_CLASSES = {
    "21": "cardinality violation",
    "22": "data exception: NUL in text, a number out of range, invalid JSON",
    "23": "integrity constraint violation",
    "54": "program limit exceeded: a value or an index row that is too large",
}
TEMPORARY_ERRORS = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    NotReady,
    OSError,
    TimeoutError,
    MemoryError,
)
DATA_ERRORS = (
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    struct.error,
    zlib.error,
)
"""What encoding raises for data that it cannot represent. A RuntimeError, as of a pool that shuts down, is none."""


def find_code(error: BaseException) -> str:
    """Return the SQLSTATE or HTTP status of an error or of one of its causes, or an empty string."""
    cause: BaseException | None = error
    while cause is not None:
        for name in ("sqlstate", "http_status"):
            if code := getattr(cause, name, None):
                return str(code)
        cause = getattr(cause, "orig", None) or cause.__cause__
    return ""


def is_permanent(error: BaseException) -> bool:
    """Return whether repeating the same write would fail in the same way.

    Data that Postgres or the object store rejects, and data that cannot be encoded for them, is permanent. Outages,
    timeouts, missing rights, missing tables and full disks are temporary.
    """
    if isinstance(error, ObjectExists | ObjectRejected | InvalidRequest):
        return True
    if isinstance(error, DBAPIError | asyncpg.PostgresError):
        return find_code(error)[:2] in PERMANENT_SQLSTATE_CLASSES
    if isinstance(error, StatementError):  # a value that the driver cannot encode, or a connection that is closed
        return isinstance(error.orig, DATA_ERRORS)
    return isinstance(error, DATA_ERRORS) and not isinstance(error, TEMPORARY_ERRORS)
