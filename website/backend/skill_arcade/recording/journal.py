"""The journal of one episode: records appended to a file, sealed every few seconds. Rules: SPEC.md."""

import fcntl
import os
import queue
import threading
from dataclasses import replace
from pathlib import Path

from skill_arcade.recording.framing import MAGIC, RecordKind, frame_record
from skill_arcade.recording.records import (
    EpisodeEnd,
    RecordedEvent,
    RecordedFrame,
    RecordedStep,
    SegmentHeader,
    pack_shown,
)

OPEN, SEALED, NEW = ".open", ".sealed", ".new"
RESERVE_NAME = "reserve"
RESERVE_BYTES = 65_536
"""Kept free for each running episode, so that its end can be written when the disk is full (rule R7)."""


class Journal:
    """Writes one episode. Appends go straight to the file; sealing (fsync, rename) happens in a thread of its own.

    Holds a lock on the episode's folder while it lives, so that others can tell a running game from a dead one.
    Not safe for several threads. OSError (a full disk) comes out of the call that met it; what was appended
    before stays whole.
    """

    def __init__(self, folder: Path, head: SegmentHeader) -> None:
        """Begin segment 0 of a new episode in `folder`/{episode_id}."""
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
        """Events written so far: the next one's number."""
        return self._events

    def reset(self, shot: RecordedFrame) -> None:
        """Append observation 0."""
        self._append(RecordKind.RESET, shot.pack())
        self._frames += 1

    def step(self, step: RecordedStep) -> None:
        """Append a transition and the observation that it led to."""
        self._append(RecordKind.STEP, step.pack())
        self._steps = step.step + 1
        self._frames += 1

    def shown(self, frames: list[tuple[int, int]]) -> None:
        """Append when frames were painted: (observation index, browser clock in microseconds)."""
        if frames:
            self._append(RecordKind.SHOWN, pack_shown(frames))

    def event(self, event: RecordedEvent) -> None:
        """Append an event; its number must be `n_events`."""
        self._append(RecordKind.EVENT, event.pack())
        self._events = event.number + 1

    def rotate(self, *, true_colour: bool) -> None:
        """Seal the open segment and begin the next; its first frame must be a key piece."""
        old, number = self._file, self._header.number
        before = f"{number}/{self._frames - 1}" if self._frames else self._header.before
        head = replace(
            self._header,
            before=before,
            number=number + 1,
            first_step=self._steps,
            first_event=self._events,
            true_colour=true_colour,
        )
        file = self._begin(head)
        try:
            self._append(RecordKind.SEAL, b"")
        except OSError:  # the old segment goes on, and takes the end
            os.close(file)
            self._place(head, OPEN).unlink()
            raise
        self._header, self._file, self._frames = head, file, 0
        self._seal_later(old, number)

    def end(self, end: EpisodeEnd) -> None:
        """Append the end, seal, and wait until all is on the disk."""
        self.unlock()
        self._append(RecordKind.END, end.pack())
        self._append(RecordKind.SEAL, b"")
        file, self._file = self._file, None
        self._seal_later(file, self._header.number)
        self._sealer.finish()
        self.close_without_sealing()

    def unlock(self) -> None:
        """Give the reserve back to the disk: what is written from now on is the end."""
        (self.folder / RESERVE_NAME).unlink(missing_ok=True)

    def discard(self) -> None:
        """Forget an episode of which nobody has seen anything: its first picture could not be recorded."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        self.close_without_sealing()

    def close_without_sealing(self) -> None:
        """Say that nothing more is written: what is open is delivery's to finish (rule R5)."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _begin(self, head: SegmentHeader) -> int:
        """Start a segment. It gets its name only once its head is in it, so an open segment always has one."""
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
    """Makes written segments durable, in order, without holding up the game. A failure comes out of `finish`."""

    def __init__(self) -> None:
        self._todo: queue.SimpleQueue[tuple[int, Path] | None] = queue.SimpleQueue()
        self._failure: OSError | None = None
        self._thread: threading.Thread | None = None

    def seal(self, file: int, path: Path) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sealer", daemon=True)
            self._thread.start()
        self._todo.put((file, path))

    def finish(self) -> None:
        self._todo.put(None)
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


def seal_file(file: int, path: Path) -> None:
    """Make an open segment durable under its sealed name: fsync, rename, fsync of the folder. Closes `file`."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # as long as it is surely there
    try:
        try:
            os.fsync(file)
        finally:
            os.close(file)
        path.rename(path.with_suffix(SEALED))
        os.fsync(folder)  # by now delivery may have taken the segment away, and the folder with it
    finally:
        os.close(folder)


def fsync_folder(folder: Path) -> None:
    """Make a folder's names durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock_for_recovery(folder: Path) -> int:
    """Make an episode's folder, and hold its lock before it has the name by which delivery finds it.

    A folder without a holder is a dead game's, and one with nothing in it is removed: even one made this moment.
    """
    unborn = folder.with_suffix(NEW)
    unborn.mkdir(parents=True)
    if (lock := lock_episode(unborn)) is None:
        raise BlockingIOError(f"{unborn} is in use")
    try:
        unborn.rename(folder)
    except OSError:
        os.close(lock)
        unborn.rmdir()
        raise
    return lock


def lock_episode(folder: Path) -> int | None:
    """Take the lock of an episode's folder: a file descriptor to close later, or None if a live process holds it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def write_all(file: int, data: bytes) -> None:
    """Write every byte at the end, where the file stands, or take back what was written of them and raise OSError."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(file, view) :]
    except OSError:
        os.ftruncate(file, os.fstat(file).st_size - (len(data) - len(view)))
        raise
