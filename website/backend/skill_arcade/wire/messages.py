"""Every text message of the play socket: two unions, told apart by `type`. See SPEC.md.

`at` is always the browser's `performance.now()` in milliseconds at the moment of the thing itself
(for a key: `event.timeStamp`; for a frame: its animation frame's time).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

PROTOCOL = 1
At = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False, description="performance.now(), milliseconds")]
Index = Annotated[int, Field(ge=0, le=2**31 - 1)]
Digest = Annotated[int, Field(ge=0, le=2**32 - 1, description="CRC-32 over all observations so far")]
Device = Literal["keyboard", "touch", "mouse", "gamepad"]
Short = Annotated[str, Field(max_length=40)]
Mode = Literal["streamed", "lockstep"]
MAX_TICKS = 1800
"""Steps in one message: half a minute, which a page may have played without a connection."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hello(_Message):
    """First message after the socket opens: who is looking, on what."""

    type: Literal["hello"]
    protocol: Literal[1]
    at: At
    time_origin: float = Field(ge=0, le=1e15, description="performance.timeOrigin, Unix milliseconds")
    browser: str = Field(max_length=400, description="navigator.userAgent")
    screen: tuple[Index, Index] = Field(description="width and height in CSS pixels")
    pixel_ratio: float = Field(gt=0, le=100)
    refresh_hz: float | None = Field(ge=0, le=1000, description="measured; null when not yet known")
    isolated: bool = Field(description="crossOriginIsolated: the clock then resolves 5 microseconds")


class Setup(_Message):
    """How the person is set up to play from here on: on record with each episode that begins, and in one that runs."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].append("sound"))
    type: Literal["setup"]
    at: At
    keys: dict[Annotated[str, Field(max_length=40)], Annotated[list[Short], Field(max_length=8)]] = Field(
        max_length=64, description="each control's keys as this person has them, KeyboardEvent.code"
    )
    touch: bool = Field(description="the page shows controls for fingers")
    hand: Literal["right", "left"] = Field(description="which thumb has the buttons there")
    gamepads: list[Annotated[str, Field(max_length=200)]] = Field(max_length=8, description="Gamepad.id of each")
    sound: StrictBool = Field(False, description="the page plays sound; streamed, the server sends it (SPEC, S1)")


class Start(_Message):
    """Begin an episode: the first, or the next after one has ended. Streamed when it does not say how."""

    model_config = ConfigDict(json_schema_extra=lambda schema: schema["required"].append("mode"))
    type: Literal["start"]
    at: At
    mode: Mode = Field("streamed", description="lockstep: the page steps by itself, if the welcome offered it")


class Input(_Message):
    """A control went down or up."""

    type: Literal["input"]
    control: str = Field(max_length=40)
    down: bool
    at: At
    frame: Index | None = Field(description="observation index that was on the screen; null: none yet")
    device: Device
    code: str = Field(max_length=40, description="KeyboardEvent.code or the like")


class Latched(_Message):
    """In lockstep, an input as the page latched it: before which step."""

    step: Index = Field(description="the first step that it could act in")
    control: str = Field(max_length=40)
    down: bool
    at: At
    frame: Index | None = Field(description="observation index that was on the screen; null: none yet")
    device: Device
    code: str = Field(max_length=40)


class Ticks(_Message):
    """In lockstep: steps that the page took since the last such message, and the input that they follow from."""

    type: Literal["ticks"]
    first: Index = Field(description="index of the first of these steps")
    actions: list[Annotated[int, Field(ge=0, le=255)]] = Field(min_length=1, max_length=MAX_TICKS)
    at: list[At] = Field(max_length=MAX_TICKS, description="when each step was taken")
    digests: list[Digest] = Field(max_length=MAX_TICKS, description="after each step; see SPEC.md, L3")
    inputs: list[Latched] = Field(max_length=2 * MAX_TICKS, description="in order of arrival")


class Stream(_Message):
    """In lockstep: the page can't step by itself any more. The game goes on, paused, by streaming."""

    type: Literal["stream"]
    at: At
    reason: str = Field(max_length=200)


class Shown(_Message):
    """Frames that were painted since the last such message; also the receiver's acknowledgement."""

    type: Literal["shown"]
    received: Index = Field(description="newest observation index that has arrived")
    frames: list[tuple[Index, At]] = Field(max_length=600, description="observation index, time of paint")


class Align(_Message):
    """Streamed, in real time: steps should come so much later (below zero: earlier), to meet the display's frames."""

    type: Literal["align"]
    at: At
    later_ms: float = Field(ge=-1000, le=1000)


