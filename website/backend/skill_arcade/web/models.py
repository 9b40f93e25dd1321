"""What HTTP answers and accepts. Answers have no defaults, so that generated types have no maybe."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from skill_arcade.export.formats import FormatName


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(_Answer):
    """Every answer that is not a success."""

    error: str = Field(description="name of the error's class, for programs")
    message: str = Field(description="what is wrong and what to do, for people")


class EmailMethod(_Answer):
    """One signs in by giving an e-mail address; no password."""

    method: Literal["email"]


class FirebaseMethod(_Answer):
    """One signs in by Firebase Authentication, and gives its ID token here. All of this is public."""

    method: Literal["firebase"]
    project_id: str
    api_key: str
    providers: list[Literal["google", "email-link", "anonymous"]] = Field(description="ways that are offered, in order")
    google_client_id: str | None = Field(description="OAuth client of the page; null: not offered")
    emulator: str | None = Field(description="address of a stand-in; null: Google's own")


LoginMethod = Annotated[EmailMethod | FirebaseMethod, Field(discriminator="method")]


class SignIn(_Body):
    """Who wants to sign in, where the method is email."""

    email: str = Field(max_length=320)


class FirebaseSignIn(_Body):
    """Who wants to sign in, where the method is firebase."""

    id_token: str = Field(max_length=8192, description="ID token of the account that the Firebase SDK signed in")


class SignedIn(_Answer):
    """A token for the `Authorization: Bearer` header, and whose it is."""

    token: str
    user_id: str
    email: str | None = Field(description="null: a guest")
    roles: list[Literal["researcher", "admin"]]
    expires_at: datetime


class Me(_Answer):
    """Whose token this is."""

    user_id: str
    email: str | None = Field(description="null: a guest")
    roles: list[Literal["researcher", "admin"]]


class RealTimePace(_Answer):
    """The game steps by itself, so many times a second."""

    kind: Literal["real-time"]
    hz: float


class TurnBasedPace(_Answer):
    """The game steps at each key press."""

    kind: Literal["turn-based"]


class GameControl(_Answer):
    """Something to press, in words, and the keys that press it at first."""

    name: str
    label: str
    keys: list[str] = Field(description="KeyboardEvent.code values")


class GameAction(_Answer):
    """These controls, held together, mean this action."""

    press: list[str]
    action: int
    label: str | None


class GameDisplay(_Answer):
    """How to show the picture, and what beside it."""

    score: bool
    lives: str | None = Field(description="key of info that counts lives; null: no lives")
    pixel_aspect: float = Field(description="width of a pixel in its height")
    smooth: bool = Field(description="scale with smoothing rather than crisp")


class GameAxisControl(_Answer):
    """What an analogue stick or the mouse presses: controls for each step of deflection; null: nothing that way."""

    left: list[list[str]] | None
    right: list[list[str]] | None
    up: list[list[str]] | None
    down: list[list[str]] | None


class GameOption(_Answer):
    """Something that a player may choose before the start. Nothing chosen: as the game comes."""

    name: str
    label: str
    values: list[str]


class Game(_Answer):
    """A game that one can play here."""

    id: str
    name: str
    summary: str
    pace: Annotated[RealTimePace | TurnBasedPace, Field(discriminator="kind")]
    controls: list[GameControl]
    actions: list[GameAction]
    steer: GameAxisControl | None = Field(description="null: its controls are buttons only")
    options: list[GameOption]
    show: GameDisplay
    tags: list[str]
    cover: str | None = Field(description="path of a picture of the game; null: none was made")
    preview: str | None = Field(description="path of a moving picture of the game; null: none was made")


class TicketRequest(_Body):
    """Which game to open."""

    game_id: str = Field(max_length=100)


class Ticket(_Answer):
    """Opens one play socket of one game, once."""

    ticket: str
    expires_at: datetime


class PlayedEpisode(_Answer):
    """One of the player's own episodes."""

    id: UUID
    game_id: str
    game_name: str
    status: Literal["incomplete", "won", "lost"]
    score: float
    n_steps: int
    end_reason: str | None
    options: dict[str, str] = Field(description="what the player chose of what the game offers")
    time_created: datetime
    time_ended: datetime | None
    certificate: Literal["certified", "mismatch", "irreproducible", "damaged"] | None = Field(
        description="what running it again found; null: not run again yet"
    )


class RecordedSegment(_Answer):
    """A piece of an episode that was delivered: some seconds."""

    number: int
    first_step: int
    n_steps: int
    n_frames: int = Field(description="0: nothing new was on the screen")
    n_bytes: int
    frames: str | None = Field(description="path of its frames, an APNG; null: it has none")
    observations: str | None = Field(description="path of its observations, an NPZ; null: they are the frames")


