"""Routes of charts: for researchers only, strict filters, JSON and CSV, and how fresh they are."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from skill_arcade.research.charts import CHARTS
from skill_arcade.settings import Settings
from tests.support.board_data import add_episode
from tests.web.conftest import Visitor, open_arcade

pytestmark = pytest.mark.anyio
RESEARCHER, PLAYER = "rita@example.org", "ada@example.org"


@pytest.fixture
async def visitor(settings: Settings, anyio_backend: str) -> AsyncIterator[Visitor]:
    changes: dict[str, object] = {"rate_limit_burst": 500, "researcher_emails": [RESEARCHER]}
    async with open_arcade(settings.model_copy(update=changes)) as arcade:
        async with arcade.state.engine.begin() as connection:
            for score in (1.0, float("nan"), 3.0):
                await add_episode(connection, "eva", score, game="pong")
        yield arcade


async def get(visitor: Visitor, path: str, email: str = RESEARCHER, **query: Any) -> Any:
    return await visitor.http.get(path, params=query, headers=await visitor.sign_in(email))


async def wait_measured(visitor: Visitor) -> None:
    while (await get(visitor, "/research/measures")).raise_for_status().json()["unmeasured"]:
        await asyncio.sleep(0.05)


async def test_measures_of_new_episodes_are_computed_after_a_request(visitor: Visitor) -> None:
    assert (await get(visitor, "/research/charts/games")).json()["episodes"] == 0
    first = (await get(visitor, "/research/measures")).json()
    assert first == {"unmeasured": 3, "newest": None}
    await wait_measured(visitor)
    assert (await get(visitor, "/research/charts/games")).json()["rows"][0][:4] == ["pong", "Pong", 1, 3]


async def test_every_chart_answers_with_its_columns_although_a_score_is_nan(visitor: Visitor) -> None:
    await wait_measured(visitor)
    for name, chart in CHARTS.items():
        answer = (await get(visitor, f"/research/charts/{name}", game="pong")).raise_for_status().json()
        assert [column["name"] for column in answer["columns"]] == list(chart.columns)
        assert (answer["episodes"], answer["players"], answer["left_out"]) == (3, 1, None)
        assert all(len(row) == len(chart.columns) for row in answer["rows"])
    curve = (await get(visitor, "/research/charts/curve", game="pong")).json()
    assert sum(row[4] for row in curve["rows"]) == 2


async def test_csv_has_rows_of_json(visitor: Visitor) -> None:
    await wait_measured(visitor)
    answer = await get(visitor, "/research/charts/games", format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    json_rows = (await get(visitor, "/research/charts/games")).json()["rows"]
    assert [row[:4] for row in rows[1:]] == [[str(cell) for cell in row[:4]] for row in json_rows]


@pytest.mark.parametrize("path", ["/research/charts/games", "/research/measures"])
async def test_charts_of_player_without_role_are_rejected(path: str, visitor: Visitor) -> None:
    assert (await get(visitor, path, PLAYER)).status_code == 403
    assert (await visitor.http.get(path)).status_code == 401


@pytest.mark.parametrize(
    ("path", "query", "word"),
    [
        ("/research/charts/games", {"colour": "red"}, "colour"),
        ("/research/charts/games", {"zone": "Mars"}, "time zone"),
        ("/research/charts/games", {"game": "a'b"}, "game"),
        ("/research/charts/secrets", {}, "chart"),
        ("/research/charts/curve", {}, "Choose a game"),
        ("/research/charts/groups", {"metric": "normalised", "source": "x"}, "dqn-zoo"),
    ],
)
async def test_invalid_filter_is_explained(path: str, query: dict[str, str], word: str, visitor: Visitor) -> None:
    answer = await get(visitor, path, **query)
    assert answer.status_code == 422
    assert word in answer.json()["message"]
