"""Fans the frames of one game out to its watchers (rules O18 to O22).

Frames are sent in batches, because a message costs the server more than its bytes: 50 watchers of 60 frames/s would
take a quarter of a core one by one. Each watcher has a bounded queue, so that a slow one loses frames and delays
nobody.
"""

import asyncio
import hashlib
import hmac
import secrets
import struct
from collections import deque
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from skill_arcade.errors import InvalidWatchLink, TooManyWatchers
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS
from skill_arcade.wire.packet import is_keyframe

BATCH_SECONDS = 0.2
"""Interval at which frames are sent. Watchers see the game later by this time, and by what they buffer."""
MAX_QUEUED_BATCHES = 10
"""Batches that may wait for one watcher: two seconds. A watcher that is further behind continues with a keyframe."""
MAX_BACKLOG_BYTES = 1 << 20
"""Bytes since the last keyframe after which the game is asked for a new one, so that joining stays cheap."""
MAX_KEPT_BYTES = 8 << 20
"""Bytes since the last keyframe that are kept at all. Beyond it, watchers who join wait for the next keyframe."""
COUNT_SECONDS = 1.0
"""Minimum interval between two reports of the number of watchers; each is an event of the episode."""
TOKEN_BYTES = 32
_LENGTH = struct.Struct("<I")


class HubOwner(Protocol):
    """The game that is watched."""

    def request_watch_keyframe(self) -> None:
        """Ask the game for a keyframe."""

    def report_watchers(self, count: int) -> None:
        """Take note of the number of watchers."""


class Watcher:
    """One watcher, and the messages that wait for them."""

    def __init__(self, hub: "WatchHub") -> None:
        self._hub = hub
        self._waiting: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self._must_rejoin = True
        self.closing: tuple[CloseCode, str] | None = None
        self._wake.set()

    def put(self, message: str | bytes) -> None:
        """Queue a message. If too many wait, they are dropped, and the watcher continues with a keyframe."""
        if self._must_rejoin or self.closing is not None:
            return
        if len(self._waiting) >= MAX_QUEUED_BATCHES:
            self._waiting.clear()
            self._must_rejoin = True
        else:
            self._waiting.append(message)
        self._wake.set()

    def close(self, code: CloseCode, reason: str) -> None:
        """Request that the connection is closed after the queued messages."""
        self.closing = self.closing or (code, reason)
        self._wake.set()

    async def get(self) -> list[str | bytes]:
        """Return the messages that wait, at least one; an empty list if the connection is to be closed."""
        while True:
            if self._must_rejoin:
                self._must_rejoin = False
                self._waiting = deque(self._hub.catch_up())
            if self._waiting:
                messages, self._waiting = list(self._waiting), deque()
                return messages
            if self.closing is not None:
                return []
            self._wake.clear()
            await self._wake.wait()


