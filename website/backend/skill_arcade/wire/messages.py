"""All text messages of the play socket as unions, discriminated by `type`. The rules are in SPEC.md.

`at` is always the browser's `performance.now()` in milliseconds at the moment of the event itself: for a key its
`event.timeStamp`, for a frame the time of its animation frame.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from skill_arcade.wire.numbers import Score

PROTOCOL = 1
At = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False, description="performance.now(), milliseconds")]
Index = Annotated[int, Field(ge=0, le=2**31 - 1)]
Digest = Annotated[int, Field(ge=0, le=2**32 - 1, description="CRC-32 over all observations so far")]
Device = Literal["keyboard", "touch", "mouse", "gamepad"]
NO_NUL = r"^[^\x00]*$"
"""Postgres stores no NUL in text. JSON with lone surrogates is rejected by the parser."""
Short = Annotated[str, Field(max_length=40, pattern=NO_NUL)]
Mode = Literal["streamed", "lockstep"]
ProgramPace = Literal["stepped", "realtime", "lockstep"]
MAX_TICKS = 1800
"""Steps in one message: 30 s at 60 Hz, which a page may have played while it was disconnected."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hello(_Message):
    """First message after the connection opens: the player's browser and screen."""

    type: Literal["hello"]
    protocol: Literal[1]
    at: At
    time_origin: float = Field(ge=0, le=1e15, description="performance.timeOrigin, Unix milliseconds")
    browser: str = Field(max_length=400, pattern=NO_NUL, description="navigator.userAgent")
    screen: tuple[Index, Index] = Field(description="width and height in CSS pixels")
    pixel_ratio: float = Field(gt=0, le=100)
    refresh_hz: float | None = Field(ge=0, le=1000, description="measured; null when not yet known")
    isolated: bool = Field(description="crossOriginIsolated: the clock then resolves 5 microseconds")


class Setup(_Message):
    """The player's controls, touch layout, gamepads and sound from now on.

    It is recorded with each episode that begins, and as an event of a running one.
    """

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].append("sound"))
    type: Literal["setup"]
    at: At
    keys: dict[Short, Annotated[list[Short], Field(max_length=8)]] = Field(
        max_length=64, description="keys of each control as this player has set them, KeyboardEvent.code"
    )
    touch: bool = Field(description="the page shows touch controls")
    hand: Literal["right", "left"] = Field(description="hand that has the buttons of the touch controls")
    gamepads: list[Annotated[str, Field(max_length=200, pattern=NO_NUL)]] = Field(
        max_length=8, description="Gamepad.id of each connected gamepad"
    )
    sound: StrictBool = Field(
        False, description="the page plays sound; in streamed games the server sends it (rule S1)"
    )


class ProgramStart(_Message):
    """How a program plays an episode (rule O24)."""

    pace: ProgramPace = Field(
        description="stepped: the game waits for each `act`; realtime: as for people; lockstep: the program steps its "
        "own copy of the game, and sends `ticks`"
    )
    seed: int | None = Field(ge=1, le=2**31 - 1, description="seed of the episode; null: the server draws one")


class Start(_Message):
    """Begin the first or the next episode."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].extend(["mode", "program"]))
    type: Literal["start"]
    at: At
    mode: Mode = Field("streamed", description="lockstep: the page runs the game by itself, if `welcome` offered it")
    program: ProgramStart | None = Field(None, description="for programs only; null: as a person plays")


class Act(_Message):
    """A program's action. Stepped, or in a turn-based game, it is a step; in real time it holds from the next step."""

    type: Literal["act"]
    at: At
    action: Index
    frame: Index | None = Field(description="index of the observation that the program decided by")


class Input(_Message):
    """A control was pressed or released."""

    type: Literal["input"]
    control: Short
    down: bool
    at: At
    frame: Index | None = Field(
        description="index of the observation that was on the screen; null if there was none yet"
    )
    device: Device
    code: Short = Field(description="KeyboardEvent.code, or the button's name")


class Latched(_Message):
    """In lockstep: an input, and the step before which the page latched it."""

    step: Index = Field(description="the first step in which it can act")
    control: Short
    down: bool
    at: At
    frame: Index | None = Field(
        description="index of the observation that was on the screen; null if there was none yet"
    )
    device: Device
    code: Short


class Ticks(_Message):
    """In lockstep: the steps that the page took since the last such message, and the inputs that they follow from."""

    type: Literal["ticks"]
    first: Index = Field(description="index of the first of these steps")
    actions: list[Annotated[int, Field(ge=0, le=255)]] = Field(min_length=1, max_length=MAX_TICKS)
    at: list[At] = Field(max_length=MAX_TICKS, description="time at which each step was taken")
    digests: list[Digest] = Field(max_length=MAX_TICKS, description="digest after each step (rule L3)")
    inputs: list[Latched] = Field(max_length=2 * MAX_TICKS, description="inputs in order of arrival")


