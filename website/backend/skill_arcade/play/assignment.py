"""What a game process is told to become."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from skill_arcade.games.manifest import Manifest


class Assignment(BaseModel):
    """A player, a game, and where and how to record."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    game: Manifest
    manifest_hash: str
    journal_folder: Path
    segment_seconds: float
    resume_seconds: float
    commit: str | None = None
