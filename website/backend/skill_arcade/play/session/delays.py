"""Delays that a study imposes on a streamed game: inputs act later (rule I4), and pictures are sent later (rule F8)."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from skill_arcade.recording.records import ActiveInput


class HeldInput(NamedTuple):
    """A press or release that has arrived, and acts later."""

    control: str
    down: bool
    source: ActiveInput
    due_us: int


class InputDelay:
    """Inputs that do not act yet, in order of arrival."""

    def __init__(self, delay_us: int) -> None:
        self._delay_us = delay_us
        self._held: deque[HeldInput] = deque()

    @property
    def due_us(self) -> int | None:
        """Time at which the next input acts, or None if there is none."""
        return self._held[0].due_us if self._held else None

    def hold(self, control: str, source: ActiveInput, received: int, *, down: bool) -> None:
        """Add an input that arrived at `received`."""
        self._held.append(HeldInput(control, down, source, received + self._delay_us))

    def take_due(self, now: int) -> Iterator[HeldInput]:
        """Remove the inputs that act by now, and return them one after the other."""
        while self._held and self._held[0].due_us <= now:
            yield self._held.popleft()

    def clear(self) -> None:
        """Drop all inputs, as when the game is paused."""
        self._held.clear()


class OutgoingSink(Protocol):
    """Destination of what is sent to the client."""

    def text(self, message: bytes) -> None:
        """Send a text message."""

    def frame(self, packet: bytes) -> None:
        """Send a frame or sound packet."""


class FrameDelay:
    """Packets that are sent later, and the messages behind them. The order of sending stays.

    Without a delay, everything is sent at once.
    """

    def __init__(self, sink: OutgoingSink, delay_us: int) -> None:
        self._sink, self._delay_us = sink, delay_us
        self._waiting: deque[tuple[int, bool, bytes]] = deque()

    @property
    def due_us(self) -> int | None:
        """Time at which something is to be sent, or None if nothing waits."""
        return self._waiting[0][0] if self._waiting else None

    def frame(self, packet: bytes, made_us: int) -> None:
        """Send the packet of a picture that was made at `made_us`, after the delay."""
        if self._delay_us == 0:
            self._sink.frame(packet)
        else:
            self._waiting.append((made_us + self._delay_us, True, packet))

    def follow_frame(self, packet: bytes) -> None:
        """Send a packet right after those before it."""
        if self._waiting:
            self._waiting.append((self._waiting[-1][0], True, packet))
        else:
            self._sink.frame(packet)

    def follow_text(self, message: bytes) -> None:
        """Send a text message right after what was sent before it."""
        if self._waiting:
            self._waiting.append((self._waiting[-1][0], False, message))
        else:
            self._sink.text(message)

    def release(self, now: int) -> None:
        """Send what is due."""
        while self._waiting and self._waiting[0][0] <= now:
            self._send_first()

    def flush(self) -> None:
        """Send everything now, because the session ends."""
        while self._waiting:
            self._send_first()

    def discard(self) -> None:
        """Forget everything, because the client is gone."""
        self._waiting.clear()

    def _send_first(self) -> None:
        _, is_frame, data = self._waiting.popleft()
        if is_frame:
            self._sink.frame(data)
        else:
            self._sink.text(data)
