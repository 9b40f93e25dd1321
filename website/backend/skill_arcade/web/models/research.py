"""Models of charts for researchers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from skill_arcade.research.selection import Selection
from skill_arcade.web.models.base import ResponseModel

Cell = str | float | int | bool | None


class ChartQuery(Selection):
    """Filters of episodes, options of charts, and the format of the answer."""

    format: Literal["json", "csv"] = "json"


class ChartColumn(ResponseModel):
    """A column of a chart's rows."""

    name: str
    meaning: str


class ChartAnswer(ResponseModel):
    """Rows of a chart: bins with numbers of players and episodes, and what gives the same rows elsewhere."""

    title: str
    columns: list[ChartColumn]
    rows: list[list[Cell]] = Field(description="a cell for each column; null: no value")
    episodes: int = Field(description="number of selected episodes")
    players: int = Field(description="number of their players")
    left_out: int | None = Field(description="number of flagged episodes that are left out; null: none are")
    flags_version: int = Field(description="version of the rules by which episodes are flagged")
    notes: list[str] = Field(description="what the numbers can and cannot mean")
    sql: str = Field(description="SQL that gives the same rows, for the database role researcher")
    python: str = Field(description="Python program that gives the same rows")


class MeasureState(ResponseModel):
    """How fresh charts are. Measures of new episodes are computed after a request for this."""

    unmeasured: int = Field(description="number of ended episodes that charts do not have yet")
    newest: datetime | None = Field(description="time of the newest measure, database clock; null: there is none")
