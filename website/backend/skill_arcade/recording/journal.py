"""Writes the journal of one episode: records are appended to a segment, which is sealed every few seconds (SPEC.md)."""

import fcntl
import os
import queue
import threading
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from skill_arcade.frames.encoder import EncodedFrame
from skill_arcade.recording.framing import MAGIC, RecordKind, frame_record
from skill_arcade.recording.quota import require_quota
from skill_arcade.recording.records import (
    EpisodeEnd,
    RecordedEvent,
    RecordedStep,
    SegmentHeader,
    pack_frame,
    pack_shown,
)

OPEN, SEALED, NEW = ".open", ".sealed", ".new"
RESERVE_NAME = "reserve"
RESERVE_BYTES = 65_536
"""Size of the reserve file of a running episode, which is deleted to make room for its end record (rule R7)."""


class EpisodeJournal(Protocol):
    """What an episode is recorded with. See `Journal` for each method."""

    @property
    def n_events(self) -> int:
        """Number of events so far."""

    def reset(self, encoded: EncodedFrame, observation: bytes = b"") -> None:
        """Append observation 0."""

    def step(self, step: RecordedStep) -> None:
        """Append a step."""

    def shown(self, frames: list[tuple[int, int]]) -> None:
        """Append paint times."""

    def event(self, event: RecordedEvent) -> None:
        """Append an event."""

    def rotate(self, *, true_colour: bool, size: tuple[int, int] | None = None) -> None:
        """Start the next segment."""

    def end(self, end: EpisodeEnd, *, is_waiting: bool = True) -> None:
        """Append the end."""

    @property
    def is_sealed(self) -> bool:
        """Whether everything is durable, or has failed to become so."""

    def wait_until_sealed(self) -> None:
        """Wait until everything is durable."""

    def hand_over(self) -> None:
        """Finish without an end."""

    def unlock(self) -> None:
        """Make room for the end record."""

    def discard(self) -> None:
        """Discard the episode."""

    def close_without_sealing(self) -> None:
        """Close without sealing."""


class UnrecordedJournal:
    """Takes the records of an episode that is played without recording, and writes nothing (rule R22)."""

    def __init__(self) -> None:
        self._n_events = 0

    @property
    def n_events(self) -> int:
        """Number of events so far, which numbers the next one."""
        return self._n_events

    def reset(self, encoded: EncodedFrame, observation: bytes = b"") -> None:
        """Do nothing."""

    def step(self, step: RecordedStep) -> None:
        """Do nothing."""

    def shown(self, frames: list[tuple[int, int]]) -> None:
        """Do nothing."""

    def event(self, event: RecordedEvent) -> None:
        """Count the event."""
        self._n_events = event.number + 1

    def rotate(self, *, true_colour: bool, size: tuple[int, int] | None = None) -> None:
        """Do nothing."""

    def end(self, end: EpisodeEnd, *, is_waiting: bool = True) -> None:
        """Do nothing."""

    @property
    def is_sealed(self) -> bool:
        """Always True."""
        return True

    def wait_until_sealed(self) -> None:
        """Do nothing."""

    def hand_over(self) -> None:
        """Do nothing."""

    def unlock(self) -> None:
        """Do nothing."""

    def discard(self) -> None:
        """Do nothing."""

    def close_without_sealing(self) -> None:
        """Do nothing."""


