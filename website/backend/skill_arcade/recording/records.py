"""Records of the journal, to bytes and back.

Records that are made at every tick are NamedTuples: creating a frozen dataclass takes several times as long
(decision 0004).
"""

import json
import struct
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from skill_arcade.frames.encoder import EncodedFrame

_STEP = struct.Struct("<IqdBqiqqiq")
_PIECE = struct.Struct("<BHHHHHI")
_SHOWN = struct.Struct("<Iq")
_NONE = -1
_KEY, _TRUE_COLOUR = 1, 2
_TERMINATED, _TRUNCATED = 1, 2
_LATE_NONE = -(2**31)


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """First record of every segment: the episode, its player and game, and everything that a re-run needs.

    `before` is the obs_key of the observation on which the segment's first step acts. It is None in segment 0, which
    holds that observation itself.
    """

    episode_id: UUID
    number: int
    first_step: int
    first_event: int
    user_id: str
    game_id: str
    seed: int
    width: int
    height: int
    true_colour: bool
    frame_ms: int
    started_wall_us: int
    started_us: int
    before: str | None = None
    leaves: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    reset_info: dict[str, Any] = field(default_factory=dict)

    def pack(self) -> bytes:
        """Return the record as JSON."""
        return _dumps({**asdict(self), "episode_id": str(self.episode_id)})

    @classmethod
    def unpack(cls, body: bytes) -> "SegmentHeader":
        """Parse the record."""
        fields = json.loads(body)
        return cls(**{**fields, "episode_id": UUID(fields["episode_id"])})


class RecordedFrame(NamedTuple):
    """One observation: its encoded frame, and the observation's bytes if the frame is not the observation."""

    encoded: EncodedFrame
    observation: bytes = b""

    def pack(self) -> bytes:
        """Return the record as bytes."""
        piece = self.encoded
        flags = (_KEY if piece.key else 0) | (_TRUE_COLOUR if piece.true_colour else 0)
        head = _PIECE.pack(flags, piece.x, piece.y, piece.width, piece.height, len(piece.palette), len(piece.data))
        return b"".join((head, piece.palette, piece.data, self.observation))

    @classmethod
    def unpack(cls, body: bytes) -> "RecordedFrame":
        """Parse the record."""
        flags, x, y, width, height, n_palette, n_data = _PIECE.unpack_from(body)
        data = _PIECE.size + n_palette
        piece = EncodedFrame(
            bool(flags & _KEY),
            bool(flags & _TRUE_COLOUR),
            x,
            y,
            width,
            height,
            body[_PIECE.size : data],
            body[data : data + n_data],
        )
        return cls(piece, body[data + n_data :])


class ActiveInput(NamedTuple):
    """The newest input that the action of a step follows from. Times are in microseconds.

    `at_us` is on the browser clock, `received_us` on the server's monotonic clock since the episode's start. `frame` is
    the index of the observation on the screen at that moment, None if there was none.
    """

    at_us: int
    received_us: int
    frame: int | None


class RecordedStep(NamedTuple):
    """One step: a transition with its times, and the observation that it led to.

    `server_us` is when the step began, since the episode's start. `late_us` is the time after its deadline, None if it
    had none. `info` is None if it is the same as in the step before. `stepped_us` is when the page took the step,
    browser clock, None if the episode is streamed.
    """

    step: int
    action: int
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any] | None
    server_us: int
    late_us: int | None
    input: ActiveInput | None
    frame: RecordedFrame
    stepped_us: int | None = None

    def pack(self) -> bytes:
        """Return the record as bytes."""
        source = self.input
        head = _STEP.pack(
            self.step,
            self.action,
            self.reward,
            (_TERMINATED if self.terminated else 0) | (_TRUNCATED if self.truncated else 0),
            self.server_us,
            _LATE_NONE if self.late_us is None else self.late_us,
            _NONE if source is None else source.at_us,
            _NONE if source is None else source.received_us,
            _NONE if source is None or source.frame is None else source.frame,
            _NONE if self.stepped_us is None else self.stepped_us,
        )
        info = b"" if self.info is None else _dumps(self.info)
        return b"".join((head, struct.pack("<I", len(info)), info, self.frame.pack()))

    @classmethod
    def unpack(cls, body: bytes) -> "RecordedStep":
        """Parse the record."""
        step, action, reward, flags, server_us, late_us, at_us, received_us, frame, stepped_us = _STEP.unpack_from(body)
        (n_info,) = struct.unpack_from("<I", body, _STEP.size)
        start = _STEP.size + 4
        return cls(
            step,
            action,
            reward,
            bool(flags & _TERMINATED),
            bool(flags & _TRUNCATED),
            json.loads(body[start : start + n_info]) if n_info else None,
            server_us,
            None if late_us == _LATE_NONE else late_us,
            None if at_us == _NONE else ActiveInput(at_us, received_us, None if frame == _NONE else frame),
            RecordedFrame.unpack(body[start + n_info :]),
            None if stepped_us == _NONE else stepped_us,
        )


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that is no step. `server_us` counts from the episode's start; `client_us` is on the browser clock."""

    number: int
    kind: str
    server_us: int
    step: int
    client_us: int | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def pack(self) -> bytes:
        """Return the record as JSON."""
        return _dumps(asdict(self))

    @classmethod
    def unpack(cls, body: bytes) -> "RecordedEvent":
        """Parse the record."""
        return cls(**json.loads(body))


@dataclass(frozen=True, slots=True)
class EpisodeEnd:
    """End of an episode. `status` is won, lost or incomplete; `ended_us` counts from the episode's start.

    `score` is None if the game process died; the score is then the sum of the recorded rewards.
    """

    status: str
    reason: str
    score: float | None
    n_steps: int
    ended_us: int

    def pack(self) -> bytes:
        """Return the record as JSON."""
        return _dumps(asdict(self))

    @classmethod
    def unpack(cls, body: bytes) -> "EpisodeEnd":
        """Parse the record."""
        return cls(**json.loads(body))


def pack_shown(frames: list[tuple[int, int]]) -> bytes:
    """Pack paint times: (observation index, browser clock in microseconds)."""
    return b"".join(_SHOWN.pack(*frame) for frame in frames)


def unpack_shown(body: bytes) -> list[tuple[int, int]]:
    """Parse what `pack_shown` packed."""
    return [(frame, at_us) for frame, at_us in _SHOWN.iter_unpack(body)]


def _dumps(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=_plain).encode()


def _plain(value: Any) -> Any:
    """Return NumPy scalars and arrays as JSON values."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")
