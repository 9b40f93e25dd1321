"""Where a recording comes from: this package and the player's browser."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import skill_arcade
from skill_arcade.games.manifest import Manifest
from skill_arcade.ids import new_episode_id
from skill_arcade.play.assignment import GameAssignment
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.wire.messages import Hello, Setup


@cache
def find_commit() -> str | None:
    """The commit that this package is checked out at, with `-dirty` after it when files differ; None: in no clone."""
    folder = Path(skill_arcade.__file__).parent
    try:
        # A virtual environment may lie in a clone of something else: only one that keeps this very file counts.
        _ask_git(folder, "ls-files", "--error-unmatch", "__init__.py")
        return _ask_git(folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        return None


def _ask_git(folder: Path, *question: str) -> str:
    command = ["git", "-C", str(folder), *question]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()


def describe_server(assignment: GameAssignment) -> dict[str, Any]:
    """Name this package, its commit where known, and the manifest that was played."""
    return {
        "skill_arcade": skill_arcade.__version__,
        "commit": assignment.commit,
        "manifest_sha256": assignment.manifest_hash,
        "mode": "streamed",
        "options": assignment.options,
    }


def describe_player(hello: Hello | None, setup: Setup | None) -> dict[str, Any]:
    """Name the player's browser and screen, and keys, hand and gamepads, as the page told."""
    told = {} if hello is None else {"player": hello.model_dump(mode="json", exclude={"type", "protocol"})}
    return told if setup is None else {**told, "setup": describe_setup(setup)}


def describe_setup(setup: Setup) -> dict[str, Any]:
    """How the person is set up to play, as it is kept."""
    return setup.model_dump(mode="json", exclude={"type", "at"})


def make_header(game: Manifest, user_id: str, seed: int, **known: Any) -> SegmentHeader:
    """The head of a new episode's journal; `known` are its other fields."""
    return SegmentHeader(
        episode_id=new_episode_id(),
        number=0,
        first_step=0,
        first_event=0,
        user_id=user_id,
        game_id=game.id,
        seed=seed,
        frame_ms=round(1000 / game.pace.hz) if game.pace.kind == "real-time" else 1000,
        **known,
    )
