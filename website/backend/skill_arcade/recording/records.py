"""Records of the journal, to bytes and back.

Records that are made at every tick are NamedTuples: creating a frozen dataclass takes several times as long
(decision 0004).
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple
from uuid import UUID

from skill_arcade.frames.encoder import EncodedFrame

_STEP = struct.Struct("<IqdBqiqqiq")
_INFO_SIZE = struct.Struct("<I")
_FRAME = struct.Struct("<BHHHHHI")
_NO_FRAME = bytes(_FRAME.size)
_SHOWN = struct.Struct("<Iq")
_NONE = -1
_KEY, _TRUE_COLOUR = 1, 2
_TERMINATED, _TRUNCATED = 1, 2
_LATE_NONE = -(2**31)


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """First record of every segment: the episode, its player and game, and everything that a re-run needs.

    `before` is the obs_key of the observation on which the segment's first step acts. It is None in segment 0, which
    holds that observation itself. `fence` is that of the lease under which the server continued the episode, 0 for the
    server that began it (rule R27).
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
    fence: int = 0

    def pack(self) -> bytes:
        """Return the record as JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # `asdict` would copy all of them
        return _dumps({**values, "episode_id": str(self.episode_id)})

    @classmethod
    def unpack(cls, body: bytes) -> "SegmentHeader":
        """Parse the record."""
        fields = json.loads(body)
        return cls(**{**fields, "episode_id": UUID(fields["episode_id"])})


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
    had none. `info` is JSON, None if it is the same as in the step before; nothing parses it on its way to the
    database. `observation` is empty if the picture is the observation. `stepped_us` is when the page took the step,
    browser clock, None if the episode is streamed.
    """

    step: int
    action: int
    reward: float
    terminated: bool
    truncated: bool
    info: bytes | None
    server_us: int
    late_us: int | None
    input: ActiveInput | None
    encoded: EncodedFrame
    observation: bytes = b""
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
        info = self.info or b""
        return b"".join((head, _INFO_SIZE.pack(len(info)), info, *_frame_parts(self.encoded, self.observation)))

    @classmethod
    def unpack(cls, body: bytes) -> "RecordedStep":
        """Parse the record."""
        step, action, reward, flags, server_us, late_us, at_us, received_us, frame, stepped_us = _STEP.unpack_from(body)
        (n_info,) = _INFO_SIZE.unpack_from(body, _STEP.size)
        start = _STEP.size + _INFO_SIZE.size
        return cls(
            step,
            action,
            reward,
            bool(flags & _TERMINATED),
            bool(flags & _TRUNCATED),
            body[start : start + n_info] or None,
            server_us,
            None if late_us == _LATE_NONE else late_us,
            None if at_us == _NONE else ActiveInput(at_us, received_us, None if frame == _NONE else frame),
            *unpack_frame(body[start + n_info :]),
            None if stepped_us == _NONE else stepped_us,
        )


def strip_step(body: bytes) -> bytes:
    """Return the record of a step without its picture and observation."""
    (n_info,) = _INFO_SIZE.unpack_from(body, _STEP.size)
    return body[: _STEP.size + _INFO_SIZE.size + n_info] + _NO_FRAME


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
        return _dumps({name: getattr(self, name) for name in self.__slots__})

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


def pack_frame(encoded: EncodedFrame, observation: bytes) -> bytes:
    """Pack an encoded frame and, if the picture is not the observation, the observation."""
    return b"".join(_frame_parts(encoded, observation))


def _frame_parts(encoded: EncodedFrame, observation: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    key, true_colour, x, y, width, height, palette, data = encoded
    flags = (_KEY if key else 0) | (_TRUE_COLOUR if true_colour else 0)
    return _FRAME.pack(flags, x, y, width, height, len(palette), len(data)), palette, data, observation


def unpack_frame(body: bytes) -> tuple[EncodedFrame, bytes]:
    """Parse what `pack_frame` packed."""
    flags, x, y, width, height, n_palette, n_data = _FRAME.unpack_from(body)
    data = _FRAME.size + n_palette
    end = data + n_data
    encoded = EncodedFrame(
        bool(flags & _KEY), bool(flags & _TRUE_COLOUR), x, y, width, height, body[_FRAME.size : data], body[data:end]
    )
    return encoded, body[end:]


def pack_info(info: Mapping[str, Any]) -> bytes:
    """Return the `info` of a step as JSON."""
    return _dumps(info)


def pack_shown(frames: list[tuple[int, int]]) -> bytes:
    """Pack paint times: (observation index, browser clock in microseconds)."""
    return b"".join(_SHOWN.pack(*frame) for frame in frames)


def unpack_shown(body: bytes) -> list[tuple[int, int]]:
    """Parse what `pack_shown` packed."""
    return [(frame, at_us) for frame, at_us in _SHOWN.iter_unpack(body)]


def _dumps(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


def _plain(value: Any) -> Any:
    """Return NumPy scalars and arrays as JSON values."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON value")


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_plain)
