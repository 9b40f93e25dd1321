"""Routes of charts, for researchers."""

import math
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from skill_arcade.research.answers import Answer, write_csv
from skill_arcade.research.charts import CHARTS
from skill_arcade.research.flags import FLAGS_VERSION
from skill_arcade.research.selection import Selection
from skill_arcade.web.current_user import Researcher
from skill_arcade.web.models.research import Cell, ChartAnswer, ChartColumn, ChartQuery, MeasureState
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.state import State

router = APIRouter(tags=["research"])
ChartName = Literal[*CHARTS]  # type: ignore[valid-type]
N_DIGITS = 6
"""Significant digits of numbers in JSON. CSV has all."""


@router.get("/research/measures", responses=problem_answers(401, 403, 503))
async def read_measures(researcher: Researcher, state: State) -> MeasureState:
    """Return how fresh charts are, and start to measure the episodes that they do not have yet."""
    del researcher
    return MeasureState.model_validate(await state.research.refresh())


@router.get(
    "/research/charts/{chart}",
    response_model=ChartAnswer,
    responses={
        200: {"content": {"text/csv": {}}, "description": "the chart, as JSON or as CSV"},
        **problem_answers(401, 403, 422, 503),
    },
)
async def read_chart(
    chart: ChartName, query: Annotated[ChartQuery, Query()], researcher: Researcher, state: State
) -> ChartAnswer | Response:
    """Return a chart of the selected episodes."""
    del researcher
    selection = Selection.model_validate(query.model_dump(exclude={"format"}))
    answer = await state.research.answer(chart, selection)
    if query.format == "csv":
        headers = {"content-disposition": f'attachment; filename="{chart}.csv"'}
        return Response(write_csv(answer), media_type="text/csv", headers=headers)
    return _describe(answer)


def _describe(answer: Answer) -> ChartAnswer:
    names = list(answer.chart.columns)
    return ChartAnswer(
        title=answer.chart.title,
        columns=[ChartColumn(name=name, meaning=meaning) for name, meaning in answer.chart.columns.items()],
        rows=[[_round(row[name]) for name in names] for row in answer.rows],
        episodes=answer.episodes,
        players=answer.players,
        left_out=answer.left_out,
        flags_version=FLAGS_VERSION,
        notes=list(answer.notes),
        sql=answer.sql,
        python=answer.python,
    )


def _round(value: Any) -> Cell:
    if not isinstance(value, float):
        return value  # type: ignore[no-any-return]
    return float(f"{value:.{N_DIGITS}g}") if math.isfinite(value) else None
