"""The message that assigns a game to a game process, and the part of it that a session needs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from skill_arcade.agents.catalogue import Agent
from skill_arcade.games.manifest import Manifest


class DailyAssignment(BaseModel):
    """The daily challenge that is played: its day (ISO 8601) and the seed, which the page does not learn."""

    model_config = ConfigDict(frozen=True)

    day: str
    seed: int


class Ghost(BaseModel):
    """A recorded episode that the page shows while the player plays.

    `seed` is the seed of that episode, with which each episode of the session starts. It is None if the settings of the
    two differ; seeds are then drawn as usual.
    """

    model_config = ConfigDict(frozen=True)

    episode: UUID
    seed: int | None

    def describe(self) -> dict[str, str]:
        """Describe the ghost for the provenance of an episode (rule R18)."""
        seed: Literal["same", "drawn"] = "drawn" if self.seed is None else "same"
        return {"episode": str(self.episode), "seed": seed}


class StudyAssignment(BaseModel):
    """The trial of a study that is played, and its seed. `describe` is in the provenance of its episode."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    arm: str
    sequence: int | None
    """Row of the Williams square of counterbalanced stages, or None."""
    stage: str
    trial: int
    attempt: int
    """Number of earlier attempts at the trial."""
    practice: bool
    seed: int
    input_delay_ms: float = 0
    """Time by which inputs act later (rule I4)."""
    frame_delay_ms: float = 0
    """Time by which pictures are sent later (rule F8)."""
    sound: bool | None = None
    """Whether the trial has sound (rule F9), or None if the participant chooses."""
    ghost: bool = False
    """Whether the page shows the participant's last game of the stage, once there is one."""
    lockstep: bool = False
    """Whether the page may step the game itself."""

    def describe(self) -> dict[str, Any]:
        """Describe the trial for the provenance of its episode."""
        return self.model_dump(mode="json", exclude={"seed"})


