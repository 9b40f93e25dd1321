"""Which formats there are, and what they need."""

import importlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, cast

from skill_arcade.errors import SettingsError
from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.plan import Part, Plan


class FormatName(StrEnum):
    """A format, by the name of its module here."""

    minari = "minari"
    parquet = "parquet"
    hf = "hf"
    rlds = "rlds"
    lerobot = "lerobot"
    video = "video"
    tables = "tables"


@dataclass(frozen=True, slots=True)
class Report:
    """A part that is in place: its files with SHA-256 and size, the facts of its episodes, what the format adds."""

    part: Part
    files: dict[str, dict[str, Any]]
    facts: list[dict[str, Any]]
    more: dict[str, Any]


class Format(Protocol):
    """How recordings are written. Paths of files are unique to a part, so that parts never meet."""

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        """Write a part below `folder`; return what `finish` needs of it, as JSON."""

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        """Write what is said of all parts together."""

    def load(self, plan: Plan) -> str:
        """Python that loads the export from the folder it is in."""


_NEEDS = {"minari": ("pyarrow", "minari"), "video": ("pyarrow", "av"), "rlds": ("google_crc32c",)}


def check_format(name: FormatName) -> None:
    """Return if this format can be written here; imports nothing.

    Raises:
        SettingsError: a package that it needs is not installed.
    """
    for needed in _NEEDS.get(name, ("pyarrow",)):
        if importlib.util.find_spec(needed) is None:
            raise SettingsError(f"Exporting as {name} needs the package {needed}: run `uv sync --group export`.")


def find_format(name: FormatName) -> Format:
    """Get a format ready. Raises SettingsError like `check_format`."""
    check_format(name)
    return cast(Format, importlib.import_module(f"skill_arcade.export.{name}").FORMAT)
