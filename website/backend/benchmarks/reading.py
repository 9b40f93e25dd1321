"""Frames per second that are read from recordings, and from Minari's formats by its own readers.

PYTHONPATH=. uv run python benchmarks/reading.py
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import skill_arcade.dataset as sa
from skill_arcade.consent.documents import SCOPES
from skill_arcade.export.formats import FormatName
from skill_arcade.export.run import export_parts, finish_export, open_plan
from skill_arcade.settings import Settings
from skill_arcade.storage.database.consents import add_decision
from skill_arcade.storage.database.engine import open_engine
from skill_arcade.storage.database.queries import upsert_games, upsert_user
from tests.support import session_harness

EPISODES = 8


async def fill(settings: Settings, steps: int) -> None:
    """Play Breakout by script, and upload it."""
    for _ in range(EPISODES):
        session_harness.play_breakout(settings.journal_folder, steps)
    async with open_engine(settings) as engine:
        async with engine.begin() as connection:
            await upsert_user(connection, "user", "somebody@example.org")
            await upsert_games(connection, {"breakout": {}})
            await add_decision(connection, SCOPES, "a benchmark", datetime(2100, 1, 1, tzinfo=UTC))
        await session_harness.upload_all(settings.journal_folder, settings.objects_folder, engine)


def measure(name: str, folder: Path, read: Callable[[], int]) -> None:
    """Print the speed of the fastest of three readings, and the bytes per frame."""
    best, n_frames = float("inf"), 0
    for _ in range(3):
        started = time.monotonic()
        n_frames = read()
        best = min(best, time.monotonic() - started)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    sys.stdout.write(f"{name:<42} {n_frames / best:>9,.0f} frames/s {size / n_frames:>10,.0f} bytes a frame\n")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300, help="of each episode")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o711)  # the embedded Postgres has a user of its own
        settings = Settings(skill_arcade_home=Path(place) / "home", database_url=None)
        os.environ["MINARI_DATASETS_PATH"] = str(Path(place) / "minari")
        (Path(place) / "minari").mkdir()
        import minari  # noqa: PLC0415 - Minari reads the variable at import
        from minari.data_collector import EpisodeBuffer  # noqa: PLC0415

        asyncio.run(fill(settings, options.steps))
        with sa.open(settings=settings) as dataset:
            out = Path(place) / "out"
            plan = open_plan(dataset, FormatName.minari, None, out)
            list(export_parts(settings, plan, out, jobs=1))
            finish_export(plan, out)
            exported = minari.MinariDataset(out / "skill-arcade/breakout/human-v0/data")

            def read_recordings() -> int:
                return sum(len(np.asarray(episode.frames)) for episode in dataset.episodes())

            def read_windows() -> int:
                windows = sa.Windows(dataset.episodes(), length=4, stride=4)
                return sum(batch["observations"][..., 0, 0, 0].size for batch in windows.batches(64, seed=1))

            views = sa.AgentViews(dataset.episodes(), Path(place) / "views")
            list(views.batches(256, seed=0))  # computes them

            def read_agent_views() -> int:
                return sum(len(actions) for seed in range(20) for _, actions in views.batches(256, seed))

            measure("Skill Arcade, agent views (4 frames each)", Path(place) / "views", read_agent_views)
            measure("Skill Arcade, episode by episode", settings.objects_folder, read_recordings)
            measure("Skill Arcade, shuffled windows of 4", settings.objects_folder, read_windows)
            measure(
                "Minari, exported by us",
                out / "skill-arcade",
                lambda: sum(len(one.observations) for one in exported.iterate_episodes()),
            )
            for format_, jpeg in (("parquet", False), ("hdf5", False), ("hdf5", True)):
                name = f"bench/{format_}-{'jpeg' if jpeg else 'raw'}-v0"
                buffers = [
                    EpisodeBuffer(
                        observations=np.asarray(episode.frames),
                        actions=episode.actions,
                        rewards=episode.rewards.tolist(),
                        terminations=episode.terminations.tolist(),
                        truncations=episode.truncations.tolist(),
                    )
                    for episode in dataset.episodes()
                ]
                created = minari.create_dataset_from_buffers(
                    name,
                    buffers,
                    action_space=exported.action_space,
                    observation_space=exported.observation_space,
                    data_format=format_,
                    jpeg_encoding=jpeg,
                )
                loss = " (lossy)" if jpeg else ""

                def read_minari(created: "minari.MinariDataset" = created) -> int:
                    return sum(len(one.observations) for one in created.iterate_episodes())

                measure(f"Minari, {format_}{loss}", Path(place) / "minari" / name, read_minari)


if __name__ == "__main__":
    main()
