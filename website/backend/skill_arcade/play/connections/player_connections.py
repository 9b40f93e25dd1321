"""Allows each player one active connection; the newest wins, for example after a reconnect (rule O11).

Connections of a player are handled one at a time.
"""

import asyncio
from dataclasses import dataclass, field

from skill_arcade.errors import TakenOver
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS


@dataclass(eq=False)
class PlayerLock:
    """Serializes the connections of one player, and knows the newest of them."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    newest: int = 0
    elsewhere: int = 0
    """Number up to which connections are superseded by one to another server."""
    is_superseded: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a newer connection of the player is registered."""

    def register(self, user_id: str, number: int) -> "PlayerConnection":
        """Register a new connection of this player, and signal the one before that it is superseded."""
        is_superseded = asyncio.Event()
        if number > self.newest:
            self.is_superseded.set()
            self.newest, self.is_superseded = number, is_superseded
        else:
            is_superseded.set()
        return PlayerConnection(user_id, number, self, is_superseded)

    def supersede(self, number: int) -> None:
        """Signal the connections up to this number that a newer one was made to another server."""
        self.elsewhere = max(self.elsewhere, number)
        if self.newest <= self.elsewhere:
            self.is_superseded.set()


@dataclass(frozen=True, slots=True)
class PlayerConnection:
    """A connection of a player. `number` counts all connections of the server in the order in which they were accepted.

    A connection that was accepted earlier but delayed (most likely its page was reloaded) learns by `ensure_latest`
    that it is superseded, and takes nothing from the newer one.
    """

    user_id: str
    number: int
    lock: PlayerLock
    is_superseded: asyncio.Event

    def ensure_latest(self) -> None:
        """Raise TakenOver if a newer connection of this player exists."""
        if self.number < self.lock.newest or self.number <= self.lock.elsewhere:
            raise TakenOver(REASONS[CloseCode.TAKEN_OVER])