class RecordedEpisode(_Answer):
    """What is kept of an episode so far."""

    id: UUID
    user_id: str
    game_id: str
    game_name: str
    seed: int
    status: Literal["incomplete", "won", "lost"]
    score: float
    n_steps: int
    end_reason: str | None
    time_created: datetime
    time_ended: datetime | None
    segments: list[RecordedSegment]


class OwnExportRequest(_Body):
    """In which format a player takes their own play away."""

    format: FormatName


class ExportRequest(_Body):
    """Which episodes a researcher takes away, of those that have ended, and in which format."""

    format: FormatName
    games: list[Annotated[str, Field(max_length=100)]] = Field(max_length=500, description="ids; none: all")
    certified: bool = Field(description="only those whose newest re-run was the same in all")
    min_steps: int = Field(ge=0, le=1_000_000_000)
    since: date | None = Field(description="first day of their start, UTC")
    until: date | None = Field(description="last day of their start, UTC")


class ExportTicket(_Answer):
    """A download that is made while it is read. Who has its address can have it, until it ends."""

    address: str = Field(description="GET this, for a ZIP; a path of this server")
    progress: str = Field(description="GET this meanwhile, for how far it is; a path of this server")
    episodes: int
    steps: int
    players: int
    expires_at: datetime


class ExportProgress(_Answer):
    """How far a download is. A server that knows nothing of it says so: another may be making it."""

    state: Literal["unknown", "making", "done", "failed"]
    episodes: int = Field(description="that are in it")
    of: int
    bytes: int = Field(description="that were sent")
    message: str = Field(description="what went wrong, for people; empty: nothing")


class PlayedGame(_Answer):
    """What there is of a game, of episodes that have ended."""

    game_id: str
    game_name: str
    episodes: int
    players: int
    steps: int
    hours: float
    certified: int = Field(description="episodes whose newest re-run was the same in all")


NO_NUL = r"^[^\x00]*$"  # Postgres keeps no character 0
Name = Annotated[str, Field(max_length=100, pattern=NO_NUL)]
Word = Annotated[str, Field(max_length=40, pattern=NO_NUL)]


class Preferences(_Body):
    """How a player likes to play. It follows the account from device to device."""

    keys: Annotated[
        dict[Name, dict[Word, Annotated[list[Word], Field(max_length=8)]]],
        Field(max_length=500, description="by game: each control whose keys the player changed, and its keys"),
    ]
    hand: Literal["right", "left"] = Field(description="which thumb has the buttons of the touch layout")
    haptics: bool = Field(description="let the device shake where it can")
    sound: bool = Field(description="let games be heard; they are silent until somebody says so")
    volume: Annotated[int, Field(ge=0, le=100, description="percent")]
    gauge: bool = Field(description="show delay and pictures a second")
    favourites: list[Name] = Field(max_length=1000, description="ids of games")
    options: Annotated[
        dict[Name, dict[Word, Name]],
        Field(max_length=500, description="by game: the mode and so on that was last chosen"),
    ]


class MyGame(_Answer):
    """How the player has done in one game."""

    game_id: str
    game_name: str
    episodes: int
    won: int
    steps: int
    seconds: float = Field(description="time at the game, from each episode's start to its end")
    best: float | None = Field(description="best score of an episode that is certified; null: none is yet")
    last_played: datetime


class Summary(_Answer):
    """What the player has played, in all and by game; the game of the newest episode first."""

    episodes: int
    certified: int = Field(description="episodes that came out the same when they were run again")
    won: int
    steps: int
    seconds: float
    games: list[MyGame]


class ErasureRequest(_Body):
    """Erase this account and all that was recorded of it."""

    word: str = Field(max_length=40, description="`erase`, typed by the player: a click may be an accident")


class ErasureResult(_Answer):
    """The account is closed: nobody is signed in to it any more, and nothing more is recorded."""

    finished: bool = Field(description="all is gone by now; false: the rest goes as soon as it can, by itself")
    episodes: int = Field(description="erased so far")
    steps: int = Field(description="erased so far")


class PageConfig(_Answer):
    """What the page asks first, so that one build serves every place."""

    apiUrl: str | None = Field(description="origin of the API; null: of the page itself. The play socket is there too")
    release: str


class Alive(_Answer):
    """The server answers."""

    status: Literal["alive"]


class ComponentStatus(_Answer):
    """One thing that playing needs."""

    name: Literal["database", "objects", "journal"]
    ready: bool
    message: str


class UploadAges(_Answer):
    """How far recording and the games are behind."""

    oldest_undelivered_seconds: float = Field(description="age of the oldest sealed segment; 0: none waits")
    last_delivery_seconds: float | None = Field(description="since a segment was delivered; null: none was yet")
    tick_lateness_seconds: float = Field(description="the worst of a tick, as all games told last")
    journal_free_bytes: int = Field(description="room on the journal's disk; 0: full, or it can't be used")


class Readiness(_Answer):
    """Whether new games can be played and kept."""

    ready: bool
    parts: list[ComponentStatus]
    ages: UploadAges