class Journal:
    """Writes the segments of one episode. Appends go straight to the file; a thread seals (fsync, rename).

    Holds a lock on the episode's folder while the episode runs, so that a running game can be told from a dead one. Not
    thread-safe. An OSError, such as a full disk, is raised by the call that met it; earlier records stay whole.
    """

    def __init__(self, folder: Path, head: SegmentHeader) -> None:
        """Create the episode's folder `folder`/{episode_id} and start segment 0."""
        self.folder = folder / str(head.episode_id)
        self._lock: int | None = lock_for_recovery(self.folder)
        self._header = head
        self._events = head.first_event
        self._steps = head.first_step
        self._frames = 0
        self._sealer = _Sealer()
        self._file: int | None = None
        try:
            (self.folder / RESERVE_NAME).write_bytes(bytes(RESERVE_BYTES))
            self._file = self._begin(head)
        except OSError:
            self.discard()
            raise

    @property
    def n_events(self) -> int:
        """Number of events written so far, which is the number of the next one."""
        return self._events

    def reset(self, encoded: EncodedFrame, observation: bytes = b"") -> None:
        """Append observation 0."""
        self._append(RecordKind.RESET, pack_frame(encoded, observation))
        self._frames += 1

    def step(self, step: RecordedStep) -> None:
        """Append a step: a transition and the observation that it led to."""
        self._append(RecordKind.STEP, step.pack())
        self._steps = step.step + 1
        self._frames += 1

    def shown(self, frames: list[tuple[int, int]]) -> None:
        """Append paint times: (observation index, browser clock in microseconds)."""
        if frames:
            self._append(RecordKind.SHOWN, pack_shown(frames))

    def event(self, event: RecordedEvent) -> None:
        """Append an event. Its number MUST be `n_events`."""
        self._append(RecordKind.EVENT, event.pack())
        self._events = event.number + 1

    def rotate(self, *, true_colour: bool, size: tuple[int, int] | None = None) -> None:
        """Rotate: seal the open segment and start the next one, whose first frame must be a keyframe.

        `size` is the width and height of its frames, None if it has not changed.
        """
        width, height = size or (self._header.width, self._header.height)
        old, number = self._file, self._header.number
        before = f"{number}/{self._frames - 1}" if self._frames else self._header.before
        head = replace(
            self._header,
            before=before,
            number=number + 1,
            first_step=self._steps,
            first_event=self._events,
            true_colour=true_colour,
            width=width,
            height=height,
        )
        file = self._begin(head)
        try:
            self._append(RecordKind.SEAL, b"")
        except OSError:  # the old segment continues and takes the end record
            os.close(file)
            self._place(head, OPEN).unlink()
            raise
        self._header, self._file, self._frames = head, file, 0
        self._seal_later(old, number)

    def end(self, end: EpisodeEnd, *, is_waiting: bool = True) -> None:
        """Append the end record, seal, and wait until everything is durable, or leave that to `wait_until_sealed`."""
        self.unlock()
        self._append(RecordKind.END, end.pack())
        self._finish(is_waiting=is_waiting)

    @property
    def is_sealed(self) -> bool:
        """Whether everything that was handed to the thread is durable, or has failed to become so."""
        return not self._sealer.is_running

    def wait_until_sealed(self) -> None:
        """Wait until everything is durable after `end`. Raises OSError if that failed."""
        self._sealer.wait()

    def hand_over(self) -> None:
        """Seal without an end record, because another server continues the episode, and wait until it is durable."""
        self.unlock()
        self._finish(is_waiting=True)

    def _finish(self, *, is_waiting: bool) -> None:
        self._append(RecordKind.SEAL, b"")
        file, self._file = self._file, None
        self._seal_later(file, self._header.number)
        lock, self._lock = self._lock, None  # held until the last segment is sealed
        self._sealer.finish(lock)
        if is_waiting:
            self._sealer.wait()

    def unlock(self) -> None:
        """Delete the reserve file, to make room for the end record."""
        (self.folder / RESERVE_NAME).unlink(missing_ok=True)

    def discard(self) -> None:
        """Discard an episode whose first frame could not be recorded, so that nobody has seen it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        self.close_without_sealing()

    def close_without_sealing(self) -> None:
        """Close without sealing. The uploader finishes the open segment (rule R5)."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _begin(self, head: SegmentHeader) -> int:
        """Start a segment. The file gets its name after its header is written, so an open segment always has one."""
        require_quota(self.folder.parent)
        fresh = self._place(head, NEW)
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            write_all(file, MAGIC + frame_record(RecordKind.HEADER, head.pack()))
            fresh.rename(self._place(head, OPEN))
        except OSError:
            os.close(file)
            fresh.unlink()
            raise
        return file

    def _place(self, head: SegmentHeader, suffix: str) -> Path:
        return self.folder / f"{head.number:06d}{suffix}"

    def _append(self, kind: RecordKind, payload: bytes) -> None:
        if self._file is None:
            raise ValueError(f"the journal of {self._header.episode_id} is closed")
        write_all(self._file, frame_record(kind, payload))

    def _seal_later(self, file: int | None, number: int) -> None:
        assert file is not None
        self._sealer.seal(file, self.folder / f"{number:06d}{OPEN}")


class _Sealer:
    """Seals segments in order, in a thread, so that the game loop does not wait for the disk."""

    def __init__(self) -> None:
        self._todo: queue.SimpleQueue[tuple[int, Path] | None] = queue.SimpleQueue()
        self._failure: OSError | None = None
        self._thread: threading.Thread | None = None
        self._lock: int | None = None

    def seal(self, file: int, path: Path) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sealer", daemon=True)
            self._thread.start()
        self._todo.put((file, path))

    def finish(self, lock: int | None) -> None:
        """Close the lock of the episode after everything is sealed; no segment follows."""
        self._lock = lock
        self._todo.put(None)

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while (job := self._todo.get()) is not None:
            try:
                seal_file(*job)
            except OSError as failure:
                self._failure = failure
        if self._lock is not None:
            os.close(self._lock)


def seal_file(file: int, path: Path) -> None:
    """Seal an open segment: fsync, rename, fsync of the folder. Closes `file`."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # while the folder certainly exists
    try:
        try:
            os.fsync(file)
        finally:
            os.close(file)
        path.rename(path.with_suffix(SEALED))
        os.fsync(folder)  # the uploader may already have deleted the segment and its folder
    finally:
        os.close(folder)


def lock_for_recovery(folder: Path) -> int:
    """Create an episode's folder under a temporary name, lock it, then rename it, so that it never exists unlocked.

    The uploader takes an unlocked folder for that of a dead game process and deletes it if it is empty.
    """
    temporary = folder.with_suffix(NEW)
    temporary.mkdir(parents=True)
    if (lock := lock_episode(temporary)) is None:
        raise BlockingIOError(f"{temporary} is locked")
    try:
        temporary.rename(folder)
    except OSError:
        os.close(lock)
        temporary.rmdir()
        raise
    return lock


def lock_episode(folder: Path) -> int | None:
    """Lock an episode's folder. Return a file descriptor to close, or None if a live process holds the lock."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def write_all(file: int, data: bytes) -> None:
    """Append all of `data`. If that fails, truncate what was written of it and raise OSError."""
    n_written = 0
    try:
        while n_written < len(data):
            n_written += os.write(file, data[n_written:])
    except OSError:
        os.ftruncate(file, os.fstat(file).st_size - n_written)
        raise
