"""Exports versions of saved datasets: to the same bytes each time, or not at all."""

import importlib.metadata
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

import skill_arcade
from skill_arcade.dataset.reader import Dataset
from skill_arcade.errors import InvalidRequest
from skill_arcade.export.formats import FormatName
from skill_arcade.export.plan import Plan, Saved
from skill_arcade.export.run import find_plan, other_plan, plan_episodes, write_plan
from skill_arcade.research.selection import Selection
from skill_arcade.storage.database.dataset_versions import (
    NewVersion,
    count_removed,
    describe_games,
    find_loss,
    get_version,
)
from skill_arcade.storage.database.tables import Table

WRITERS = ("av", "minari", "numpy", "pillow", "pyarrow")
"""Packages whose version can change the bytes of an export."""
EVERY_EPISODE = "true"
_member = Table.metadata.tables["dataset_episode"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A version of a dataset as people write it: `name@2`, or `name` for the newest one."""

    name: str
    number: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference. Raises InvalidRequest."""
        name, at, number = text.partition("@")
        if not name or (at and not (number.isascii() and number.isdigit())):
            raise InvalidRequest(f"{text!r} is no version of a dataset. Write NAME, or NAME@2 for version 2.")
        return cls(name, int(number) if at else None)


def select_by_filters(filters: Selection) -> str:
    """Return the condition on `episode_summary` that selects the episodes of the research page with these filters.

    Raises:
        InvalidRequest: the filters select programs, or one player.
    """
    if filters.players != "people":
        raise InvalidRequest("A dataset holds recordings of people. Remove the filter for programs.")
    if filters.player is not None:
        raise InvalidRequest("A dataset of one player would name them. Remove the filter for the player.")
    return f"episode_id IN (\n{filters.to_sql()}\nSELECT episode_id FROM chosen\n)"


def list_software() -> dict[str, str]:
    """Return the packages that take part in an export, with their versions."""
    versions = {name: importlib.metadata.version(name) for name in WRITERS}
    return {"skill-arcade": skill_arcade.__version__, **versions}


def list_differences(version: Row[Any]) -> list[str]:
    """Return one sentence for each package that is not the one a version was saved with."""
    now = list_software()
    return [
        f"{name} was {saved} when the version was saved, and is {now.get(name, 'absent')}"
        for name, saved in version.software.items()
        if now.get(name) != saved
    ]


def plan_version(dataset: Dataset, format_: FormatName, version: Row[Any], test_fraction: float | None = None) -> Plan:
    """Return the plan of an export of a version.

    `test_fraction` is the fraction of the players whose episodes are the split `test`, chosen by a hash of their ids:
    the same players in every export of the version. None means no such split.

    Raises:
        InvalidRequest: episodes of it were erased, withdrawn or changed, or the format has no splits.
    """
    _check_loss(dataset, version)
    described, certified = dataset.source.run(lambda connection: _describe(connection, version))
    where = f"episode_id IN (SELECT episode_id FROM dataset_episode WHERE version_id = '{version.id}')"
    saved = Saved(
        version.key, described["time_created"], version.software["skill-arcade"], described, certified=certified
    )
    return plan_episodes(
        format_,
        version.query,
        dataset.episodes(where=where, scope=version.scope),
        test_fraction,
        scope=version.scope,
        n_without_consent=version.n_without_consent,
        saved=saved,
    )


def open_version_plan(
    dataset: Dataset, format_: FormatName, version: Row[Any], out: Path, test_fraction: float | None = None
) -> Plan:
    """Create the plan of an export of a version to `out`, or read the existing one.

    Raises:
        InvalidRequest: `out` has other contents, or the version cannot be exported any more.
    """
    plan = find_plan(out)
    if plan is None:
        plan = plan_version(dataset, format_, version, test_fraction)
        write_plan(plan, out)
        return plan
    planned = plan.dataset or {}
    if (plan.format, plan.test_fraction, planned.get("digest")) != (format_, test_fraction, version.digest):
        raise other_plan(plan, out)
    return plan


def find_version(dataset: Dataset, reference: Reference) -> Row[Any]:
    """Return a version. Raises NotFound."""
    return dataset.source.run(lambda connection: get_version(connection, reference.name, reference.number))


def check_still_whole(dataset: Dataset, version: Row[Any], out: Path | None = None) -> None:
    """Check after the last part that nothing was removed meanwhile. Otherwise delete `out`.

    Raises:
        InvalidRequest: episodes were erased or withdrawn.
    """
    n_removed = dataset.source.run(lambda connection: count_removed(connection, version))
    if n_removed:
        if out is not None:
            shutil.rmtree(out)
        raise _removed(version, n_removed)


def describe_row(version: Row[Any]) -> dict[str, Any]:
    """Return the fields of a version that people read, as JSON."""
    names = ("cause", "query", "filters", "scope", "description", "schema_version", "software")
    results = ("consent_documents", "digest", "removed")
    counts = ("n_episodes", "n_steps", "n_players", "n_without_consent")
    return {
        "name": version.dataset_name,
        "version": version.number,
        "time_created": version.time_created.isoformat(timespec="seconds"),
        "as_of": version.as_of.isoformat(),
        **{name: getattr(version, name) for name in (*names, *results, *counts)},
    }


def make_new_version(
    name: str, scope: str, description: dict[str, Any], *, where: str | None, filters: Selection | None
) -> NewVersion:
    """Return what is to be saved: a condition or filters; without both, every ended episode."""
    if filters is not None:
        query, fields = select_by_filters(filters), filters.model_dump(mode="json", exclude_defaults=True)
        return NewVersion(name, query, fields, scope, description, list_software())
    return NewVersion(name, where or EVERY_EPISODE, None, scope, description, list_software())


async def _describe(connection: AsyncConnection, version: Row[Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what an export says of a version, and the ids of its certified episodes."""
    rows = list(await connection.execute(select(_member).where(_member.c.version_id == version.id)))
    games = [dict(row._mapping) for row in await describe_games(connection, version.id)]
    described = {
        **describe_row(version),
        "games": [{name: _to_json(value) for name, value in game.items()} for game in games],
        "digests": sorted([row.pseudonym, row.digest, row.is_certified] for row in rows),
    }
    return described, sorted(str(row.episode_id) for row in rows if row.is_certified)


def _to_json(value: Any) -> Any:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


def _check_loss(dataset: Dataset, version: Row[Any]) -> None:
    loss = dataset.source.run(lambda connection: find_loss(connection, version))
    if loss.removed:
        raise _removed(version, loss.removed)
    if loss.changed:
        name = version.dataset_name
        raise InvalidRequest(
            f"{name}@{version.number} cannot be exported: {loss.changed} of its {version.n_episodes} recordings have "
            f"changed since. Save a new version with `skill-arcade datasets save {name}`."
        )


def _removed(version: Row[Any], n_removed: int) -> InvalidRequest:
    return InvalidRequest(
        f"{version.dataset_name}@{version.number} cannot be exported any more: {n_removed} of its "
        f"{version.n_episodes} episodes were erased, or their consent was withdrawn. Export the newest version, "
        f"{version.dataset_name}, which is without them."
    )
