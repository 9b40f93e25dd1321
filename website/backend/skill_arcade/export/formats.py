"""The export formats and the packages that they need."""

import importlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, cast

from skill_arcade.errors import SettingsError
from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.plan import Part, Plan


class FormatName(StrEnum):
    """Name of a format, which is the name of its module in this package."""

    minari = "minari"
    parquet = "parquet"
    hf = "hf"
    rlds = "rlds"
    lerobot = "lerobot"
    video = "video"
    tables = "tables"


@dataclass(frozen=True, slots=True)
class Report:
    """The report of a finished part: its files with SHA-256 and size, its episodes' facts, and data of the format.

    `left_out` has one entry per episode that could not be exported, with its id (not a pseudonym) and the reason.
    """

    part: Part
    files: dict[str, dict[str, Any]]
    facts: list[dict[str, Any]]
    more: dict[str, Any]
    left_out: list[dict[str, Any]] = field(default_factory=list)


class Format(Protocol):
    """Writes recordings in one format. The paths of files are unique to a part, so that parts never conflict.

    A format with the attribute `has_offsets` numbers the episodes or steps of a group without gaps. One with
    `has_splits` says which episodes are in which split. One with `has_reference = False` does not need the group's
    `reference`. `part_steps` changes the size of a part.
    """

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        """Write a part below `folder`. Returns the data that `finish` needs, which must be serialisable as JSON."""

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        """Write the files that describe all parts together."""

    def load(self, plan: Plan) -> str:
        """Return Python code that loads the export when run in its folder."""


_NEEDS = {"minari": ("pyarrow", "minari"), "video": ("pyarrow", "av"), "rlds": ("google_crc32c",)}


def check_format(name: FormatName) -> None:
    """Check that this format can be written here. Imports nothing.

    Raises:
        SettingsError: a required package is not installed.
    """
    for package in _NEEDS.get(name, ("pyarrow",)):
        if importlib.util.find_spec(package) is None:
            raise SettingsError(f"The format {name} needs the package {package}: run `uv sync --group export`.")


def find_format(name: FormatName) -> Format:
    """Import and return a format. Raises SettingsError like `check_format`."""
    check_format(name)
    return cast(Format, importlib.import_module(f"skill_arcade.export.{name}").FORMAT)
