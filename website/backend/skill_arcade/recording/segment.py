"""Reads segments of the journal, and recovers the segments of game processes that died."""

import logging
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path

from skill_arcade.errors import JournalDamaged
from skill_arcade.frames.encoder import EncodedFrame
from skill_arcade.recording.framing import RecordKind, frame_record, is_corrupt, repair_single_bit, split_records
from skill_arcade.recording.journal import NEW, OPEN, RESERVE_NAME, lock_episode, seal_file, write_all
from skill_arcade.recording.records import (
    EpisodeEnd,
    RecordedEvent,
    RecordedStep,
    SegmentHeader,
    unpack_frame,
    unpack_shown,
)

DAMAGED_SUFFIX = ".damaged"
HANDED_OVER = "handed-over"
"""Kind of the last event of a server that has let an episode go, so that another one can continue it (rule R26)."""
SERVER_LOST = "server-lost"
"""Reason of the end of an episode whose server was lost."""
SERVER_STOPPED = "server-stopped"
"""Reason of the end of an episode whose server stopped in order."""
_SEAL = frame_record(RecordKind.SEAL)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Segment:
    """Content of one segment. `reset` is only in segment 0, `end` only in the last segment."""

    header: SegmentHeader
    reset: tuple[EncodedFrame, bytes] | None = None
    """Frame of observation 0, and the observation's bytes."""
    steps: list[RecordedStep] = field(default_factory=list)
    shown: list[tuple[int, int]] = field(default_factory=list)
    events: list[RecordedEvent] = field(default_factory=list)
    end: EpisodeEnd | None = None
    sealed: bool = False

    @property
    def is_handed_over(self) -> bool:
        """Whether the segment is the last one of its server, and another server may continue the episode."""
        return self.end is None and bool(self.events) and self.events[-1].kind == HANDED_OVER

    @property
    def provisional_end(self) -> EpisodeEnd | None:
        """The end of an episode whose server let it go because it stopped, until a server continues it (rule R33)."""
        if not self.is_handed_over or (reason := self.events[-1].data.get("end_reason")) is None:
            return None
        last = self.events[-1]
        return EpisodeEnd("incomplete", reason, None, last.step, last.server_us)

    @property
    def frames(self) -> list[EncodedFrame]:
        """Frames in order: frame i of the segment's object is `frames[i]`."""
        return ([self.reset[0]] if self.reset else []) + [step.encoded for step in self.steps]

    @property
    def observations(self) -> list[bytes]:
        """Bytes of the observations in the order of `frames`; empty where the picture is the observation."""
        return ([self.reset[1]] if self.reset else []) + [step.observation for step in self.steps]


def read_segment(path: Path, data: bytes | None = None) -> Segment:
    """Read a sealed segment, from `data` if it is given. One flipped bit is repaired (rule R6).

    Raises:
        JournalDamaged: a record is missing, incomplete or corrupt.
    """
    data, segment, whole = _read_with_repair(path, data)
    if segment is None or not segment.sealed or whole != len(data):
        raise JournalDamaged(f"{path} is corrupt after byte {whole} of {len(data)}; it was set aside and not uploaded")
    return segment


def parse_segment(data: bytes) -> tuple[Segment | None, int]:
    """Return the whole records of a journal file and their length in bytes. None if there is no readable header."""
    segment: Segment | None = None
    whole = 0
    for kind, body, end in split_records(data):
        if segment is None:
            if kind is not RecordKind.HEADER:
                break
            segment = Segment(SegmentHeader.unpack(body))
        elif segment.sealed:
            break
        else:
            add_record(segment, kind, body)
        whole = end
    return segment, whole


def _read_with_repair(path: Path, data: bytes | None = None) -> tuple[bytes, Segment | None, int]:
    """Return the content and what `parse_segment` makes of it. A bit is repaired if only one repair is consistent."""
    data = path.read_bytes() if data is None else data
    segment, whole = parse_segment(data)
    if whole == len(data):
        return data, segment, whole
    repairs = [repair for repair in repair_single_bit(data, whole) if _is_consistent(repair, whole)]
    if len(repairs) != 1:
        return data, segment, whole
    log.warning("repaired one flipped bit path=%s after_byte=%d", path, whole)
    return repairs[0], *parse_segment(repairs[0])


