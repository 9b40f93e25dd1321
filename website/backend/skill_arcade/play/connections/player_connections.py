"""One player, one seat: the sockets of a player come in one at a time, and only the newest stays."""

import asyncio
from dataclasses import dataclass, field

from skill_arcade.errors import TakenOver
from skill_arcade.wire.close_codes import REASONS, CloseCode


@dataclass(eq=False)
class PlayerLock:
    """A player's door: who goes through it, and the newest who has asked."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    newest: int = 0
    is_superseded: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when somebody newer than the newest comes."""

    def register(self, user_id: str, number: int) -> "PlayerConnection":
        """Let a socket of this player stand here. The one before it is told."""
        overtaken = asyncio.Event()
        if number > self.newest:
            self.is_superseded.set()
            self.newest, self.is_superseded = number, overtaken
        else:
            overtaken.set()
        return PlayerConnection(user_id, number, self, overtaken)


@dataclass(frozen=True, slots=True)
class PlayerConnection:
    """A socket of a player. `number`: its place among all sockets, in the order in which they came.

    The seat keeps its player's door: a socket that came before and was held up on its way (its page is gone, most
    likely: it was reloaded) finds out that it is too late, and takes nothing from the newer one.
    """

    user_id: str
    number: int
    lock: PlayerLock
    is_superseded: asyncio.Event

    def ensure_latest(self) -> None:
        """Raise TakenOver when a newer socket of this player has come."""
        if self.number < self.lock.newest:
            raise TakenOver(REASONS[CloseCode.TAKEN_OVER])
