"""Tells whether the player of a game plays, so that games which nobody plays can be closed (rules O12 and O13)."""

import re
from dataclasses import dataclass

# What a player does, in messages of the page. A page that is only open sends pings and paint times.
PLAYS = re.compile(rb'"type"\s*:\s*"(?:input|act|resume)"|"inputs"\s*:\s*\[\s*\{')
PHASE = re.compile(rb'"phase":"(\w+)"')


@dataclass(frozen=True, slots=True)
class ActivityLimits:
    """Seconds after which a game is closed: without an episode, and without input in a running or paused one."""

    idle_seconds: float
    inactive_seconds: float
    resume_seconds: float


class PlayerActivity:
    """Follows the messages of one game in both directions. All times are seconds of a monotonic clock."""

    __slots__ = ("_active_at", "_has_episode", "_limits", "has_started", "warned_at")

    def __init__(self, limits: ActivityLimits, now: float) -> None:
        self._limits, self._active_at, self._has_episode = limits, now, False
        self.has_started = False
        """True once the first episode has started."""
        self.warned_at: float | None = None
        """When the client was disconnected while its episode could still be resumed, or None."""

    def on_client_text(self, text: bytes, now: float) -> None:
        """Take note of a message of the page."""
        if self._has_episode and PLAYS.search(text):
            self._set_active(now)

    def on_server_text(self, payload: bytes, now: float) -> None:
        """Take note of a message of the game."""
        if payload.startswith(b'{"type":"started"'):
            if not self._has_episode:  # otherwise it follows a reconnect, which by itself is no activity
                self._set_active(now)
            self._has_episode = self.has_started = True
        elif payload.startswith(b'{"type":"ended"'):
            self._has_episode = False
            self._set_active(now)
        elif payload.startswith(b'{"type":"welcome"') and (phase := PHASE.search(payload)) is not None:
            self._has_episode = phase[1] in (b"playing", b"paused")

    def _set_active(self, now: float) -> None:
        self._active_at, self.warned_at = now, None

    @property
    def has_episode(self) -> bool:
        """True while an episode runs or is paused, and could be resumed."""
        return self._has_episode

    @property
    def limit_seconds(self) -> float:
        """Seconds for which the game may be unused now."""
        return self._limits.inactive_seconds if self._has_episode else self._limits.idle_seconds

    def is_unused(self, now: float) -> bool:
        """Return whether the game has been unused for longer than the limit."""
        return now - self._active_at > self.limit_seconds

    def may_resume(self, now: float) -> bool:
        """Return whether a client that was disconnected for inactivity still has time to resume its episode."""
        return self.warned_at is not None and now - self.warned_at <= self._limits.resume_seconds