class Ping(_Message):
    """Asks for a Pong at once. Carries back when the last one arrived: four times make a clock sample."""

    type: Literal["ping"]
    id: Index
    at: At
    previous: tuple[Index, At] | None = Field(description="id of the last pong and when it arrived")


class Focus(_Message):
    """The window or page changed: its keys are released by the page before this is sent."""

    type: Literal["focus"]
    state: Literal["blur", "focus", "hidden", "visible"]
    at: At


class Pause(_Message):
    """Freeze a real-time game."""

    type: Literal["pause"]
    at: At


class Resume(_Message):
    """Go on at the next tick."""

    type: Literal["resume"]
    at: At


class Leave(_Message):
    """End the episode as it is: incomplete."""

    type: Literal["leave"]
    at: At


ClientMessage = Annotated[
    Hello | Setup | Start | Input | Ticks | Stream | Shown | Align | Ping | Focus | Pause | Resume | Leave,
    Field(discriminator="type"),
]
client_message: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)


def read_client(text: bytes) -> ClientMessage:
    """Parse a message of the page. Raises ValueError with what is wrong first, and where."""
    try:
        return client_message.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None


class Binding(_Message):
    """These controls held together mean this action."""

    press: list[str]
    action: int


class Offer(_Message):
    """All that a page needs to step this game by itself, beside the seed: what to fetch, how to set it up."""

    module: str = Field(description="path of the emulator, a WebAssembly module")
    rom: str = Field(description="path of the cartridge; needs the sign-in token")
    game: str = Field(description="ALE's name of it")
    hz: float
    sticky: float = Field(description="repeat_action_probability")
    frameskip: int
    max_frames: int = Field(description="max_num_frames_per_episode; 0: no end")
    max_steps: int | None = Field(description="max_episode_steps")
    mode: int | None
    difficulty: int | None
    all_actions: bool
    counts_lives: bool
    bindings: list[Binding]
    noop: int
    away_ms: int = Field(description="how long the page may go on without the server before it freezes the game")


class Lockstep(_Message):
    """A lockstep episode as the server has it so far."""

    ale_seed: int = Field(description="signed 32 bits")
    n_steps: int = Field(description="the page goes on from here: what it sends next begins with this step")
    digest: Digest


class Welcome(_Message):
    """The game is there. `phase` says what the page finds: a fresh game, or its own, paused."""

    type: Literal["welcome"]
    protocol: Literal[1]
    game: str
    phase: Literal["ready", "playing", "paused", "ended"]
    width: int
    height: int
    episode: str | None
    ping_ms: int = Field(description="how often to ping")
    lockstep: Offer | None = Field(description="null: this game is streamed here")
    sound_hz: float | None = Field(description="samples of sound a second, at the chosen speed; null: it has none")


class Started(_Message):
    """An episode has begun. Streamed, its observation 0 follows as a key frame."""

    type: Literal["started"]
    episode: str
    server_us: int = Field(description="CLOCK_MONOTONIC of the server, microseconds, at the episode's start")
    lockstep: Lockstep | None = Field(description="null: this episode is streamed")


class Ticked(_Message):
    """The server followed the page up to here, agreed, and recorded it."""

    type: Literal["ticked"]
    n_steps: int
    digest: Digest


class Paused(_Message):
    """No more steps until `resume`."""

    type: Literal["paused"]
    reason: Literal["player", "connection"]


class Resumed(_Message):
    """Steps go on."""

    type: Literal["resumed"]


class Ended(_Message):
    """The episode is over and its record is sealed."""

    type: Literal["ended"]
    episode: str
    status: Literal["won", "lost", "incomplete"]
    reason: str
    score: float
    n_steps: int


class Pong(_Message):
    """Answer to Ping; times of the server's CLOCK_MONOTONIC in microseconds."""

    type: Literal["pong"]
    id: int
    received_us: int
    sent_us: int


class Notice(_Message):
    """Something that the player should read while the game goes on."""

    type: Literal["notice"]
    text: str


ServerMessage = Annotated[
    Welcome | Started | Ticked | Paused | Resumed | Ended | Pong | Notice, Field(discriminator="type")
]
server_message: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


def schemas() -> dict[str, Any]:
    """JSON Schemas of both unions, for OpenAPI's `components.schemas`."""
    ref = "#/components/schemas/{model}"
    parts: dict[str, Any] = {}
    for name, adapter in (("ClientMessage", client_message), ("ServerMessage", server_message)):
        schema = adapter.json_schema(ref_template=ref)
        parts.update(schema.pop("$defs"))
        parts[name] = schema
    return parts
