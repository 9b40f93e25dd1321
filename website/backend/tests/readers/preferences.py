"""Writes an export of judgements and its source values, for `read_preferences`."""

import asyncio
import json
from pathlib import Path

import numpy as np
from sqlalchemy import URL, text

import skill_arcade.dataset as sa
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.judgements.export import export_judgements
from skill_arcade.judgements.results import PREFERENCES, read_preference
from skill_arcade.settings import Settings
from skill_arcade.storage.database.queries import upsert_user
from tests.support.database import opened_engine
from tests.support.judging import draw_set, write_answer
from tests.support.recorded_episode import record_episode

ANSWERS = ("left", "right", "equal", "skip", "cannot_tell", "left")


def write_preferences(url: URL, home: Path, folder: Path) -> int:
    """Record two episodes, judge pairs of their clips, and export them. Return the number of preferences."""
    recorded = {
        episode.id: episode
        for user in ("ada", "eva")
        for episode in [
            record_episode(url, home / "objects", user=user, observe=lambda i: np.full(3, i / 8, np.float32))
        ]
    }

    async def judge() -> list[dict[str, object]]:
        expected = []
        async with opened_engine(url) as engine, engine.begin() as connection:
            await draw_set(connection, load_catalogue(), "pairs", items=5)
            await upsert_user(connection, "judy", "judy@example.org")
            for number, answer in enumerate(ANSWERS):
                is_swapped = number % 2 == 1
                await write_answer(connection, "pairs", number, "judy", answer, is_swapped=is_swapped)
                preferred = read_preference(answer, is_swapped)
                if preferred is None:
                    continue
                query = text("SELECT side, episode_id, frame_from, frame_to FROM judgement_clip WHERE number = :number")
                clips = {row.side: row for row in await connection.execute(query, {"number": number})}
                sides = {
                    side: {
                        "observations": [
                            recorded[clip.episode_id].observations[frame].tolist()
                            for frame in range(clip.frame_from, clip.frame_to)
                        ],
                        "actions": [step % 3 for step in range(clip.frame_from, clip.frame_to - 1)],
                        "rewards": [step / 4 for step in range(clip.frame_from, clip.frame_to - 1)],
                        "terminal": clip.frame_to == len(recorded[clip.episode_id].frames),
                    }
                    for side, clip in clips.items()
                }
                expected.append({"preference": PREFERENCES[preferred], **sides})
        return expected

    expected = asyncio.run(judge())
    settings = Settings(skill_arcade_home=home, database_url=url.render_as_string(hide_password=False))
    with sa.open(settings=settings) as dataset:
        export_judgements(dataset, "pairs", folder / "judged.parquet", ["research"], has_clips=True, has_programs=False)
    (folder / "expected.json").write_text(json.dumps(expected))
    return len(expected)
