"""The objects of an emulated Cloud Storage bucket, and the errors of its preconditions and checksums."""

import base64
import hashlib
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import google_crc32c


class StorageApiError(Exception):
    """An error response of the API."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Stored:
    """One generation of an object."""

    name: str
    data: bytes
    generation: int
    kind: str

    @property
    def crc32c(self) -> str:
        return base64.b64encode(google_crc32c.value(self.data).to_bytes(4, "big")).decode()

    @property
    def md5(self) -> str:
        return base64.b64encode(hashlib.md5(self.data).digest()).decode()

    def describe(self, bucket: str) -> dict[str, Any]:
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": self.name,
            "generation": str(self.generation),
            "metageneration": "1",
            "size": str(len(self.data)),
            "contentType": self.kind,
            "crc32c": self.crc32c,
            "md5Hash": self.md5,
        }


RANGE_CHARACTERS = len("episodes/00")
"""Length of the part of a name that decides on its range: Google splits a busy range, but not what is always last."""


@dataclass
class Bucket:
    """Objects by name. Preconditions are checked and changes are made under one lock."""

    name: str
    max_writes_per_range: int = 1000
    """Writes per second into one range of ordered names, above which Google answers 429."""
    objects: dict[str, Stored] = field(default_factory=dict)
    granted: set[str] = field(
        default_factory=lambda: {f"storage.objects.{verb}" for verb in ("create", "get", "list", "delete")}
    )
    now: Callable[[], float] = time.monotonic
    _written: tuple[int, Counter[str]] = field(default_factory=lambda: (0, Counter()))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _generations: Iterator[int] = field(default_factory=lambda: itertools.count(1_700_000_000_000_000))

    def insert(self, name: str, data: bytes, metadata: dict[str, Any], condition: str | None) -> Stored:
        """Store an object if precondition and checksums hold."""
        stored = Stored(name, data, next(self._generations), metadata.get("contentType", "application/octet-stream"))
        for key, value in {"crc32c": stored.crc32c, "md5Hash": stored.md5}.items():
            if metadata.get(key, value) != value:
                raise StorageApiError(
                    400, f"Provided {key} {metadata[key]!r} doesn't match calculated {key} {value!r}."
                )
        with self._lock:
            self.count_write(name)
            self.check(name, condition)
            self.objects[name] = stored
        return stored

    def count_write(self, name: str) -> None:
        """Raise StorageApiError if there were too many writes near this name within the current second."""
        second = int(self.now())
        if self._written[0] != second:
            self._written = second, Counter()
        self._written[1][name[:RANGE_CHARACTERS]] += 1
        if self._written[1][name[:RANGE_CHARACTERS]] > self.max_writes_per_range:
            raise StorageApiError(429, "The object exceeded the rate limit for object mutation operations.")

    def check(self, name: str, condition: str | None) -> None:
        """Raise StorageApiError unless the object has this generation; 0 means that it must not exist."""
        stored = self.objects.get(name)
        if condition is not None and int(condition) != (stored.generation if stored else 0):
            raise StorageApiError(412, "At least one of the pre-conditions you specified did not hold.")

    def find(self, name: str) -> Stored:
        """Return the newest generation of an object."""
        if name not in self.objects:
            raise StorageApiError(404, f"No such object: {self.name}/{name}")
        return self.objects[name]

    def remove(self, name: str, condition: str | None) -> None:
        """Delete an object."""
        with self._lock:
            self.check(name, condition)
            self.find(name)
            del self.objects[name]

    def page(self, prefix: str, start: str, max_results: int) -> dict[str, Any]:
        """Return names with this prefix in byte order, and the token of the next page."""
        names = sorted(name for name in list(self.objects) if name.startswith(prefix) and name >= start)
        token = {"nextPageToken": names[max_results]} if len(names) > max_results else {}
        return {"kind": "storage#objects", "items": [{"name": name} for name in names[:max_results]], **token}
