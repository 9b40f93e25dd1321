"""Request and response models of the HTTP API.

Response fields have no defaults, so that no field is optional in generated types.
"""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from skill_arcade.export.formats import FormatName
from skill_arcade.wire.messages import NO_NUL
from skill_arcade.wire.numbers import Score


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(_Answer):
    """Body of every error response."""

    error: str = Field(description="name of the error class, for programs")
    message: str = Field(description="what failed, why, and what to do")


class EmailMethod(_Answer):
    """Users sign in with an e-mail address and no password."""

    method: Literal["email"]


class FirebaseMethod(_Answer):
    """Sign-in uses Firebase Authentication; send the Firebase ID token. All fields are public."""

    method: Literal["firebase"]
    project_id: str
    api_key: str
    providers: list[Literal["google", "email-link", "anonymous"]] = Field(
        description="sign-in providers in the order in which to offer them"
    )
    google_client_id: str | None = Field(description="OAuth client id of the page; null if Google is not offered")
    emulator: str | None = Field(description="URL of the Firebase emulator; null for Google's service")


LoginMethod = Annotated[EmailMethod | FirebaseMethod, Field(discriminator="method")]


class EmailSignIn(_Body):
    """Sign in with the method `email`."""

    email: str = Field(max_length=320)


class FirebaseSignIn(_Body):
    """Sign in with the method `firebase`."""

    id_token: str = Field(max_length=8192, description="ID token of the Firebase SDK")


class LoginResult(_Answer):
    """A session token for the `Authorization: Bearer` header, and its user."""

    token: str
    user_id: str
    email: str | None = Field(description="null for a guest")
    roles: list[Literal["researcher", "admin"]]
    expires_at: datetime


class Me(_Answer):
    """The user of a session token."""

    user_id: str
    email: str | None = Field(description="null for a guest")
    roles: list[Literal["researcher", "admin"]]


class RealTimePace(_Answer):
    """The game takes `hz` steps per second by itself."""

    kind: Literal["real-time"]
    hz: float


class TurnBasedPace(_Answer):
    """The game takes a step at each key press."""

    kind: Literal["turn-based"]


class GameControl(_Answer):
    """A control, and its default keys."""

    name: str
    label: str
    keys: list[str] = Field(description="KeyboardEvent.code values")


class GameAction(_Answer):
    """The action of controls that are held together."""

    press: list[str]
    action: int
    label: str | None


class GameDisplay(_Answer):
    """Display settings: the picture's shape and scaling, and what is shown beside it."""

    score: bool
    lives: str | None = Field(description="key of `info` that counts lives; null if the game has none")
    text: str | None = Field(description="part of the observation, or key of `info`, that is shown as text; or null")
    pixel_aspect: float = Field(description="width of a pixel divided by its height")
    smooth: bool = Field(description="scale with smoothing instead of sharp pixels")


class GameAxisControl(_Answer):
    """Controls that an analogue stick or the mouse presses at each step of deflection; null if a direction has none."""

    left: list[list[str]] | None
    right: list[list[str]] | None
    up: list[list[str]] | None
    down: list[list[str]] | None


class GameOption(_Answer):
    """An option that a player may choose before the start. If it is not chosen, the game's default applies."""

    name: str
    label: str
    values: list[str]


class Game(_Answer):
    """A game that can be played on this server."""

    id: str
    name: str
    summary: str
    pace: Annotated[RealTimePace | TurnBasedPace, Field(discriminator="kind")]
    controls: list[GameControl]
    actions: list[GameAction]
    steer: GameAxisControl | None = Field(description="null if the controls are buttons only")
    options: list[GameOption]
    show: GameDisplay
    tags: list[str]
    cover: str | None = Field(description="path of the cover; null if the game has none")
    preview: str | None = Field(description="path of the animated preview; null if the game has none")


class TicketRequest(_Body):
    """Request a play ticket for a game."""

    game_id: str = Field(max_length=100)


class Ticket(_Answer):
    """A ticket that opens one play socket of one game."""

    ticket: str
    expires_at: datetime


class PlayedEpisode(_Answer):
    """One of the user's own episodes."""

    id: UUID
    game_id: str
    game_name: str
    status: Literal["incomplete", "won", "lost"]
    score: Score
    n_steps: int
    end_reason: str | None
    options: dict[str, str] = Field(description="option values that the player chose")
    time_created: datetime
    time_ended: datetime | None
    certificate: Literal["certified", "mismatch", "irreproducible", "damaged"] | None = Field(
        description="result of the newest re-run; null if there is none yet"
    )


class RecordedSegment(_Answer):
    """A segment of an episode, some seconds long, that has been uploaded."""

    number: int
    first_step: int
    n_steps: int
    n_frames: int = Field(description="0 if the picture did not change")
    n_bytes: int
    frames: str | None = Field(description="path of its frames (APNG); null if it has none")
    observations: str | None = Field(description="path of its observations (NPZ); null if they are the frames")


