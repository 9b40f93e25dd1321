"""Objects in a folder: the key is the path below it."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skill_arcade.errors import NotReady, ObjectExists, ObjectMissing
from skill_arcade.storage.objects.keys import check_key

# Keys can't begin with a dot, so nothing in this folder is ever listed.
TEMP_SUFFIX = ".new"


class DiskObjects:
    """Keeps each object in a file that appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, key: str, data: bytes) -> None:
        """Write beside, fsync, move into place, fsync the folder."""
        await asyncio.to_thread(self._put, self._path(key), data)

    async def get(self, key: str) -> bytes:
        """Read the file."""
        return await asyncio.to_thread(self._get, self._path(key))

    async def delete(self, key: str) -> None:
        """Remove the file, and its folder when nothing else is in it."""
        await asyncio.to_thread(self._delete, self._path(key))

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """Walk the folders that can hold such keys, one at a time."""
        start = prefix.rpartition("/")[0]
        waiting = [f"{start}/" if start else ""]
        while waiting:
            place = waiting.pop()
            if place and not place.endswith("/"):
                yield place
                continue
            with self._translate_errors():
                names = await asyncio.to_thread(_list_folder, self.folder, place)
            waiting += [name for name in reversed(names) if _can_match(name, prefix)]

    async def ready(self) -> None:
        """Write a byte and remove it."""
        await asyncio.to_thread(self._check_writable)

    async def close(self) -> None:
        """Nothing is held open."""

    def _path(self, key: str) -> Path:
        return self.folder / check_key(key)

    def _put(self, path: Path, data: bytes) -> None:
        with self._translate_errors():
            if self._is_there(path, data):
                return
            self._make_folder(path.parent)
            unborn = self._write_aside(data)
            try:
                _link(unborn, path)
            except FileExistsError:
                # Somebody put it between the look and the link.
                self._is_there(path, data)
            finally:
                unborn.unlink(missing_ok=True)
            _sync_folder(path.parent)

    def _is_there(self, path: Path, data: bytes) -> bool:
        try:
            found = path.read_bytes()
        except FileNotFoundError:
            return False
        if found != data:
            raise ObjectExists(f"{path} holds other bytes already ({len(found)}, not these {len(data)}); it stays.")
        return True

    def _write_aside(self, data: bytes) -> Path:
        self._make_folder(self.folder / TEMP_SUFFIX)
        file, name = tempfile.mkstemp(dir=self.folder / TEMP_SUFFIX)
        try:
            with open(file, "wb") as stream:  # noqa: PTH123  (a descriptor, not a path)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            Path(name).unlink()
            raise
        return Path(name)

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        if folder != self.folder:
            self._make_folder(folder.parent)
        folder.mkdir(parents=folder == self.folder, exist_ok=True)
        _sync_folder(folder.parent)

    def _get(self, path: Path) -> bytes:
        with self._translate_errors():
            try:
                return path.read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                raise ObjectMissing(f"There is no object {path.relative_to(self.folder)} in {self.folder}.") from error

    def _delete(self, path: Path) -> None:
        with self._translate_errors():
            try:
                path.unlink(missing_ok=True)
            except (IsADirectoryError, NotADirectoryError):
                return
            if path.parent.is_dir():
                _sync_folder(path.parent)
                if path.parent != self.folder and not any(path.parent.iterdir()):
                    with suppress(OSError):  # somebody has just put another object there
                        path.parent.rmdir()

    def _check_writable(self) -> None:
        with self._translate_errors():
            self._make_folder(self.folder / TEMP_SUFFIX)
            with tempfile.TemporaryFile(dir=self.folder / TEMP_SUFFIX) as stream:
                stream.write(b".")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotReady(f"The object folder {self.folder} can't be used: {error.strerror or error}.") from error


def _list_folder(root: Path, place: str) -> list[str]:
    """Keys of the files in a folder and, ending in '/', of the folders; sorted as the keys below them sort."""
    try:
        with os.scandir(root / place) as found:
            names = [f"{place}{entry.name}/" if entry.is_dir() else f"{place}{entry.name}" for entry in found]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if name != f"{TEMP_SUFFIX}/")


def _can_match(name: str, prefix: str) -> bool:
    return name.startswith(prefix) or (name.endswith("/") and prefix.startswith(name))


def _link(source: Path, target: Path) -> None:
    """Give the file its name, unless that is taken: a link does not overwrite, a rename would."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links.
        source.rename(target)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
