"""The message that assigns a game to a game process, and the part of it that a session needs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from skill_arcade.games.manifest import Manifest


class GameAssignment(BaseModel):
    """A player, a game, and where and how to record; sent to a game process as JSON."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    game: Manifest
    manifest_hash: str
    journal_folder: Path
    segment_seconds: float
    resume_seconds: float
    commit: str | None = None
    options: dict[str, str] = {}
    """Option values that the player chose. They are already applied to `game`."""
    lockstep_module: str | None = None
    """SHA-256 of the emulator module that pages can load, or None if every game is streamed."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """The player and the server settings that a session needs."""

    user_id: str
    provenance: dict[str, Any]
    segment_us: int
    resume_us: int
    lockstep_module: str | None = None
