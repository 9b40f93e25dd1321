"""Shipments: what no computation can bring back of a journal's segments that are not uploaded, as one object (R34).

A shipment has the records of all these segments, in order, with the pictures and observations left out. They follow
from seed and actions.
"""

import logging
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from skill_arcade.recording.framing import MAGIC, RecordKind, frame_record, split_records
from skill_arcade.recording.journal import OPEN, SEALED
from skill_arcade.recording.journal_files import list_episodes, list_files, read_tail
from skill_arcade.recording.records import RecordedEvent, RecordedStep, SegmentHeader, pack_shown, strip_step
from skill_arcade.recording.segment import Segment, add_record

log = logging.getLogger(__name__)

PREFIX = "open-journals/"
MAX_SHIPMENT_BYTES = 16 << 20
"""Size of a shipment before it is compressed. Segments that exceed it, after a long outage, are left out."""
_LEVEL = 1
"""Level of zlib: a shipment is made twice a second."""


def shipment_prefix(journal_id: UUID) -> str:
    """Return the prefix of the keys of a journal's shipments. The greatest key is the newest one."""
    return f"{PREFIX}{journal_id}/"


@dataclass(slots=True)
class _OpenSegment:
    """A segment that is followed. `n_bytes` of its file are read; `records` are those that are shipped."""

    n_bytes: int = 0
    records: bytearray = field(default_factory=bytearray)


class JournalFollower:
    """Reads what is appended to the segments of a journal that are not uploaded yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments: dict[tuple[str, int], _OpenSegment] = {}
        self._left_out = 0

    def read(self) -> bytes:
        """Return the records of all segments that are not uploaded, empty if there is none."""
        found: dict[tuple[str, int], _OpenSegment] = {}
        for episode in list_episodes(self._folder):
            for path in list_files(episode):
                if path.suffix in (OPEN, SEALED):
                    key = (episode.name, int(path.stem))
                    if key not in found:  # one that was sealed during the listing has two names
                        found[key] = segment = self._segments.get(key) or _OpenSegment()
                        _follow(path, segment)
        self._segments = found
        return self._join()

    def _join(self) -> bytes:
        parts: list[bytearray] = []
        n_bytes = n_left_out = 0
        for _, segment in sorted(self._segments.items()):
            if n_bytes + len(segment.records) > MAX_SHIPMENT_BYTES:
                n_left_out += 1
                continue
            n_bytes += len(segment.records)
            parts.append(segment.records)
        if n_left_out > 0 and self._left_out == 0:
            log.error("shipment too large, leaving segments out segments=%d", n_left_out)
        self._left_out = n_left_out
        return b"".join(parts)


def _follow(path: Path, segment: _OpenSegment) -> None:
    """Read the records that were appended to a segment."""
    start, whole = max(segment.n_bytes, len(MAGIC)), len(MAGIC)
    for kind, body, end in split_records(MAGIC + read_tail(path, start)):
        whole = end
        if kind is RecordKind.STEP:
            segment.records += frame_record(kind, strip_step(body))
        elif kind is not RecordKind.RESET:
            segment.records += frame_record(kind, body)
    segment.n_bytes = start + whole - len(MAGIC)


def pack_shipment(records: bytes) -> bytes:
    """Return the object of these records."""
    return zlib.compress(records, _LEVEL)


def read_shipment(data: bytes) -> list[Segment]:
    """Return the segments of a shipment. Their steps have empty pictures.

    Raises:
        ValueError: the object is damaged.
    """
    try:
        return parse_records(zlib.decompress(data))
    except zlib.error as error:
        raise ValueError(f"the shipment is damaged: {error}") from error


def parse_records(records: bytes) -> list[Segment]:
    """Return the segments whose records follow each other."""
    segments: list[Segment] = []
    for kind, body, _ in split_records(MAGIC + records):
        if kind is RecordKind.HEADER:
            segments.append(Segment(SegmentHeader.unpack(body)))
        elif segments:
            add_record(segments[-1], kind, body)
    return segments


def pack_segments(segments: Iterable[Segment]) -> bytes:
    """Return the records of segments without pictures, for `parse_records`. Seals and ends are left out."""
    records = bytearray()
    for segment in segments:
        records += frame_record(RecordKind.HEADER, segment.header.pack())
        for event in segment.events:
            records += frame_record(RecordKind.EVENT, event.pack())
        for step in segment.steps:
            records += frame_record(RecordKind.STEP, step.pack())
        if segment.shown:
            records += frame_record(RecordKind.SHOWN, pack_shown(segment.shown))
    return bytes(records)


def select_continuation(
    segments: Iterable[Segment], episode_id: UUID, *, max_fence: int, n_segments: int, n_steps: int, n_events: int
) -> list[Segment]:
    """Return the segments that continue an episode of which `n_segments` are stored, in order, without a gap."""
    of_episode = (one for one in segments if one.header.episode_id == episode_id and one.header.fence <= max_fence)
    chosen: list[Segment] = []
    for segment in sorted(of_episode, key=lambda one: one.header.number):
        header = segment.header
        if (header.number, header.first_step, header.first_event) != (n_segments, n_steps, n_events):
            continue
        n_segments, n_steps, n_events = n_segments + 1, n_steps + len(segment.steps), n_events + len(segment.events)
        chosen.append(segment)
    return chosen


def merge_records(segments: Iterable[Segment]) -> list[RecordedStep | RecordedEvent]:
    """Return steps and events in the order in which they were recorded. An event has the number of steps before it."""
    merged: list[RecordedStep | RecordedEvent] = []
    for segment in segments:
        events = list(segment.events)
        for step in segment.steps:
            while events and events[0].step <= step.step:
                merged.append(events.pop(0))
            merged.append(step)
        merged += events
    return merged
