"""Models of recorded episodes and of a player's totals."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from skill_arcade.web.models.base import ResponseModel
from skill_arcade.wire.numbers import Score


class PlayedEpisode(ResponseModel):
    """One of the user's own episodes."""

    id: UUID
    game_id: str
    game_name: str
    status: Literal["incomplete", "won", "lost"]
    score: Score
    n_steps: int
    end_reason: str | None
    options: dict[str, str] = Field(description="option values that the player chose")
    is_branch: bool = Field(description="it begins at a frame of another episode, so that its score does not compare")
    with_agent: bool = Field(description="an agent acted in it, so that its score does not compare")
    time_created: datetime
    time_ended: datetime | None
    certificate: Literal["certified", "mismatch", "irreproducible", "damaged"] | None = Field(
        description="result of the newest re-run; null if there is none yet"
    )


class RecordedSegment(ResponseModel):
    """A segment of an episode, some seconds long, that has been uploaded."""

    number: int
    first_step: int
    n_steps: int
    n_frames: int = Field(description="0 if the picture did not change")
    n_bytes: int
    frames: str | None = Field(description="path of its frames (APNG); null if it has none")
    observations: str | None = Field(description="path of its observations (NPZ); null if they are the frames")


class RecordedEpisode(ResponseModel):
    """The recording of an episode as uploaded so far."""

    id: UUID
    user_id: str
    game_id: str
    game_name: str
    seed: int | None = Field(description="null for the daily challenge until its day is over")
    status: Literal["incomplete", "won", "lost"]
    score: Score
    n_steps: int
    end_reason: str | None
    time_created: datetime
    time_ended: datetime | None
    segments: list[RecordedSegment]


class GameSummary(ResponseModel):
    """The user's totals in one game with certain options."""

    game_id: str
    game_name: str
    options: dict[str, str] = Field(description="option values; empty: the game's defaults")
    episodes: int
    won: int
    steps: int
    seconds: float = Field(description="play time: sum of all episodes from start to end")
    best: Score | None = Field(description="best score of a certified episode, not NaN; null if there is none yet")
    last_played: datetime


class PlaySummary(ResponseModel):
    """The user's totals, overall and by game. The most recently played game is first."""

    episodes: int
    certified: int = Field(description="number of certified episodes")
    won: int
    steps: int
    seconds: float
    games: list[GameSummary]