class PlayConsent(BaseModel):
    """What the player allows: the consent (None for a program), whether to record, and whether others may watch.

    `study` is the study whose document the player answered, or None for the arcade's.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID | None = None
    is_recorded: bool = True
    is_watchable: bool = True
    study: str | None = None
    is_program: bool = False
    """The player is a program, which may start episodes as rule O24 says."""


class RecordedInput(BaseModel):
    """An input of a lockstep episode, as it was latched before a step; without a control, all were released."""

    model_config = ConfigDict(frozen=True)

    step: int
    control: str | None
    down: bool
    at_us: int
    received_us: int
    frame: int | None


class RecordedSteps(BaseModel):
    """Steps that a game process repeats from the seed and the actions, and what they must lead to."""

    model_config = ConfigDict(frozen=True)

    seed: int
    actions: list[int]
    environment: dict[str, Any]
    """Description of the environment in which the steps were taken."""
    score: float
    picture_sha256: str | None
    """Digest of the picture of the last observation, by `digest_picture`; None: none is stored."""
    lockstep_inputs: list[RecordedInput] | None = None
    """Inputs of an episode that is continued in lockstep, from which its actions follow; None: it is streamed."""


class Branch(RecordedSteps):
    """A frame of a recorded episode, the parent, from which a new episode begins (rule R31).

    The steps are those from the reset of the first episode of the line, the root, to that frame.
    """

    parent: UUID
    step: int
    """Number of steps of the parent before the frame."""
    root: UUID

    def describe(self) -> dict[str, Any]:
        """Describe the branch for the provenance of its episode."""
        return {
            "kind": "play-from-here",
            "parent": str(self.parent),
            "step": self.step,
            "root": str(self.root),
            "root_step": len(self.actions),
            "score": self.score,
        }


class ResumedEpisode(RecordedSteps):
    """An episode of another server, which a game process continues after it has repeated its steps (rule R28)."""

    id: UUID
    fence: int
    """Fence of the lease under which it is continued."""
    provenance: dict[str, Any]
    started_wall_us: int
    started_us: int
    """Start of the episode on the monotonic clock of this machine, on which it had not begun."""
    n_segments: int
    n_events: int
    before: str | None
    """Key of the last observation; None: nothing of the episode is stored."""
    server_before: UUID | None
    is_whole: bool
    """False: the server before did not hand the episode over, so that its last steps may be lost."""

    tail: str = ""
    """Records of segments that the server before has shipped (rule R34) and not uploaded, in base64. They follow the
    stored steps."""
    is_over: bool = False
    """The episode ends after its last recorded step, because its server was lost and nobody plays it."""

    def describe_server_before(self) -> str | None:
        """Return the server before as text, or None if it is unknown."""
        return None if self.server_before is None else str(self.server_before)


@dataclass(frozen=True, slots=True)
class GameRequest:
    """The game that a player asks for, and all that it is played with."""

    game: Manifest
    options: dict[str, str] = field(default_factory=dict)
    """Option values that the player chose, as `Manifest.choose` takes them."""
    lockstep_module: str | None = None
    """SHA-256 of the emulator that pages can load, or None if the game is streamed."""
    daily: DailyAssignment | None = None
    ghost: Ghost | None = None
    """Episode that the page shows meanwhile, or None."""
    study: StudyAssignment | None = None
    branch: Branch | None = None
    """Frame of a recorded episode from which it is played, or None."""
    agent: str | None = None
    """Name of the agent that plays until the person takes over (rule O38), or None."""
    consent: PlayConsent = field(default_factory=PlayConsent)
    """What the player allows. The default records without a consent, as for programs."""


class GameAssignment(BaseModel):
    """A player, a game, and where and how to record; sent to a game process as JSON."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    game: Manifest
    manifest_hash: str
    journal_folder: Path
    segment_seconds: float
    resume_seconds: float
    commit: str | None = None
    server_id: UUID | None = None
    """Server that plays the game, or None outside of a server."""
    options: dict[str, str] = {}
    """Option values that the player chose. They are already applied to `game`."""
    ghost: Ghost | None = None
    lockstep_module: str | None = None
    """SHA-256 of the emulator module that pages can load, or None if every game is streamed."""
    daily: DailyAssignment | None = None
    study: StudyAssignment | None = None
    branch: Branch | None = None
    """Frame of a recorded episode with which each episode of the session begins, or None."""
    agent: str | None = None
    """Name of the agent that plays until the person takes over (rule O38), or None."""
    consent: PlayConsent = PlayConsent()
    resumed: ResumedEpisode | None = None
    """Episode of another server with which the session begins, or None."""

    def fulfils(self, request: GameRequest) -> bool:
        """Whether a game with this assignment is the one that its player asks for."""
        names = ("options", "daily", "ghost", "study", "branch", "agent", "consent")
        is_same = all(getattr(self, name) == getattr(request, name) for name in names)
        return is_same and self.game.id == request.game.id

    @property
    def can_move(self) -> bool:
        """Whether another server may continue an episode of it: recorded, of no study and no day, no branch (O29).

        An agent does not move, because what it remembers does not.
        """
        is_plain = self.daily is None and self.study is None and self.branch is None and self.agent is None
        return self.consent.is_recorded and is_plain


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """The player and the server settings that a session needs."""

    user_id: str
    provenance: dict[str, Any]
    segment_us: int
    resume_us: int
    lockstep_module: str | None = None
    seed: int | None = None
    """Seed of every episode of this session, or None if each episode draws its own."""
    is_single_episode: bool = False
    """Only one episode can be started, as in the daily challenge, or a trial of a study."""
    ghost: Ghost | None = None
    branch: Branch | None = None
    """Frame with which each episode of this session begins, or None."""
    agent: Agent | None = None
    """Agent that plays until the person takes over, or None."""
    input_delay_us: int = 0
    frame_delay_us: int = 0
    sound: bool | None = None
    """Whether the game has sound (rule F9), or None if the client chooses."""
    consent: PlayConsent = field(default_factory=PlayConsent)
