"""Read a segment of the journal back, and mend what a killed game left."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from skill_arcade.errors import JournalDamaged
from skill_arcade.recording.framing import Kind, frame_record, split_records
from skill_arcade.recording.journal import OPEN, lock_episode, seal_file, write_all
from skill_arcade.recording.records import End, EventRecord, Head, Shot, Step, unpack_shown

_SEAL = frame_record(Kind.SEAL)


@dataclass(slots=True)
class Segment:
    """What one segment holds. `reset` is in segment 0 only; `end` in the last one only."""

    head: Head
    reset: Shot | None = None
    steps: list[Step] = field(default_factory=list)
    shown: list[tuple[int, int]] = field(default_factory=list)
    events: list[EventRecord] = field(default_factory=list)
    end: End | None = None
    sealed: bool = False

    @property
    def shots(self) -> list[Shot]:
        """The observations in it, in order: frame i of its object is shots[i]."""
        return ([self.reset] if self.reset else []) + [step.shot for step in self.steps]


def read_segment(path: Path) -> Segment:
    """Read a sealed segment. Raises JournalDamaged when it is not whole."""
    data = path.read_bytes()
    segment, whole = parse_segment(data)
    if segment is None or not segment.sealed or whole != len(data):
        raise JournalDamaged(f"{path} is damaged after byte {whole} of {len(data)}; it is set aside, not delivered")
    return segment


def parse_segment(data: bytes) -> tuple[Segment | None, int]:
    """The whole records of a journal file, and how many bytes they take. None: not even a head."""
    segment: Segment | None = None
    whole = 0
    for kind, body, end in split_records(data):
        if segment is None:
            if kind is not Kind.HEAD:
                break
            segment = Segment(Head.unpack(body))
        elif segment.sealed:
            break
        else:
            _add(segment, kind, body)
        whole = end
    return segment, whole


def _add(segment: Segment, kind: Kind, body: bytes) -> None:
    match kind:
        case Kind.RESET:
            segment.reset = Shot.unpack(body)
        case Kind.STEP:
            segment.steps.append(Step.unpack(body))
        case Kind.SHOWN:
            segment.shown += unpack_shown(body)
        case Kind.EVENT:
            segment.events.append(EventRecord.unpack(body))
        case Kind.END:
            segment.end = End.unpack(body)
        case Kind.SEAL:
            segment.sealed = True
        case Kind.HEAD:
            raise JournalDamaged(f"episode {segment.head.episode_id}: a second head in segment {segment.head.number}")


def adopt_orphan(folder: Path) -> bool:
    """Finish what a dead game left open: cut a torn tail, write an end, seal. Repeating it is harmless.

    Returns False, and touches nothing, while a live process holds the episode.
    """
    lock = lock_episode(folder)
    if lock is None:
        return False
    try:
        for unborn in folder.glob("*.new"):
            unborn.unlink()
        left = sorted(folder.glob(f"*{OPEN}"))
        for path in left:
            _finish(path, last=path == left[-1])
    finally:
        os.close(lock)
    return True


def _finish(path: Path, *, last: bool) -> None:
    segment, whole = parse_segment(path.read_bytes())
    if segment is None:
        raise JournalDamaged(f"{path} has no head; an open segment always has one")
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    os.ftruncate(file, whole - len(_SEAL) if segment.sealed else whole)
    if last and segment.end is None:
        write_all(file, frame_record(Kind.END, _crash_end(segment).pack()))
    write_all(file, _SEAL)
    seal_file(file, path)


def _crash_end(segment: Segment) -> End:
    last = segment.steps[-1] if segment.steps else None
    n_steps = last.step + 1 if last else segment.head.first_step
    return End("incomplete", "crashed", None, n_steps, last.server_us if last else 0)
