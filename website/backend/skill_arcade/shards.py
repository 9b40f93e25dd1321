"""A share of some work: which of several equal tasks this is, and what falls to it."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from skill_arcade.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Shard:
    """Number `index` of `count` shares, from 0. All shares together are everything, and no two have anything in
    common, also when more work comes in between.
    """

    index: int
    count: int

    @classmethod
    def read(cls, told: str | None, environment: Mapping[str, str] = os.environ) -> Self | None:
        """Read `I/N`; else the place of this task in a Cloud Run job of several; else None: all of it.

        Raises:
            InvalidRequest: it is no share.
        """
        if told is None:
            index, count = (environment.get(f"CLOUD_RUN_TASK_{name}") for name in ("INDEX", "COUNT"))
            if index is None or count is None or count == "1":
                return None
            told = f"{index}/{count}"
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", told)
        if found is None or int(found[1]) >= int(found[2]):
            raise InvalidRequest(f"{told!r} is no share: say 0/4, 1/4, 2/4 and 3/4 for four.")
        return cls(int(found[1]), int(found[2]))

    def contains_number(self, number: int) -> bool:
        """Whether piece `number` falls to this share."""
        return number % self.count == self.index

    def contains_episode(self, episode: UUID) -> bool:
        """Whether this episode does. It follows from the id alone, so it is the same whatever else there is."""
        return self.contains_number(int.from_bytes(hashlib.sha256(episode.bytes).digest()[:8], "big"))