class RecordedEpisode(_Answer):
    """The recording of an episode as uploaded so far."""

    id: UUID
    user_id: str
    game_id: str
    game_name: str
    seed: int
    status: Literal["incomplete", "won", "lost"]
    score: Score
    n_steps: int
    end_reason: str | None
    time_created: datetime
    time_ended: datetime | None
    segments: list[RecordedSegment]


class OwnExportRequest(_Body):
    """Request an export of the user's own episodes."""

    format: FormatName


class ExportRequest(_Body):
    """Request an export of ended episodes of all players, for researchers."""

    format: FormatName
    games: list[Annotated[str, Field(max_length=100, pattern=NO_NUL)]] = Field(
        max_length=500, description="ids of games; empty for all"
    )
    certified: bool = Field(description="only episodes that are certified")
    min_steps: int = Field(ge=0, le=1_000_000_000, description="minimum number of steps of an episode")
    since: date | None = Field(description="first day on which episodes started, UTC")
    until: date | None = Field(description="last day on which episodes started, UTC")


class ExportTicket(_Answer):
    """An export that is generated while it is downloaded. Anyone who has its URL can download it until it expires."""

    address: str = Field(description="path from which to download a ZIP")
    progress: str = Field(description="path from which to read the progress")
    episodes: int
    steps: int
    players: int
    expires_at: datetime


class ExportProgress(_Answer):
    """Progress of a download. The state is `unknown` if another server may be generating it."""

    state: Literal["unknown", "making", "done", "failed"]
    episodes: int = Field(description="episodes that are written")
    of: int = Field(description="episodes in total")
    bytes: int = Field(description="bytes that were sent")
    message: str = Field(
        description="why the export failed or, if it is done, which episodes were left out and why; otherwise empty"
    )


class PlayedGame(_Answer):
    """Totals of the ended episodes of a game, of all players."""

    game_id: str
    game_name: str
    episodes: int
    players: int
    steps: int
    hours: float
    certified: int = Field(description="number of certified episodes")


NO_NUL = r"^[^\x00]*$"  # Postgres cannot store the character NUL
Name = Annotated[str, Field(max_length=100, pattern=NO_NUL)]
Word = Annotated[str, Field(max_length=40, pattern=NO_NUL)]


class Preferences(_Body):
    """A user's preferences, stored with the account and applied on all devices."""

    keys: Annotated[
        dict[Name, dict[Word, Annotated[list[Word], Field(max_length=8)]]],
        Field(max_length=500, description="by game: the controls whose keys the player changed, and their keys"),
    ]
    hand: Literal["right", "left"] = Field(description="hand that has the buttons of the touch controls")
    haptics: bool = Field(description="vibration, where the device supports it")
    sound: bool = Field(description="sound is on; it is off by default")
    volume: Annotated[int, Field(ge=0, le=100, description="volume in percent")]
    gauge: bool = Field(description="show latency and FPS")
    favourites: list[Name] = Field(max_length=1000, description="ids of favourite games")
    options: Annotated[
        dict[Name, dict[Word, Name]],
        Field(max_length=500, description="by game: the option values that were chosen last"),
    ]


class GameSummary(_Answer):
    """The user's totals in one game."""

    game_id: str
    game_name: str
    episodes: int
    won: int
    steps: int
    seconds: float = Field(description="play time: sum of all episodes from start to end")
    best: Score | None = Field(description="best score of a certified episode, not NaN; null if there is none yet")
    last_played: datetime


class PlaySummary(_Answer):
    """The user's totals, overall and by game. The most recently played game is first."""

    episodes: int
    certified: int = Field(description="number of certified episodes")
    won: int
    steps: int
    seconds: float
    games: list[GameSummary]


class ErasureRequest(_Body):
    """Erase the account and all of its recordings."""

    word: str = Field(max_length=40, description="`erase`, typed by the user as a confirmation")


class ErasureResult(_Answer):
    """The account is closed: its tokens are invalid and nothing more is recorded."""

    finished: bool = Field(description="everything is erased; if false, the rest is erased in the background")
    episodes: int = Field(description="episodes erased so far")
    steps: int = Field(description="steps erased so far")


class PageConfig(_Answer):
    """Configuration that the page loads first, so that one build works in every deployment."""

    apiUrl: str | None = Field(description="origin of the API and the play socket; null if it is the page's own")
    release: str


class Liveness(_Answer):
    """The server process responds."""

    status: Literal["alive"]


class ComponentStatus(_Answer):
    """Status of a component that playing needs."""

    name: Literal["database", "objects", "journal"]
    ready: bool
    message: str


class UploadAges(_Answer):
    """Delays of the uploads and of the game loop."""

    oldest_pending_seconds: float = Field(
        description="age of the oldest segment that waits for upload; 0 if none waits"
    )
    last_upload_seconds: float | None = Field(description="time since the last upload; null if there was none yet")
    tick_lateness_seconds: float = Field(description="greatest lateness of a tick in the last report of all games")
    journal_free_bytes: int = Field(description="free bytes on the journal's disk; 0 if it is full or unusable")


class Readiness(_Answer):
    """Whether new games can be played and recorded."""

    ready: bool
    parts: list[ComponentStatus]
    ages: UploadAges