class WatchHub:
    """The watchers of one game, and what a new one needs: the state, and all frames since the last keyframe."""

    def __init__(
        self,
        owner: HubOwner,
        description: str,
        max_watchers: int,
        has_capacity: Callable[[], bool],
        server_id: UUID | None = None,
    ) -> None:
        """`description` is the message that describes the game.

        `has_capacity` tells whether the server accepts another watcher. `server_id` is the server that the token names,
        or None if it names none.
        """
        secret = secrets.token_urlsafe(TOKEN_BYTES)
        self.token = secret if server_id is None else f"{server_id}.{secret}"
        self._owner, self._description = owner, description
        self._max_watchers, self._has_capacity = max_watchers, has_capacity
        self._watchers: set[Watcher] = set()
        self._scene: str | None = None
        self._backlog: list[bytes] = []
        self._n_backlog_bytes = 0
        self._is_keyframe_requested = False
        self._pending: list[bytes] = []
        self._flush_timer: asyncio.TimerHandle | None = None
        self._count_timer: asyncio.TimerHandle | None = None
        self._reported_count = 0

    @property
    def n_watchers(self) -> int:
        """Number of watchers."""
        return len(self._watchers)

    def join(self) -> Watcher:
        """Add a watcher, who begins with the newest keyframe.

        Raises:
            TooManyWatchers: the game or the server has as many as it may.
        """
        if len(self._watchers) >= self._max_watchers or not self._has_capacity():
            raise TooManyWatchers(REASONS[CloseCode.TOO_MANY_WATCHERS])
        watcher = Watcher(self)
        self._watchers.add(watcher)
        self._count_changed()
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Remove a watcher. Idempotent."""
        self._watchers.discard(watcher)
        self._count_changed()

    def publish_frame(self, packet: bytes) -> None:
        """Send a frame packet with the next batch."""
        if is_keyframe(packet):
            self._backlog, self._n_backlog_bytes, self._is_keyframe_requested = [], 0, False
        elif not self._backlog:
            return  # nothing can be decoded before the first keyframe
        self._keep(packet)
        if not self._watchers:
            return
        self._pending.append(packet)
        if self._flush_timer is None:
            self._flush_timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._flush)

    def publish_scene(self, scene: str) -> None:
        """Send the state of the game, after the frames before it."""
        self._flush()
        self._scene = scene
        self._send(scene)

    def catch_up(self) -> list[str | bytes]:
        """Return what a watcher needs who has nothing: description, state, and all frames since the last keyframe."""
        self._flush()
        messages: list[str | bytes] = [self._description]
        if self._scene is not None:
            messages.append(self._scene)
        if self._backlog:
            messages.append(_join(self._backlog))
        return messages

    def close(self, code: CloseCode, reason: str) -> None:
        """Disconnect all watchers, for good."""
        self._flush()
        for timer in (self._flush_timer, self._count_timer):
            if timer is not None:
                timer.cancel()
        for watcher in self._watchers:
            watcher.close(code, reason)
        self._watchers = set()
        self._max_watchers = 0

    def _keep(self, packet: bytes) -> None:
        self._backlog.append(packet)
        self._n_backlog_bytes += len(packet)
        if self._n_backlog_bytes > MAX_BACKLOG_BYTES and not self._is_keyframe_requested:
            self._is_keyframe_requested = True
            self._owner.request_watch_keyframe()
        if self._n_backlog_bytes > MAX_KEPT_BYTES:
            self._backlog, self._n_backlog_bytes = [], 0

    def _flush(self) -> None:
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        if self._pending:
            batch, self._pending = _join(self._pending), []
            self._send(batch)

    def _send(self, message: str | bytes) -> None:
        for watcher in self._watchers:
            watcher.put(message)

    def _count_changed(self) -> None:
        if self._count_timer is None and self._max_watchers:
            self._count_timer = asyncio.get_running_loop().call_later(COUNT_SECONDS, self._report_count)

    def _report_count(self) -> None:
        self._count_timer = None
        if self.n_watchers != self._reported_count:
            self._reported_count = self.n_watchers
            self._owner.report_watchers(self.n_watchers)


class WatchRegistry:
    """All games of this server that may be watched, by their token, and the limits on their watchers."""

    def __init__(self, max_per_game: int, max_watchers: int, server_id: UUID | None = None) -> None:
        """`server_id` is this server, if it has an address that tokens may lead to."""
        self._max_per_game, self._max_watchers, self._server_id = max_per_game, max_watchers, server_id
        self._hubs: dict[bytes, WatchHub] = {}

    @property
    def n_watchers(self) -> int:
        """Number of watchers on this server."""
        return sum(hub.n_watchers for hub in self._hubs.values())

    def open_hub(self, owner: HubOwner, description: str) -> WatchHub:
        """Make a game available under a new token."""
        hub = WatchHub(owner, description, self._max_per_game, self._has_capacity, self._server_id)
        self._hubs[_hash(hub.token)] = hub
        return hub

    def _has_capacity(self) -> bool:
        return self.n_watchers < self._max_watchers

    def close_hub(self, hub: WatchHub, code: CloseCode, reason: str) -> None:
        """Invalidate a token, and disconnect the watchers."""
        self._hubs.pop(_hash(hub.token), None)
        hub.close(code, reason)

    def find(self, token: str) -> WatchHub:
        """Return the game with this token. Raises InvalidWatchLink if there is none."""
        hub = self._hubs.get(_hash(token))
        if hub is None or not hmac.compare_digest(hub.token, token):
            raise InvalidWatchLink(REASONS[CloseCode.BAD_LINK])
        return hub


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _join(packets: list[bytes]) -> bytes:
    """Return a batch: each packet after its length, a little-endian u32."""
    return b"".join(part for packet in packets for part in (_LENGTH.pack(len(packet)), packet))
