"""Shards: the share of a job that one of several parallel tasks works on."""

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
    """Shard `index` (from 0) of `count`.

    All shards together cover everything, and no two overlap, also while items are added.
    """

    index: int
    count: int

    @classmethod
    def read(cls, text: str | None, environment: Mapping[str, str] = os.environ) -> Self | None:
        """Parse `index/count`; without it, use the task index of a Cloud Run job.

        Return None if this task must do everything.

        Raises:
            InvalidRequest: the text is not a shard.
        """
        if text is None:
            index, count = (environment.get(f"CLOUD_RUN_TASK_{name}") for name in ("INDEX", "COUNT"))
            if index is None or count is None or count == "1":
                return None
            text = f"{index}/{count}"
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if match is None or int(match[1]) >= int(match[2]):
            raise InvalidRequest(f"Invalid shard {text!r}. Use for example 0/4, 1/4, 2/4 and 3/4 for four tasks.")
        return cls(int(match[1]), int(match[2]))

    def contains_number(self, number: int) -> bool:
        """Return whether the item with this number belongs to this shard."""
        return number % self.count == self.index

    def contains_episode(self, episode: UUID) -> bool:
        """Return whether the episode belongs to this shard.

        It depends on the id alone, and not on what other episodes exist.
        """
        return self.contains_number(int.from_bytes(hashlib.sha256(episode.bytes).digest()[:8], "big"))
