"""A small study for tests, as a file and in a database."""

import asyncio
import copy
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from skill_arcade.cli import app
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.storage.database.studies import add_code, open_study
from skill_arcade.studies.files import EXAMPLES_FOLDER, hash_study, load_study
from skill_arcade.studies.schema import OUTCOMES, Study

SECRET = "ab" * 32
STUDY: dict[str, Any] = {
    "title": "Ice",
    "contact": "ice@example.org",
    "quota": 4,
    "arms": {"a": {}, "b": {}},
    "block_repeats": 1,
    "max_failed_checks": 1,
    "stages": [
        {
            "kind": "consent",
            "scopes": ["research", "publication"],
            "languages": {
                language: {
                    "title": title,
                    "sections": [{"title": "What", "text": "We record."}],
                    "agree": "Yes",
                    "decline": "No",
                }
                for language, title in (("en", "Study"), ("de", "Studie"))
            },
        },
        {"kind": "screening", "max_round_trip_ms": 200, "keyboard": True},
        {
            "kind": "instructions",
            "name": "how",
            "pages": ["Press left."],
            "checks": [{"name": "key", "title": "Which key?", "choices": ["left", "right"], "correct": "left"}],
        },
        {"kind": "practice", "name": "warm-up", "game": "frozen-lake", "amount": {"trials": 1}},
        {"kind": "games", "name": "play", "game": "frozen-lake", "amount": {"trials": 2}, "seed_list": [11, 12]},
        {
            "kind": "questionnaire",
            "name": "after",
            "survey": {
                "pages": [
                    {
                        "elements": [
                            {"type": "rating", "name": "fun", "title": "Fun?", "isRequired": True},
                            {"type": "rating", "name": "check-1", "title": "Choose 1.", "correctAnswer": 1},
                            {"type": "rating", "name": "check-2", "title": "Choose 2.", "correctAnswer": 2},
                        ]
                    }
                ]
            },
        },
        {"kind": "debrief", "name": "end", "pages": ["Thank you."]},
    ],
}


def make_study(**changes: Any) -> dict[str, Any]:
    """Return the content of a study with these fields instead."""
    return copy.deepcopy(STUDY) | changes


def write_study(folder: Path, content: dict[str, Any], name: str = "ice") -> Path:
    """Write a study's file."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


async def open_in_database(engine: AsyncEngine, content: dict[str, Any] | None = None, name: str = "ice") -> None:
    """Open a study, whose codes are its outcomes in capitals."""
    parsed = Study.model_validate(content or STUDY).model_dump(mode="json", by_alias=True)
    async with engine.begin() as connection:
        await open_study(connection, name, sha256=hash_study(parsed), content=parsed, secret=SECRET)
        for outcome in OUTCOMES:
            await add_code(connection, name, outcome, outcome.upper(), replace=False)


def load_example(name: str) -> Study:
    """Return a study among the shipped examples."""
    return load_study(name, EXAMPLES_FOLDER, load_catalogue(None)).study


async def run_command(home: Path, *arguments: str) -> Result:
    """Run `skill-arcade` on an arcade's home."""
    environment = {"SKILL_ARCADE_HOME": str(home), "GAMES_FOLDER": str(home / "games")}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, app, arguments)


async def export_everything(home: Path, out: Path) -> dict[str, bytes]:
    """Download the study `ice`, and export all episodes. Return the files by name; without an episode there is none."""
    await run_command(home, "studies", "download", "ice", str(out / "data"))
    await run_command(home, "export", str(out / "export"), "--format", "parquet")
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
