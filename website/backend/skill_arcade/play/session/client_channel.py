"""The session's side of the client connection: frame back-pressure, keyframes after dropped frames, and pings."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from skill_arcade.frames.encoder import EncodedFrame
from skill_arcade.play.session.episode_recorder import EpisodeRecorder, FrameUpdate
from skill_arcade.play.session.sound_stream import MAX_FRAMES_IN_FLIGHT as MAX_SOUND_FRAMES_IN_FLIGHT
from skill_arcade.play.session.sound_stream import SoundStream
from skill_arcade.wire import messages
from skill_arcade.wire.close_codes import REASONS, CloseCode
from skill_arcade.wire.packet import KEYFRAME, LAST, PREVIEW, TERMINATED, TRUE_COLOUR, TRUNCATED, FramePacket

PING_MS = 1000
MAX_REMEMBERED_PONGS = 16
"""Pongs whose time of arrival may still be reported. A round trip may take longer than the interval between two pings.
"""
MAX_FRAMES_IN_FLIGHT = 60
"""Unacknowledged frames above which frames are dropped: one second of Atari (rule F2)."""

MAX_DROPPED_FRAMES = 600
"""Consecutive dropped frames after which the connection is closed, so that the game pauses until the player reconnects
(rule F3).
"""


class Phase(StrEnum):
    """State of a session."""

    ready = "ready"
    playing = "playing"
    paused = "paused"
    ended = "ended"


class MessageSink(Protocol):
    """Destination of the messages and packets for the client."""

    def text(self, message: bytes) -> None:
        """Send a text message, which is never dropped."""

    def frame(self, packet: bytes) -> None:
        """Send a frame or sound packet."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Close the connection."""