class Stream(_Message):
    """In lockstep: the page can no longer run the game by itself. The game is paused and continues by streaming."""

    type: Literal["stream"]
    at: At
    reason: str = Field(max_length=200, pattern=NO_NUL)


class Shown(_Message):
    """Frames that were painted since the last such message. Also acknowledges received frames."""

    type: Literal["shown"]
    received: Index = Field(description="index of the newest observation that has arrived")
    frames: list[tuple[Index, At]] = Field(max_length=600, description="index of the observation and time of its paint")


class Align(_Message):
    """Streamed, in real time: shift the steps by `later_ms` (earlier if negative), to match the display's frames."""

    type: Literal["align"]
    at: At
    later_ms: float = Field(ge=-1000, le=1000)


class Ping(_Message):
    """Request a `pong`. Reports when the last pong arrived; the four times make a clock sample."""

    type: Literal["ping"]
    id: Index
    at: At
    previous: tuple[Index, At] | None = Field(description="id of the last pong and its time of arrival")


class Focus(_Message):
    """The focus or visibility of the page changed. The page releases held controls before it sends this."""

    type: Literal["focus"]
    state: Literal["blur", "focus", "hidden", "visible"]
    at: At


class Pause(_Message):
    """Pause a real-time game."""

    type: Literal["pause"]
    at: At


class Resume(_Message):
    """Continue at the next tick."""

    type: Literal["resume"]
    at: At


class AgentSetup(_Message):
    """How the agent plays from now on, in a game that it plays until the person takes over (rule O41)."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].append("mode"))
    type: Literal["agent"]
    at: At
    interval_ms: Annotated[int, Field(ge=100, le=60_000)] | None = Field(
        description="time between two moves of the agent in a turn-based game; null: it does not move"
    )
    mode: Literal["take-over", "together"] = Field(
        "take-over",
        description="what a control does in a real-time game: the person takes over, or both act in one step",
    )


class TakeoverReason(_Message):
    """Why the person took over from the agent the last time (rule O41)."""

    type: Literal["reason"]
    at: At
    reason: Literal["mistake", "danger", "demonstration", "fun"] = Field(
        description="the agent did something wrong; it was about to lose; to show it how; for no such reason"
    )


class Watch(_Message):
    """Allow others to watch this game live by a link, or end it (rule O18)."""

    type: Literal["watch"]
    at: At
    allowed: StrictBool


class Leave(_Message):
    """End the episode as incomplete."""

    type: Literal["leave"]
    at: At


ClientMessage = Annotated[
    Hello
    | Setup
    | Start
    | Act
    | Input
    | Ticks
    | Stream
    | Shown
    | Align
    | Ping
    | Focus
    | Pause
    | Resume
    | AgentSetup
    | TakeoverReason
    | Watch
    | Leave,
    Field(discriminator="type"),
]
client_message: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


def read_client(text: bytes) -> ClientMessage:
    """Parse a message of the page.

    Raises:
        ValueError: the message is invalid; names the first invalid field and the reason.
    """
    try:
        return client_message.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{location}: {first['msg']}" if location else first["msg"]) from None


class Binding(_Message):
    """The action of controls that are held together."""

    press: list[str]
    action: int


class Offer(_Message):
    """Everything that a page needs to run the game by itself, except the seed."""

    module: str = Field(description="path of the emulator (a WebAssembly module)")
    rom: str = Field(description="path of the ROM; requires the session token")
    ale_version: str = Field(description="version of ale-py; a program that steps by itself needs the same one")
    game: str = Field(description="name of the game in ALE")
    hz: float
    sticky: float = Field(description="repeat_action_probability")
    frameskip: int
    max_frames: int = Field(description="max_num_frames_per_episode; 0 means no limit")
    max_steps: int | None = Field(description="max_episode_steps")
    mode: int | None
    difficulty: int | None
    all_actions: bool
    counts_lives: bool
    bindings: list[Binding]
    noop: int
    away_ms: int = Field(
        description="time for which the page may continue without the server before it pauses the game"
    )


class Lockstep(_Message):
    """The server's state of a lockstep episode."""

    ale_seed: int = Field(description="seed of ALE, a signed 32-bit integer")
    n_steps: int = Field(description="steps so far; the next `ticks` must begin with this step")
    digest: Digest


class ShownGhost(_Message):
    """The recorded episode that the page shows while the player plays (rule O17)."""

    episode: str
    seed: Literal["same", "drawn"] = Field(
        description="same: each episode starts with the seed and the settings of that episode"
    )


