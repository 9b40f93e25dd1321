"""Base class of the tables, and columns that several tables have."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, DateTime, MetaData, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel


class Table(SQLModel):
    """Base class of the tables, with a naming convention that makes constraint names deterministic."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )


def database_time_column(comment: str, *, updates: bool = False) -> Column[datetime]:
    return Column(
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        onupdate=func.now() if updates else None,
        comment=comment,
    )


def timestamp_column(comment: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable, comment=comment)


def bigint_column(comment: str, *, nullable: bool = False, server_default: str | None = None) -> Column[int]:
    return Column(BigInteger, nullable=nullable, server_default=server_default, comment=comment)


def json_column(comment: str, *, nullable: bool = False, default_json: str = "{}") -> Column[Any]:
    # With none_as_null, None is stored as SQL NULL and not as JSON null.
    default = None if nullable else text(f"'{default_json}'::jsonb")
    return Column(JSONB(none_as_null=True), nullable=nullable, server_default=default, comment=comment)


def commented(comment: str, **more: str) -> dict[str, str]:
    return {"comment": comment, **more}
