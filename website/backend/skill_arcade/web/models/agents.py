"""Models of agents: what plays, how it scores, and which of its games can be watched."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from skill_arcade.web.models.base import ResponseModel


class AgentVersion(ResponseModel):
    """A version of an agent, which never changes."""

    number: int
    sha256: str = Field(description="SHA-256 of the weights, or of the source file, hexadecimal")
    format: Literal["scripted", "onnx", "entry-point"]
    entry_point: str | None
    observation: Literal["picture", "environment", "atari"] = Field(
        description="what its policy gets: the frame, the observation of the game's environment, or 4 grey views of 84 "
        "by 84 with one action for 4 frames"
    )
    games: list[str] = Field(description="patterns of the ids of the games that it plays")
    env_spec: dict[str, Any] | None = Field(description="Gymnasium EnvSpec of its training")
    action_map: list[int] | None = Field(description="action of the game for each output of the policy")
    training: dict[str, Any] = Field(description="facts of its training, as its owner states them")
    licence: str | None
    time_created: datetime


class LiveGame(ResponseModel):
    """A game that an agent plays now on this server, and that can be watched."""

    game_id: str
    game_name: str
    version: int
    watch_token: str = Field(description="token of the link /watch")


class AgentSummary(ResponseModel):
    """An agent."""

    name: str
    summary: str
    format: Literal["scripted", "onnx", "entry-point"]
    version: int = Field(description="number of its newest version")
    licence: str | None
    n_games: int = Field(description="number of games of the catalogue that it plays")
    game_id: str | None = Field(description="its only game; null if it plays several")
    game_name: str | None
    live: list[LiveGame]


class ScoreSummary(ResponseModel):
    """Scores of finished episodes with the same settings."""

    episodes: int
    players: int
    median: float
    best: float


class AgentEpisode(ResponseModel):
    """A finished episode of an agent."""

    id: UUID
    score: float
    steps: int


class AgentScore(ResponseModel):
    """Scores of an agent in a game with certain settings, beside those of people."""

    game_id: str
    game_name: str
    options: dict[str, str]
    version: int
    pace: Literal["realtime", "stepped", "lockstep", "turn-based"] = Field(
        description="realtime: the game ran as for people; stepped: it waited for the agent; lockstep: the agent ran "
        "it, and could pause it; turn-based: it always waits"
    )
    sticky_probability: float | None = Field(description="probability that ALE repeats the action before")
    frame_skip: int | None = Field(description="frames that one action lasts")
    agent: ScoreSummary
    people: ScoreSummary | None = Field(description="people with equal settings; null: not comparable")
    you: ScoreSummary | None = Field(description="the user's own episodes with equal settings; null: none")
    incomparable: Literal["stepped", "lockstep", "no-people", "too-few-people", "other-settings"] | None = Field(
        description="why `people` is null. stepped: the game waited for the agent; lockstep: the agent could pause it; "
        "no-people: nobody has finished this game and shows it; too-few-people: fewer than three have; other-settings: "
        "they had other options or versions"
    )
    replays: list[AgentEpisode] = Field(description="newest finished episodes")


class AgentDetails(ResponseModel):
    """An agent with its versions, newest first, and its scores."""

    name: str
    summary: str
    versions: list[AgentVersion]
    live: list[LiveGame]
    scores: list[AgentScore]
