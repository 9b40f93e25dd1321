"""Format of Hugging Face datasets: Parquet with features in its metadata and one configuration per group."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.formats import Report
from skill_arcade.export.parquet_writer import write_steps, write_table
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.rows import build_episode_facts


class HuggingFaceFormat:
    """Writes `GROUP/` with the rows, `events/`, and `episodes.parquet`. The card lists the configurations."""

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        name = f"{part.group}/train-{part.place:05d}.parquet"
        write_steps(episodes, folder / name, folder / "events" / name, pictures=True, label=label_features)
        return {}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        write_table(
            build_episode_facts([facts for report in reports for facts in report.facts]), folder / "episodes.parquet"
        )

    def load(self, plan: Plan) -> str:
        name = next(iter(plan.groups))
        return f'from datasets import load_dataset\n\nsteps = load_dataset(".", "{name}", split="train")'

    def front_matter(self, plan: Plan) -> str:
        """Return the YAML header of the dataset card, which lists the configurations."""
        configs = [
            {"config_name": name, "data_files": [{"split": "train", "path": f"{name}/*.parquet"}]}
            for name in plan.groups
        ]
        configs.append({"config_name": "episodes", "data_files": [{"split": "train", "path": "episodes.parquet"}]})
        return json.dumps({"pretty_name": "Skill Arcade recordings", "configs": configs})


def label_features(schema: pa.Schema) -> pa.Schema:
    """Add the metadata in which `datasets` looks up which column is an image."""
    features = {field.name: _feature(field) for field in schema}
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def _feature(field: pa.Field) -> dict[str, Any]:
    if field.name == "picture":
        return {"_type": "Image"}
    if isinstance(field.type, pa.FixedSizeListType):
        return {"_type": "List", "length": field.type.list_size, "feature": _feature(field.type.value_field)}
    names = {"double": "float64", "float": "float32"}
    return {"_type": "Value", "dtype": names.get(str(field.type), str(field.type))}


FORMAT = HuggingFaceFormat()
