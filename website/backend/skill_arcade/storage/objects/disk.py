"""Object store in a local folder: the key is the file's path relative to the folder."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from skill_arcade.durable_files import fsync_folder
from skill_arcade.errors import NotReady, ObjectExists, ObjectMissing
from skill_arcade.storage.objects.keys import CHUNK_BYTES, check_key

# A key cannot start with a dot, so files in the folder of this name are never listed.
TEMP_SUFFIX = ".new"


class DiskObjects:
    """Stores each object as a file that appears atomically."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def put(self, key: str, data: bytes) -> None:
        """Write a temporary file, fsync it, link it to its path and fsync the folder."""
        await asyncio.to_thread(self._put, self._path(key), data)

    async def get(self, key: str) -> bytes:
        return await asyncio.to_thread(self._get, self._path(key))

    async def get_range(self, key: str, start: int, length: int) -> bytes:
        return await asyncio.to_thread(self._get_range, self._path(key), start, length)

    @contextmanager
    def open_writer(self, key: str) -> Iterator[BinaryIO]:
        """Write a temporary file, and link it to its path at the end."""
        path = self._path(key)
        with self._translate_errors():
            self._make_folder(self.folder / TEMP_SUFFIX)
            with tempfile.NamedTemporaryFile(dir=self.folder / TEMP_SUFFIX) as stream:
                yield cast("BinaryIO", stream)
                stream.flush()
                os.fsync(stream.fileno())
                self._make_folder(path.parent)
                try:
                    os.link(stream.name, path)
                except FileExistsError:
                    raise ObjectExists(f"{path} already exists; the stored object is kept.") from None
                fsync_folder(path.parent)

    async def size(self, key: str) -> int:
        return await asyncio.to_thread(self._size, self._path(key))

    async def read_chunks(self, key: str) -> AsyncIterator[bytes]:
        path = self._path(key)
        await asyncio.to_thread(self._size, path)
        with self._translate_errors(), path.open("rb") as stream:
            while chunk := await asyncio.to_thread(stream.read, CHUNK_BYTES):
                yield chunk

    async def delete(self, key: str) -> None:
        """Delete the file, and its folder if the folder is then empty."""
        await asyncio.to_thread(self._delete, self._path(key))

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """List only the folders that can contain matching keys, one at a time."""
        start = prefix.rpartition("/")[0]
        pending = [f"{start}/" if start else ""]
        while pending:
            folder_key = pending.pop()
            if folder_key and not folder_key.endswith("/"):
                yield folder_key
                continue
            with self._translate_errors():
                names = await asyncio.to_thread(_list_folder, self.folder, folder_key)
            pending += [name for name in reversed(names) if _can_match(name, prefix)]

    async def ready(self) -> None:
        """Write a temporary file."""
        await asyncio.to_thread(self._check_writable)

    async def close(self) -> None:
        """Do nothing; no connection is open."""

    def _path(self, key: str) -> Path:
        return self.folder / check_key(key)

    def _put(self, path: Path, data: bytes) -> None:
        with self._translate_errors():
            if self._is_stored(path, data):
                return
            self._make_folder(path.parent)
            temporary = self._write_temporary(data)
            try:
                _link(temporary, path)
            except FileExistsError:
                # Another process stored the object after the check above.
                self._is_stored(path, data)
            finally:
                temporary.unlink(missing_ok=True)
            fsync_folder(path.parent)

    def _is_stored(self, path: Path, data: bytes) -> bool:
        try:
            stored = path.read_bytes()
        except FileNotFoundError:
            return False
        if stored != data:
            raise ObjectExists(
                f"{path} already exists with other bytes ({len(stored)}, not {len(data)}); the stored object is kept."
            )
        return True

    def _write_temporary(self, data: bytes) -> Path:
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
        fsync_folder(folder.parent)

    def _get(self, path: Path) -> bytes:
        with self._translate_errors():
            try:
                return path.read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                raise self._missing(path) from error

    def _get_range(self, path: Path, start: int, length: int) -> bytes:
        with self._translate_errors():
            try:
                with path.open("rb") as stream:
                    stream.seek(start)
                    return stream.read(length)
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
                raise self._missing(path) from error

    def _size(self, path: Path) -> int:
        with self._translate_errors():
            if not path.is_file():
                raise self._missing(path)
            return path.stat().st_size

    def _missing(self, path: Path) -> ObjectMissing:
        return ObjectMissing(f"Object {path.relative_to(self.folder)} does not exist in {self.folder}.")

    def _delete(self, path: Path) -> None:
        with self._translate_errors():
            try:
                path.unlink(missing_ok=True)
            except (IsADirectoryError, NotADirectoryError):
                return
            if path.parent.is_dir():
                fsync_folder(path.parent)
                if path.parent != self.folder and not any(path.parent.iterdir()):
                    with suppress(OSError):  # another process has just stored an object there
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
            raise NotReady(f"Cannot use the object folder {self.folder}: {error.strerror or error}.") from error


def _list_folder(root: Path, folder_key: str) -> list[str]:
    """Return the names in a folder as key prefixes, sorted like the keys below them; a folder ends in '/'."""
    try:
        with os.scandir(root / folder_key) as entries:
            names = [
                f"{folder_key}{entry.name}/" if entry.is_dir() else f"{folder_key}{entry.name}" for entry in entries
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(name for name in names if name != f"{TEMP_SUFFIX}/")


def _can_match(name: str, prefix: str) -> bool:
    return name.startswith(prefix) or (name.endswith("/") and prefix.startswith(name))


def _link(source: Path, target: Path) -> None:
    """Link `source` to `target`. A link does not overwrite an existing file, unlike a rename."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        # The file system does not support hard links.
        source.rename(target)
