"""Format Parquet: one row per observation, with frames as PNG. DuckDB, BigQuery, pandas and Spark can read it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.formats import Report
from skill_arcade.export.parquet_writer import write_steps, write_table
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.rows import build_episode_facts


class ParquetFormat:
    """Writes `episodes.parquet`, and `steps/` and `events/` with one file per part."""

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        name = f"{part.group}-{part.place:05d}.parquet"
        write_steps(episodes, folder / "steps" / name, folder / "events" / name, pictures=True)
        return {}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        write_table(
            build_episode_facts([facts for report in reports for facts in report.facts]), folder / "episodes.parquet"
        )

    def load(self, plan: Plan) -> str:
        return (
            "import pandas\n\n"
            'episodes = pandas.read_parquet("episodes.parquet")\n'
            'steps = pandas.read_parquet("steps", columns=["episode", "step", "action", "reward", "shown_us"])'
        )


FORMAT = ParquetFormat()
