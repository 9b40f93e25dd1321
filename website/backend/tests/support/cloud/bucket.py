"""What a bucket of Cloud Storage holds, and the rules by which it says no."""

import base64
import hashlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import google_crc32c


class Refusal(Exception):
    """An error as the API words it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Stored:
    """One generation of one object."""

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


@dataclass
class Bucket:
    """Objects by name. Every change asks for its precondition first, under one lock."""

    name: str
    objects: dict[str, Stored] = field(default_factory=dict)
    granted: set[str] = field(
        default_factory=lambda: {f"storage.objects.{what}" for what in ("create", "get", "list", "delete")}
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _generations: Iterator[int] = field(default_factory=lambda: itertools.count(1_700_000_000_000_000))

    def insert(self, name: str, data: bytes, told: dict[str, Any], condition: str | None) -> Stored:
        """Keep an object whole, if condition and checksums hold."""
        made = Stored(name, data, next(self._generations), told.get("contentType", "application/octet-stream"))
        for key, value in {"crc32c": made.crc32c, "md5Hash": made.md5}.items():
            if told.get(key, value) != value:
                raise Refusal(400, f"Provided {key} {told[key]!r} doesn't match calculated {key} {value!r}.")
        with self._lock:
            self.check(name, condition)
            self.objects[name] = made
        return made

    def check(self, name: str, condition: str | None) -> None:
        """Refuse unless the object's generation is the one asked for; 0: there is none."""
        found = self.objects.get(name)
        if condition is not None and int(condition) != (found.generation if found else 0):
            raise Refusal(412, "At least one of the pre-conditions you specified did not hold.")

    def find(self, name: str) -> Stored:
        """The newest generation of an object."""
        if name not in self.objects:
            raise Refusal(404, f"No such object: {self.name}/{name}")
        return self.objects[name]

    def remove(self, name: str, condition: str | None) -> None:
        """Forget an object."""
        with self._lock:
            self.check(name, condition)
            self.find(name)
            del self.objects[name]

    def page(self, prefix: str, start: str, most: int) -> dict[str, Any]:
        """Some names that begin so, sorted by their bytes, and where the next page starts."""
        names = sorted(name for name in list(self.objects) if name.startswith(prefix) and name >= start)
        more = {"nextPageToken": names[most]} if len(names) > most else {}
        return {"kind": "storage#objects", "items": [{"name": name} for name in names[:most]], **more}
