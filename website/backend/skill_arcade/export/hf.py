"""Format of Hugging Face datasets: Parquet with features in its metadata and one configuration per group."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skill_arcade.export.croissant import describe_dataset
from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.formats import Report
from skill_arcade.export.parquet_writer import write_steps, write_table
from skill_arcade.export.plan import Part, Plan
from skill_arcade.export.rows import build_episode_facts


class HuggingFaceFormat:
    """Writes `GROUP/` with the rows, `events/`, and `episodes.parquet`. The card lists the configurations."""

    has_splits = True

    def write_part(
        self, part: Part, group: dict[str, Any], episodes: Iterable[ExportedEpisode], folder: Path
    ) -> dict[str, Any]:
        name = f"{part.group}/{part.split}-{part.split_place:05d}.parquet"
        write_steps(
            episodes,
            folder / name,
            folder / "events" / name,
            pictures=True,
            label=label_features,
            reference=group["reference"],
        )
        return {"schema": pq.read_schema(folder / name).remove_metadata().serialize().to_pybytes().hex()}

    def finish(self, plan: Plan, reports: list[Report], folder: Path) -> None:
        episodes = build_episode_facts([facts for report in reports for facts in report.facts])
        write_table(episodes, folder / "episodes.parquet")
        files = {
            path: (described["sha256"], report.part.group)
            for report in reports
            for path, described in report.files.items()
            if path.startswith(f"{report.part.group}/")
        }
        files["episodes.parquet"] = (hashlib.sha256((folder / "episodes.parquet").read_bytes()).hexdigest(), "episodes")
        schemas = {report.part.group: _read_schema(report) for report in reports} | {"episodes": episodes.schema}
        described = describe_dataset(plan, files, schemas)
        (folder / "croissant.json").write_text(json.dumps(described, indent=1, allow_nan=False))

    def load(self, plan: Plan) -> str:
        name = next(iter(plan.groups))
        split = plan.list_splits(name)[0]
        return (
            "import os\n\nfrom datasets import load_dataset\n\n"
            f'steps = load_dataset(os.getcwd(), "{name}", split="{split}")   # or the id on the Hub\n'
            'episodes = load_dataset(os.getcwd(), "episodes", split="train")\n'
            'print(steps[0]["picture"].size, steps[0]["action"], episodes[0]["status"])'
        )

    def front_matter(self, plan: Plan) -> str:
        """Return the YAML header of the dataset card, which lists the configurations."""
        configs = [
            {
                "config_name": name,
                "data_files": [
                    {"split": split, "path": f"{name}/{split}-*.parquet"} for split in plan.list_splits(name)
                ],
            }
            for name in plan.groups
        ]
        configs.append({"config_name": "episodes", "data_files": [{"split": "train", "path": "episodes.parquet"}]})
        return json.dumps(
            {
                "pretty_name": "Skill Arcade recordings",
                "task_categories": ["reinforcement-learning"],
                "tags": ["human-play", "imitation-learning", "gymnasium", "croissant"],
                "configs": configs,
            }
        )


def label_features(schema: pa.Schema) -> pa.Schema:
    """Add the metadata in which `datasets` looks up which column is an image."""
    features = {field.name: _feature(field) for field in schema}
    return schema.with_metadata(
        {**(schema.metadata or {}), "huggingface": json.dumps({"info": {"features": features}})}
    )


def _feature(field: pa.Field) -> dict[str, Any]:
    if field.name == "picture":
        return {"_type": "Image"}
    if isinstance(field.type, pa.FixedSizeListType):
        # `Sequence` is read by all versions since 2; `List`, its new name, only since 4.
        return {"_type": "Sequence", "length": field.type.list_size, "feature": _feature(field.type.value_field)}
    names = {"double": "float64", "float": "float32", "halffloat": "float16"}
    return {"_type": "Value", "dtype": names.get(str(field.type), str(field.type))}


def _read_schema(report: Report) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(report.more["schema"])))


FORMAT = HuggingFaceFormat()