def _is_consistent(data: bytes, whole: int) -> bool:
    """Return whether a repaired record has a valid kind and fits its neighbours."""
    try:
        segment, end = parse_segment(data)
    except (ValueError, TypeError, struct.error, JournalDamaged):
        return False
    if segment is None or end <= whole:
        return False
    first = segment.header.first_step
    in_order = [step.step for step in segment.steps] == list(range(first, first + len(segment.steps)))
    return (
        in_order and (segment.reset is None or segment.header.number == 0) and (not segment.sealed or end == len(data))
    )


def add_record(segment: Segment, kind: RecordKind, body: bytes) -> None:
    """Add a record to the segment that it belongs to."""
    match kind:
        case RecordKind.RESET:
            segment.reset = unpack_frame(body)
        case RecordKind.STEP:
            segment.steps.append(RecordedStep.unpack(body))
        case RecordKind.SHOWN:
            segment.shown += unpack_shown(body)
        case RecordKind.EVENT:
            segment.events.append(RecordedEvent.unpack(body))
        case RecordKind.END:
            segment.end = EpisodeEnd.unpack(body)
        case RecordKind.SEAL:
            segment.sealed = True
        case RecordKind.HEADER:
            raise JournalDamaged(
                f"episode {segment.header.episode_id}: a second header in segment {segment.header.number}"
            )


def recover_abandoned(folder: Path, cause: str | None = None) -> bool:
    """Finish the segments that a dead game process left open: cut a torn tail, write an end, seal. Idempotent.

    `cause`, if known, is recorded as an event `crash` before the end.

    Returns False, and changes nothing, while a live process holds the episode's lock.

    Raises:
        JournalDamaged: an open segment has no header; it was set aside.
        OSError: the disk is full or cannot be written.
    """
    lock = lock_episode(folder)
    if lock is None:
        return False
    try:
        for leftover in (*folder.glob(f"*{NEW}"), folder / RESERVE_NAME):
            leftover.unlink(missing_ok=True)
        open_files = sorted(folder.glob(f"*{OPEN}"))
        for path in open_files:
            _finish(path, cause, last=path == open_files[-1])
    finally:
        os.close(lock)
    return True


def _finish(path: Path, cause: str | None, *, last: bool) -> None:
    data, segment, whole = _read_with_repair(path)
    if segment is None:
        aside = path.rename(path.with_suffix(DAMAGED_SUFFIX))
        raise JournalDamaged(f"{path} has no readable header; it was set aside as {aside.name}")
    if whole < len(data) and is_corrupt(data, whole):
        path.with_suffix(DAMAGED_SUFFIX).write_bytes(data)
        log.error("journal file is corrupt, original kept path=%s after_byte=%d bytes=%d", path, whole, len(data))
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    if data[:whole] != path.read_bytes()[:whole]:
        os.pwrite(file, data[:whole], 0)
    os.ftruncate(file, whole - len(_SEAL) if segment.sealed else whole)
    os.lseek(file, 0, os.SEEK_END)
    if (
        last and segment.end is None and not segment.sealed
    ):  # a seal record without an end record: another segment follows
        end = _synthetic_end(segment)
        if cause is not None:
            number = segment.header.first_event + len(segment.events)
            crash = RecordedEvent(number, "crash", end.ended_us, end.n_steps, None, {"error": cause})
            write_all(file, frame_record(RecordKind.EVENT, crash.pack()))
        write_all(file, frame_record(RecordKind.END, end.pack()))
    write_all(file, _SEAL)
    seal_file(file, path)


def _synthetic_end(segment: Segment) -> EpisodeEnd:
    last = segment.steps[-1] if segment.steps else None
    n_steps = last.step + 1 if last else segment.header.first_step
    return EpisodeEnd("incomplete", "crashed", None, n_steps, last.server_us if last else 0)
