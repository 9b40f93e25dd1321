"""Models of replays: segments, steps, events and captions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, JsonValue

from skill_arcade.web.models.base import ResponseModel
from skill_arcade.web.models.games import GameAction, GameControl, GameDisplay, RealTimePace, TurnBasedPace
from skill_arcade.wire.numbers import Score

BranchRefusal = Literal["daily", "incomplete", "changed"]


class ReplaySegment(ResponseModel):
    """A segment of an episode. Its first frame is a keyframe; its frames and steps are consecutive."""

    number: int
    first_step: int
    n_steps: int
    first_frame: int
    n_frames: int
    n_bytes: int = Field(description="size of all its files")
    frames: str | None = Field(description="path of its frames (APNG); null if it has none")
    frames_sha256: str | None = Field(description="SHA-256 of the frames' file, hexadecimal; null if it has none")


class ReplayGame(ResponseModel):
    """The game of an episode, as its manifest is now; `pace` has the speed that the player chose."""

    id: str
    name: str
    pace: Annotated[RealTimePace | TurnBasedPace, Field(discriminator="kind")]
    controls: list[GameControl]
    actions: list[GameAction]
    noop: int | None = Field(description="action while no control is pressed; null if there is none")
    show: GameDisplay


class ReplayCertificate(ResponseModel):
    """Result of the newest re-run."""

    result: Literal["certified", "mismatch", "irreproducible", "damaged"]
    step: int | None = Field(description="first step that differs; null: none")
    reason: str
    time_created: datetime


class Replay(ResponseModel):
    """Everything that a viewer needs before the first picture. Links reveal neither the player nor their device."""

    id: UUID
    access: Literal["player", "researcher", "link", "board", "agent"] = Field(
        description="why the user may see the episode"
    )
    game: ReplayGame
    seed: int | None = Field(description="null for the daily challenge until its day is over")
    status: Literal["incomplete", "won", "lost"]
    score: Score
    n_steps: int
    n_frames: int = Field(description="stored frames: `n_steps + 1`, or fewer while the episode is being uploaded")
    end_reason: str | None
    lives: float | None = Field(description="lives at frame 0; null: unknown")
    mode: str = Field(description="streamed or lockstep")
    options: dict[str, str] = Field(description="option values that the player chose")
    time_created: datetime
    time_ended: datetime | None
    branch_refusal: BranchRefusal | None = Field(
        description="why nobody can play from its frames; changed: the game or its packages; null: they can"
    )
    certificate: ReplayCertificate | None = Field(description="null if there is no re-run yet")
    environment: dict[str, JsonValue] = Field(description="id, arguments, packages and ROM of the environment")
    provenance: dict[str, JsonValue] = Field(description="server, manifest, mode; device: not by a link")
    segments: list[ReplaySegment]


class StepColumns(ResponseModel):
    """Steps of an episode as columns, from step `first` on. Times are in microseconds; null: unknown."""

    first: int
    action: list[int]
    reward: list[Score]
    lives: list[float | None] = Field(description="lives after the step; null: as before")
    server_us: list[int] = Field(description="start of the step, since the start of the episode, server clock")
    stepped_us: list[int | None] = Field(description="lockstep: start of the step in the browser, browser clock")
    shown_us: list[int | None] = Field(description="paint of the observation acted on, browser clock")
    input_us: list[int | None] = Field(description="input that determined the action, browser clock")
    input_received_us: list[int | None] = Field(description="arrival of that input, server clock")


class ReplayEvent(ResponseModel):
    """An event of an episode other than a step."""

    number: int
    kind: str
    server_us: int
    client_us: int | None
    step: int = Field(description="number of steps taken before the arrival")
    data: dict[str, JsonValue]


class ReplayEvents(ResponseModel):
    """The events of an episode, without measurements of the clock."""

    events: list[ReplayEvent]


class FrameInfo(ResponseModel):
    """The stored `info` that came with a frame, in the encoding of exact_json."""

    frame: int
    info: dict[str, JsonValue]


class ReplayCaption(ResponseModel):
    """Text that the game shows beside its picture from this frame on."""

    frame: int
    text: str


class ReplayCaptions(ResponseModel):
    """The changes of the text beside the picture; empty if the game shows none."""

    captions: list[ReplayCaption]
