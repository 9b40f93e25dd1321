"""Models of agents: what plays, how it scores, and which of its games can be watched."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from skill_arcade.web.models.base import RequestModel, ResponseModel
from skill_arcade.wire.messages import NO_NUL

MAX_FACTS_CHARACTERS = 20_000
"""Length of the facts of a training, or of a specification, as JSON."""


MAX_FACTS_DEPTH = 20
"""Lists and dictionaries inside each other in these facts. Serialisation fails at some hundreds."""


class NewAgentVersion(RequestModel):
    """Facts of a version, as its owner states them. The weights are not sent."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    format: Literal["onnx", "entry-point"]
    entry_point: (
        Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$")] | None
    )
    observation: Literal["picture", "environment", "atari"]
    games: Annotated[
        list[Annotated[str, Field(max_length=100, pattern=r"^!?[a-z0-9*?\[\]-]+$")]],
        Field(min_length=1, max_length=100),
    ]
    env_spec: dict[str, Any] | None
    action_map: Annotated[list[Annotated[int, Field(ge=0, le=10_000)]], Field(min_length=1, max_length=1000)] | None
    training: dict[str, Any]
    licence: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]

    @field_validator("env_spec", "training")
    @classmethod
    def _check_json(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        """Refuse what Postgres cannot store, or what is too long."""
        if _measure_depth(value) > MAX_FACTS_DEPTH:
            raise ValueError(f"must not be nested more than {MAX_FACTS_DEPTH} times")
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()  # raises ValueError for lone surrogates
        if "\\u0000" in text or len(text) > MAX_FACTS_CHARACTERS:
            raise ValueError(f"must have no NUL and at most {MAX_FACTS_CHARACTERS} characters as JSON")
        return value

    @model_validator(mode="after")
    def _check_format(self) -> "NewAgentVersion":
        if (self.format == "onnx") is not (self.entry_point is None):
            raise ValueError("entry_point must be null for weights, and module:Class for a Python class")
        if self.action_map is not None and self.format != "onnx":
            raise ValueError("action_map must be null for a Python class, which returns actions of the game")
        return self


def _measure_depth(value: Any) -> int:
    """Return how many lists and dictionaries are inside each other."""
    depth, level = 0, [value]
    while inner := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [part for one in inner for part in (one.values() if isinstance(one, dict) else one)]
    return depth


class AgentToken(ResponseModel):
    """A new token of an agent."""

    token: str = Field(description="shown once; its hash is stored")


class RevokedTokens(ResponseModel):
    """Tokens of an agent that are rejected from now on."""

    revoked: int = Field(description="number of tokens that were valid")


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
    """A game that an agent plays now, on any server, and that can be watched."""

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
