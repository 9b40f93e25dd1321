"""Tests of the data dictionary: it is complete and up to date."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from devtools.paths import ROOT
from skill_arcade.cli.data_dictionary import render_dictionary
from skill_arcade.storage.database.tables import Table
from skill_arcade.storage.database.views import VIEWS


def test_data_page_is_up_to_date() -> None:
    page = (ROOT / "website" / "docs" / "data.md").read_text()
    assert page == render_dictionary(), "run `skill-arcade schema --markdown > website/docs/data.md`"


def test_columns_all_have_comments() -> None:
    columns = [column for table in Table.metadata.tables.values() for column in table.columns]
    assert [str(column) for column in columns if not column.comment] == []


@pytest.mark.anyio
async def test_documented_views_equal_database_views(engine: AsyncEngine) -> None:
    query = text(
        "SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns "
        "JOIN information_schema.views USING (table_schema, table_name) WHERE table_schema = 'public' GROUP BY 1"
    )
    async with engine.connect() as connection:
        found = {row[0]: row[1] for row in await connection.execute(query)}
    assert found == {name: list(columns) for name, (_, columns) in VIEWS.items()}
