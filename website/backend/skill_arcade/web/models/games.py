"""Models of the catalogue of games."""

from typing import Annotated, Literal

from pydantic import Field

from skill_arcade.web.models.base import ResponseModel


class RealTimePace(ResponseModel):
    """The game takes `hz` steps per second by itself."""

    kind: Literal["real-time"]
    hz: float


class TurnBasedPace(ResponseModel):
    """The game takes a step at each key press."""

    kind: Literal["turn-based"]


class GameControl(ResponseModel):
    """A control, and its default keys."""

    name: str
    label: str
    keys: list[str] = Field(description="KeyboardEvent.code values")


class GameAction(ResponseModel):
    """The action of controls that are held together."""

    press: list[str]
    action: int
    label: str | None


class GameDisplay(ResponseModel):
    """Display settings: the picture's shape and scaling, and what is shown beside it."""

    score: bool
    lives: str | None = Field(description="key of `info` that counts lives; null if the game has none")
    text: str | None = Field(description="part of the observation, or key of `info`, that is shown as text; or null")
    pixel_aspect: float = Field(description="width of a pixel divided by its height")
    smooth: bool = Field(description="scale with smoothing instead of sharp pixels")


class GameAxisControl(ResponseModel):
    """Controls that an analogue stick or the mouse presses at each step of deflection; null if a direction has none."""

    left: list[list[str]] | None
    right: list[list[str]] | None
    up: list[list[str]] | None
    down: list[list[str]] | None


class GameOption(ResponseModel):
    """An option that a player may choose before the start. If it is not chosen, the game's default applies."""

    name: str
    label: str
    values: list[str]
    labels: list[str] = Field(description="texts of the values for players")
    default: str | None = Field(description="value that applies if none is chosen; null if the environment decides it")


class GameAgent(ResponseModel):
    """An agent that can play a game until the person takes over."""

    name: str
    summary: str


class GameAlias(ResponseModel):
    """A former id of a game, and the options that give the game that it named."""

    id: str
    options: dict[str, str]


class Game(ResponseModel):
    """A game that can be played on this server."""

    id: str
    name: str
    summary: str
    pace: Annotated[RealTimePace | TurnBasedPace, Field(discriminator="kind")]
    controls: list[GameControl]
    actions: list[GameAction]
    steer: GameAxisControl | None = Field(description="null if the controls are buttons only")
    options: list[GameOption]
    agents: list[GameAgent] = Field(description="agents that can play it until a person takes over")
    aliases: list[GameAlias] = Field(description="former ids of the game")
    show: GameDisplay
    tags: list[str]
    cover: str | None = Field(description="path of the cover; null if the game has none")
    preview: str | None = Field(description="path of the animated preview; null if the game has none")