class Welcome(_Message):
    """The game is ready. `phase` tells whether it is a new game or the player's own, paused."""

    type: Literal["welcome"]
    protocol: Literal[1]
    game: str
    phase: Literal["ready", "playing", "paused", "ended"]
    width: int
    height: int
    n_actions: int = Field(description="actions that a program can send: 0 to n_actions - 1")
    episode: str | None
    ping_ms: int = Field(description="interval between pings")
    lockstep: Offer | None = Field(description="null if this game is streamed")
    sound_hz: float | None = Field(
        description="samples of sound per second at the chosen speed; null if the game has no sound"
    )
    ghost: ShownGhost | None = Field(description="null if the play ticket names no ghost")
    recorded: bool = Field(description="false: the player plays without recording, so there is nothing to replay")
    watchable: bool = Field(description="whether the player's consent allows others to watch")


class Started(_Message):
    """An episode has begun. If it is streamed, its observation 0 follows as a keyframe."""

    type: Literal["started"]
    episode: str
    server_us: int = Field(description="CLOCK_MONOTONIC of the server at the start of the episode, microseconds")
    lockstep: Lockstep | None = Field(description="null if this episode is streamed")


class Outcome(_Message):
    """For programs: what `reset` or `step` returned. The frame packet with the picture follows (rule O24)."""

    type: Literal["outcome"]
    frame: int = Field(description="index of the observation")
    reward: Score = Field(description="0 for the reset")
    info: dict[str, Any] = Field(description="as recorded: `encode_info` of `skill_arcade.exact_json`")
    observation: Any = Field(
        description="`encode_typed` of `skill_arcade.exact_json`; null if the picture is the observation"
    )


class Actor(_Message):
    """Who acts from now on in a game that an agent plays until the person takes over (rule O38)."""

    type: Literal["actor"]
    actor: Literal["human", "agent", "shared"] = Field(description="shared: both act, in the mode `together`")
    agent: str = Field(description="name of the agent")


class Ticked(_Message):
    """Acknowledges `ticks`: the server has verified and recorded the steps up to here."""

    type: Literal["ticked"]
    n_steps: int
    digest: Digest


class Paused(_Message):
    """No steps are taken until `resume`."""

    type: Literal["paused"]
    reason: Literal["player", "connection"]


class Resumed(_Message):
    """Steps continue."""

    type: Literal["resumed"]


class Ended(_Message):
    """The episode has ended and its recording is sealed."""

    type: Literal["ended"]
    episode: str
    status: Literal["won", "lost", "incomplete"]
    reason: str
    score: Score
    n_steps: int


class Pong(_Message):
    """Answer to `ping`; the times are CLOCK_MONOTONIC of the server in microseconds."""

    type: Literal["pong"]
    id: int
    received_us: int
    sent_us: int


class Caption(_Message):
    """The text beside the picture from now on, such as the mission of the episode."""

    type: Literal["caption"]
    text: str


class Notice(_Message):
    """A message to the player while the game continues."""

    type: Literal["notice"]
    text: str


class Watchable(_Message):
    """Whether others may watch this game live, and how many do."""

    type: Literal["watchable"]
    token: str | None = Field(description="token of the link; null if nobody may watch")
    n_watchers: int


ServerMessage = Annotated[
    Welcome | Started | Outcome | Actor | Ticked | Paused | Resumed | Ended | Pong | Caption | Notice | Watchable,
    Field(discriminator="type"),
]
server_message: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


class WatchedGame(_Message):
    """First message to a watcher: the game, without anything about its player."""

    type: Literal["game"]
    name: str
    hz: float | None = Field(description="steps per second at the chosen speed; null if the game is turn-based")
    pixel_aspect: float
    smooth: bool
    has_score: bool


class Scene(_Message):
    """State of a watched game; sent to watchers at each change."""

    type: Literal["scene"]
    phase: Literal["ready", "playing", "paused", "ended"]
    is_away: bool = Field(description="the player is disconnected")
    caption: str


WatcherMessage = Annotated[WatchedGame | Scene, Field(discriminator="type")]
watcher_message: TypeAdapter[WatcherMessage] = TypeAdapter(WatcherMessage)


def schemas() -> dict[str, Any]:
    """Return the JSON Schemas of the unions, for `components.schemas` of the OpenAPI document."""
    ref = "#/components/schemas/{model}"
    parts: dict[str, Any] = {}
    for name, adapter in (
        ("ClientMessage", client_message),
        ("ServerMessage", server_message),
        ("WatcherMessage", watcher_message),
    ):
        schema = adapter.json_schema(ref_template=ref)
        parts.update(schema.pop("$defs"))
        parts[name] = schema
    return parts
