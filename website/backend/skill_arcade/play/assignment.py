"""What a game process is told to become."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from skill_arcade.games.manifest import Manifest


class GameAssignment(BaseModel):
    """A player, a game, and where and how to record."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    game: Manifest
    manifest_hash: str
    journal_folder: Path
    segment_seconds: float
    resume_seconds: float
    commit: str | None = None
    options: dict[str, str] = {}
    """What the player chose of what the game offers; `game` is as it was chosen."""
    lockstep_module: str | None = None
    """SHA-256 of the emulator that pages can have here; None: every game is streamed."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What a session is told about its player and its house."""

    user_id: str
    provenance: dict[str, Any]
    segment_us: int
    resume_us: int
    lockstep_module: str | None = None
