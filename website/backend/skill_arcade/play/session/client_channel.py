"""The session's side of the client connection: frame back-pressure, keyframes after dropped frames, and pings."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from skill_arcade.frames.encoder import EncodedFrame
from skill_arcade.play.assignment import Ghost, PlayConsent
from skill_arcade.play.session.delays import FrameDelay
from skill_arcade.play.session.episode_recorder import EpisodeRecorder
from skill_arcade.play.session.sound_stream import MAX_FRAMES_IN_FLIGHT as MAX_SOUND_FRAMES_IN_FLIGHT
from skill_arcade.play.session.sound_stream import SoundStream
from skill_arcade.wire import messages
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS
from skill_arcade.wire.packet import FramePacket

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

    def __init__(
        self,
        sink: MessageSink,
        sound: SoundStream | None = None,
        *,
        is_sound_forced: bool = False,
        delay_us: int = 0,
    ) -> None:
        """Initialize.

        * `is_sound_forced`: sound is sent although the client does not request it (rule F9).
        * `delay_us`: time by which frames, and all messages but `pong`, are held back (rule F8).
        """
        self._sink, self._sound, self._is_sound_forced = sink, sound, is_sound_forced
        self._outgoing = FrameDelay(sink, delay_us)
        self._pongs: dict[int, tuple[float, int, int]] = {}
        self.is_attached = False
        self.hello: messages.Hello | None = None
        self.setup: messages.Setup | None = None
        self.received = 0
        self._sent = 0
        self.dropped_frames = 0
        self._caption: str | None = None

    def attach(self, hello: messages.Hello) -> None:
        """Start with a new connection, whose client has sent nothing but `hello` yet."""
        self.is_attached, self.hello, self.setup, self._pongs = True, hello, None, {}
        self._caption = None
        self._outgoing.discard()

    def detach(self) -> None:
        """Forget the client after its connection was lost."""
        self.is_attached = False
        self._outgoing.discard()

    @property
    def due_us(self) -> int | None:
        """Time at which `release` has something to send, or None if nothing waits."""
        return self._outgoing.due_us

    def release(self, now: int) -> None:
        """Send the frames whose delay is over."""
        self._outgoing.release(now)

    def flush(self) -> None:
        """Send all that waits, because the session ends."""
        self._outgoing.flush()

    def send(self, message: BaseModel) -> None:
        """Send a text message if a client is connected."""
        if self.is_attached:
            self._outgoing.follow_text(message.model_dump_json().encode())

    def welcome(
        self,
        game: str,
        phase: Phase,
        size: tuple[int, int],
        n_actions: int,
        episode: EpisodeRecorder | None,
        offer: messages.Offer | None,
        ghost: Ghost | None,
        consent: PlayConsent,
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
                n_actions=n_actions,
                episode=str(episode.id) if episode else None,
                ping_ms=PING_MS,
                lockstep=offer,
                sound_hz=None if self._sound is None else self._sound.hz,
                ghost=None if ghost is None else messages.ShownGhost.model_validate(ghost.describe()),
                recorded=consent.is_recorded,
                watchable=consent.is_recorded and consent.is_watchable,
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
        self._outgoing.discard()
        self._sink.close(CloseCode.BAD_MESSAGE, reason)

    def close(self, code: CloseCode, reason: str) -> None:
        """Close the connection."""
        self._outgoing.discard()
        self._sink.close(code, reason)

    def expect_frame(self, frame: int) -> None:
        """Count everything up to this observation as received, as at the start of an episode or after a reconnect."""
        self.received, self._sent, self.dropped_frames = frame, frame, 0

    def acknowledge(self, frame: int) -> None:
        """Note that the client has received all observations up to this one."""
        self.received = max(self.received, frame)

    def send_frame(self, packet: FramePacket, make_keyframe: Callable[[], EncodedFrame]) -> int:
        """Send a frame, or drop it while too many frames are unacknowledged (rule F2).

        A frame that follows dropped frames is sent as a keyframe, made by `make_keyframe`. Returns the number of frames
        dropped before a frame that was sent.
        """
        if not self.is_attached:
            return 0
        # Dropped frames do not count as in flight, so a client that was silent catches up as soon as it has
        # acknowledged everything that was actually sent.
        if self._sent - self.received >= MAX_FRAMES_IN_FLIGHT and not packet.is_final:
            self.dropped_frames += 1
            if self.dropped_frames > MAX_DROPPED_FRAMES:
                self.close(CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
            return 0
        n_dropped, self.dropped_frames, self._sent = self.dropped_frames, 0, packet.frame
        self._send_caption(packet.caption)
        if n_dropped and not packet.encoded.key:
            packet = packet._replace(encoded=make_keyframe())
        self._outgoing.frame(packet.pack(), packet.server_us)
        if packet.frame > 0:
            self._send_sound(packet.frame)
        return n_dropped

    def _send_caption(self, caption: str | None) -> None:
        """Send the text beside the picture if it has changed (rule O15)."""
        if caption is not None and caption != self._caption:
            self._caption = caption
            self.send(messages.Caption(type="caption", text=caption))

    def _send_sound(self, frame: int) -> None:
        """Send the sound of a frame after it, if it is wanted and the client keeps up (rules S1 to S3, F9)."""
        is_sound_requested = self._is_sound_forced or (self.setup is not None and self.setup.sound)
        if is_sound_requested and self._sound is not None and self._sent - self.received < MAX_SOUND_FRAMES_IN_FLIGHT:
            self._outgoing.follow_frame(self._sound.pack(frame))

    def send_preview(self, encoded_frame: EncodedFrame, caption: str | None) -> None:
        """Send the first picture of the next episode. It belongs to no episode yet and is not acknowledged."""
        if self.is_attached:
            self._send_caption(caption)
            self._outgoing.follow_frame(FramePacket(0, 0, encoded_frame, is_preview=True).pack())

    def answer(self, ping: messages.Ping, received: int, now: int) -> dict[str, Any] | None:
        """Answer a ping.

        Return the clock sample that it completes, or None if it does not report when the last pong arrived.
        """
        sample = None
        if ping.previous is not None and (earlier := self._pongs.pop(ping.previous[0], None)) is not None:
            asked_ms, received_us, answered_us = earlier
            sample = {
                "asked_ms": asked_ms,
                "received_us": received_us,
                "answered_us": answered_us,
                "back_ms": ping.previous[1],
            }
        if len(self._pongs) >= MAX_REMEMBERED_PONGS:
            del self._pongs[min(self._pongs)]
        self._pongs[ping.id] = ping.at, received, now
        pong = messages.Pong(type="pong", id=ping.id, received_us=received, sent_us=now)
        if self.is_attached:  # never delayed: the page measures the connection and the clocks by it
            self._sink.text(pong.model_dump_json().encode())
        return sample
