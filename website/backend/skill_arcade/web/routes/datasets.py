"""Routes of saved datasets, for researchers."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.export.dataset_files import render_citation
from skill_arcade.export.saved_datasets import Reference, describe_row, make_new_version
from skill_arcade.export.selection import ExportSelection
from skill_arcade.research.selection import parse_filters
from skill_arcade.storage.database.dataset_versions import (
    NAME,
    compare_versions,
    count_removed,
    describe_games,
    find_newest,
    get_version,
    list_versions,
)
from skill_arcade.web.current_user import Researcher
from skill_arcade.web.models.datasets import (
    DatasetComparison,
    DatasetExportRequest,
    DatasetGame,
    DatasetVersionDetails,
    DatasetVersionItem,
    SaveDatasetRequest,
)
from skill_arcade.web.models.exports import ExportTicket
from skill_arcade.web.problems import problem_answers
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.routes.exports import issue_ticket
from skill_arcade.web.state import State

router = APIRouter(tags=["datasets"])
Name = Annotated[str, Path(pattern=f"^{NAME.pattern}$")]
Number = Annotated[int, Path(ge=1, le=1_000_000, description="number of the version")]


@router.get("/research/datasets", responses=problem_answers(401, 403, 503))
async def list_dataset_versions(researcher: Researcher, state: State) -> list[DatasetVersionItem]:
    """List all versions of all datasets, by name and with the newest version first."""
    del researcher
    async with request_transaction(state.engine) as connection:
        return [DatasetVersionItem.model_validate(row) for row in await list_versions(connection)]


@router.post("/research/datasets", responses=problem_answers(401, 403, 422, 503))
async def save_dataset(body: SaveDatasetRequest, researcher: Researcher, state: State) -> DatasetVersionDetails:
    """Save the selected episodes as the next version of a dataset."""
    del researcher
    async with request_transaction(state.engine) as connection:
        newest = await find_newest(connection, body.name)
    description = {} if newest is None else dict(newest.description)
    if body.title:
        description["title"] = body.title
    new = make_new_version(body.name, body.scope, description, where=None, filters=parse_filters(body.filters))
    saved = await state.research.save_dataset(new)
    async with request_transaction(state.engine) as connection:
        return await _describe(connection, saved)


@router.get("/research/datasets/{name}/{number}", responses=problem_answers(401, 403, 404, 422, 503))
async def read_dataset_version(
    name: Name, number: Number, researcher: Researcher, state: State
) -> DatasetVersionDetails:
    """Return a version, and what happened to it since."""
    del researcher
    async with request_transaction(state.engine) as connection:
        return await _describe(connection, await get_version(connection, name, number))


@router.get("/research/datasets/{name}/{number}/comparison", responses=problem_answers(401, 403, 404, 422, 503))
async def compare_dataset_versions(
    name: Name,
    number: Number,
    other: Annotated[str, Query(max_length=80, description="the second version, such as breakout-people@2")],
    researcher: Researcher,
    state: State,
) -> DatasetComparison:
    """Count the episodes that two versions share."""
    del researcher
    reference = Reference.parse(other)
    async with request_transaction(state.engine) as connection:
        first = await get_version(connection, name, number)
        second = await get_version(connection, reference.name, reference.number)
        return DatasetComparison.model_validate(await compare_versions(connection, first.id, second.id))


@router.post("/research/datasets/{name}/{number}/exports", responses=problem_answers(401, 403, 404, 422, 429, 503))
async def request_dataset_export(
    name: Name, number: Number, body: DatasetExportRequest, researcher: Researcher, state: State
) -> ExportTicket:
    """Request an export of a version, as `POST /research/exports` does. Every export of it has the same bytes."""
    async with request_transaction(state.engine) as connection:
        version = await get_version(connection, name, number)
    selection = ExportSelection(
        format=body.format, ended_before=version.time_created, dataset=name, version=number, scope=version.scope
    )
    return await issue_ticket(state, selection, researcher)


async def _describe(connection: AsyncConnection, version: Row[Any]) -> DatasetVersionDetails:
    games = await describe_games(connection, version.id)
    described = describe_row(version)
    fields = {name: getattr(version, name) for name in DatasetVersionItem.model_fields}
    names = ("query", "filters", "schema_version", "software", "digest", "n_without_consent", "removed", "publications")
    return DatasetVersionDetails(
        **fields,
        **{name: getattr(version, name) for name in names},
        title=version.description.get("title", ""),
        removed_since=await count_removed(connection, version),
        games=[DatasetGame.model_validate(game) for game in games],
        citation=render_citation(described),
    )