class ClientChannel:
    """At most one connected client, over the session's message sink."""

    def __init__(self, sink: MessageSink, sound: SoundStream | None = None) -> None:
        self._sink, self._sound = sink, sound
        self._pongs: dict[int, tuple[float, int, int]] = {}
        self.is_attached = False
        self.hello: messages.Hello | None = None
        self.setup: messages.Setup | None = None
        self.received = 0
        self._sent = 0
        self.dropped_frames = 0
        self._caption: str | None = None

    def attach(self) -> None:
        """Start with a new connection, whose client has sent nothing yet."""
        self.is_attached, self.hello, self.setup, self._pongs = True, None, None, {}
        self._caption = None

    def detach(self) -> None:
        """Forget the client after its connection was lost."""
        self.is_attached = False

    def send(self, message: BaseModel) -> None:
        """Send a text message if a client is connected."""
        if self.is_attached:
            self._sink.text(message.model_dump_json().encode())

    def welcome(
        self,
        game: str,
        phase: Phase,
        size: tuple[int, int],
        episode: EpisodeRecorder | None,
        offer: messages.Offer | None,
    ) -> None:
        """Answer `hello`. `episode` is the running episode, or None if there is none."""
        self.send(
            messages.Welcome(
                type="welcome",
                protocol=messages.PROTOCOL,
                game=game,
                phase=phase.value,
                width=size[0],
                height=size[1],
                episode=str(episode.id) if episode else None,
                ping_ms=PING_MS,
                lockstep=offer,
                sound_hz=None if self._sound is None else self._sound.hz,
            )
        )

    def started(self, episode: EpisodeRecorder, lockstep: messages.Lockstep | None) -> None:
        """Announce an episode that has begun, or that continues after a reconnect."""
        self.send(
            messages.Started(type="started", episode=str(episode.id), server_us=episode.started_us, lockstep=lockstep)
        )

    def ended(self, episode: EpisodeRecorder, reason: str) -> None:
        """Announce the end of an episode."""
        self.send(
            messages.Ended(
                type="ended",
                episode=str(episode.id),
                status=episode.outcome(),
                reason=reason,
                score=episode.score,
                n_steps=episode.n_steps,
            )
        )

    def reject(self, reason: str) -> None:
        """Close the connection of a client that violates the protocol (rule O7)."""
        self._sink.close(CloseCode.BAD_MESSAGE, reason)

    def close(self, code: CloseCode, reason: str) -> None:
        """Close the connection."""
        self._sink.close(code, reason)

    def expect_frame(self, frame: int) -> None:
        """Count everything up to this observation as received, as at the start of an episode or after a reconnect."""
        self.received, self._sent, self.dropped_frames = frame, frame, 0

    def acknowledge(self, frame: int) -> None:
        """Note that the client has received all observations up to this one."""
        self.received = max(self.received, frame)

    def send_frame(self, update: FrameUpdate, make_keyframe: Callable[[], EncodedFrame]) -> int:
        """Send a frame, or drop it while too many frames are unacknowledged (rule F2).

        A frame that follows dropped frames is sent as a keyframe, made by `make_keyframe`. Returns the number of frames
        dropped before a frame that was sent.
        """
        if not self.is_attached:
            return 0
        # Dropped frames do not count as in flight, so a client that was silent catches up as soon as it has
        # acknowledged everything that was actually sent.
        if self._sent - self.received >= MAX_FRAMES_IN_FLIGHT and not update.is_final:
            self.dropped_frames += 1
            if self.dropped_frames > MAX_DROPPED_FRAMES:
                self.close(CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
            return 0
        n_dropped, self.dropped_frames, self._sent = self.dropped_frames, 0, update.frame
        self._send_caption(update.caption)
        encoded_frame = make_keyframe() if n_dropped and not update.encoded_frame.key else update.encoded_frame
        self._sink.frame(pack_frame(update, encoded_frame))
        if update.frame > 0:
            self._send_sound(update.frame)
        return n_dropped

    def _send_caption(self, caption: str | None) -> None:
        """Send the text beside the picture if it has changed (rule O15)."""
        if caption is not None and caption != self._caption:
            self._caption = caption
            self.send(messages.Caption(type="caption", text=caption))

    def _send_sound(self, frame: int) -> None:
        """Send the sound of a frame after it, if the client wants sound and is not falling behind (rules S1 to S3)."""
        is_sound_requested = self.setup is not None and self.setup.sound
        if is_sound_requested and self._sound is not None and self._sent - self.received < MAX_SOUND_FRAMES_IN_FLIGHT:
            self._sink.frame(self._sound.pack(frame))

    def send_preview(self, encoded_frame: EncodedFrame, caption: str | None) -> None:
        """Send the first picture of the next episode. It belongs to no episode yet and is not acknowledged."""
        if self.is_attached:
            self._send_caption(caption)
            flags = PREVIEW | KEYFRAME | (TRUE_COLOUR if encoded_frame.true_colour else 0)
            rectangle = 0, 0, encoded_frame.width, encoded_frame.height
            self._sink.frame(
                FramePacket(flags, 0, 0, 0.0, -1, *rectangle, encoded_frame.palette, encoded_frame.data).pack()
            )

    def answer(self, ping: messages.Ping, received: int, now: int) -> dict[str, Any] | None:
        """Answer a ping.

        Return the clock sample that it completes, or None if it does not report when the last pong arrived.
        """
        sample = None
        if ping.previous is not None and (pong := self._pongs.pop(ping.previous[0], None)) is not None:
            asked_ms, received_us, answered_us = pong
            sample = {
                "asked_ms": asked_ms,
                "received_us": received_us,
                "answered_us": answered_us,
                "back_ms": ping.previous[1],
            }
        if len(self._pongs) >= MAX_REMEMBERED_PONGS:
            del self._pongs[min(self._pongs)]
        self._pongs[ping.id] = ping.at, received, now
        self.send(messages.Pong(type="pong", id=ping.id, received_us=received, sent_us=now))
        return sample


def pack_frame(update: FrameUpdate, encoded_frame: EncodedFrame) -> bytes:
    """Pack an observation for the client, with the encoded frame that shows it."""
    flags = (
        (KEYFRAME if encoded_frame.key else 0)
        | (TRUE_COLOUR if encoded_frame.true_colour else 0)
        | (TERMINATED if update.terminated else 0)
        | (TRUNCATED if update.truncated else 0)
        | (LAST if update.is_final else 0)
    )
    rectangle = encoded_frame.x, encoded_frame.y, encoded_frame.width, encoded_frame.height
    return FramePacket(
        flags,
        update.frame,
        update.server_us,
        update.score,
        update.lives,
        *rectangle,
        encoded_frame.palette,
        encoded_frame.data,
    ).pack()
