"""Models of saved datasets, for researchers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from skill_arcade.export.formats import FormatName
from skill_arcade.storage.database.dataset_versions import NAME
from skill_arcade.web.models.base import RequestModel, ResponseModel


class SaveDatasetRequest(RequestModel):
    """Save the episodes that charts with these filters show."""

    name: str = Field(pattern=f"^{NAME.pattern}$", description="a known name gets a new version")
    title: str = Field(max_length=200, description="title, for the citation; empty: that of the newest version")
    scope: Literal["research", "publication"] = Field(description="scope of the consent that every episode must have")
    filters: str = Field(
        max_length=2000, description="filters of the research page, as in its address: game=breakout&daytime=morning"
    )


class DatasetExportRequest(RequestModel):
    """Request an export of a version."""

    format: FormatName


class DatasetVersionItem(ResponseModel):
    """A version in the list of datasets."""

    dataset_name: str
    number: int
    cause: Literal["saved", "removal"] = Field(
        description="saved by a researcher; or episodes of the previous version were erased or withdrawn"
    )
    scope: str
    n_episodes: int
    n_steps: int
    n_players: int
    time_created: datetime


class DatasetGame(ResponseModel):
    """Numbers of a game in a version, of the episodes that are not erased."""

    game_id: str
    episodes: int
    steps: int
    players: int
    certified: int


class DatasetVersionDetails(DatasetVersionItem):
    """A version, and what happened to it since."""

    title: str
    query: str = Field(description="SQL condition on episode_summary")
    filters: dict[str, Any] | None = Field(description="filters of the research page; null: saved by a condition")
    schema_version: str
    software: dict[str, str]
    digest: str = Field(description="SHA-256 of the list of episodes with their digests")
    n_without_consent: int = Field(description="episodes that matched, and whose players do not allow the scope")
    removed: list[str] = Field(description="pseudonyms of what a removal took out of the previous version")
    removed_since: int = Field(description="episodes that were erased or withdrawn since; above 0, no export works")
    publications: dict[str, str] = Field(description="address to the time of the upload")
    games: list[DatasetGame]
    citation: str = Field(description="text of CITATION.cff")


class DatasetComparison(ResponseModel):
    """Which episodes two versions share."""

    same: int
    changed: int = Field(description="in both, with different recordings or certificates")
    only_first: int
    only_second: int
    erased_first: int = Field(description="erased since, and in no other number")
    erased_second: int
