"""The session's side of the socket: what the page has said it has, and what it still can take."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel

from skill_arcade.frames.encoder import EncodedFrame
from skill_arcade.play.session.episode_recorder import EpisodeRecorder, FrameUpdate
from skill_arcade.play.session.sound_stream import MAX_FRAMES_IN_FLIGHT as IN_FLIGHT_SOUND
from skill_arcade.play.session.sound_stream import SoundStream
from skill_arcade.wire import messages
from skill_arcade.wire.close_codes import REASONS, CloseCode
from skill_arcade.wire.packet import KEYFRAME, LAST, PREVIEW, TERMINATED, TRUE_COLOUR, TRUNCATED, FramePacket

PING_MS = 1000
MAX_REMEMBERED_PONGS = 16
"""Answered pings whose way back may still become known: a round trip may be longer than the pause between pings."""
MAX_FRAMES_IN_FLIGHT = 60
"""Frames that may be unacknowledged before packets are left out: a second of Atari (rule F2)."""

MAX_DROPPED_FRAMES = 600
"""Frames left out after which the socket is closed: its page takes nothing, and the game had better wait (rule F3)."""


class Phase(StrEnum):
    """Where the session stands."""

    ready = "ready"
    playing = "playing"
    paused = "paused"
    ended = "ended"


class MessageSink(Protocol):
    """Where packets go."""

    def text(self, message: bytes) -> None:
        """Must arrive."""

    def frame(self, packet: bytes) -> None:
        """A frame packet."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Close the socket."""


class ClientChannel:
    """One page at a time, over the session's outbox."""

    def __init__(self, sink: MessageSink, sound: SoundStream | None = None) -> None:
        self._outbox, self._sound = sink, sound
        self._pongs: dict[int, tuple[float, int, int]] = {}
        self.is_attached = False
        self.hello: messages.Hello | None = None
        self.setup: messages.Setup | None = None
        self.received = 0
        self._sent = 0
        self.dropped_frames = 0

    def attach(self) -> None:
        """A socket is there; its page has said nothing yet."""
        self.is_attached, self.hello, self.setup, self._pongs = True, None, None, {}

    def detach(self) -> None:
        """The socket is gone."""
        self.is_attached = False

    def send(self, message: BaseModel) -> None:
        """Send a text message, if anybody is there."""
        if self.is_attached:
            self._outbox.text(message.model_dump_json().encode())

    def welcome(
        self,
        game: str,
        phase: Phase,
        size: tuple[int, int],
        episode: EpisodeRecorder | None,
        offer: messages.Offer | None,
    ) -> None:
        """Answer to hello; `episode`: the one that is under way."""
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
        """An episode has begun, or goes on for a page that came back."""
        self.send(
            messages.Started(type="started", episode=str(episode.id), server_us=episode.started_us, lockstep=lockstep)
        )

    def ended(self, episode: EpisodeRecorder, reason: str) -> None:
        """An episode is over."""
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
        """Close the socket: the page does not keep to the protocol (rule O7)."""
        self._outbox.close(CloseCode.BAD_MESSAGE, reason)

    def close(self, code: CloseCode, reason: str) -> None:
        """Close the socket."""
        self._outbox.close(code, reason)

    def expect_frame(self, frame: int) -> None:
        """A new episode, or a page that came back: everything up to this observation counts as received."""
        self.received, self._sent, self.dropped_frames = frame, frame, 0

    def acknowledge(self, frame: int) -> None:
        """The page has got the observations up to this one."""
        self.received = max(self.received, frame)

    def send_frame(self, view: FrameUpdate, make_keyframe: Callable[[], EncodedFrame]) -> int:
        """Send a frame, or leave it out while the page is too far behind (rule F2).

        Returns how many were left out before this one; it then went as `whole()`, a key piece.
        """
        if not self.is_attached:
            return 0
        # What was left out is not in flight: who was silent for seconds gets more once they have all that was sent.
        if self._sent - self.received >= MAX_FRAMES_IN_FLIGHT and not view.is_final:
            self.dropped_frames += 1
            if self.dropped_frames > MAX_DROPPED_FRAMES:
                self.close(CloseCode.TOO_SLOW, REASONS[CloseCode.TOO_SLOW])
            return 0
        gap, self.dropped_frames, self._sent = self.dropped_frames, 0, view.frame
        piece = make_keyframe() if gap and not view.piece.key else view.piece
        self._outbox.frame(pack_frame(view, piece))
        if view.frame > 0:
            self._send_sound(view.frame)
        return gap

    def _send_sound(self, frame: int) -> None:
        """Behind the frame, for who has asked for it and is not falling behind (rules S1 to S3)."""
        wanted = self.setup is not None and self.setup.sound
        if wanted and self._sound is not None and self._sent - self.received < IN_FLIGHT_SOUND:
            self._outbox.frame(self._sound.pack(frame))

    def send_preview(self, piece: EncodedFrame) -> None:
        """Send the picture that the next episode begins with: it is of no episode yet, and nobody acknowledges it."""
        if self.is_attached:
            flags = PREVIEW | KEYFRAME | (TRUE_COLOUR if piece.true_colour else 0)
            whole = 0, 0, piece.width, piece.height
            self._outbox.frame(FramePacket(flags, 0, 0, 0.0, -1, *whole, piece.palette, piece.data).pack())

    def answer(self, ping: messages.Ping, received: int, now: int) -> dict[str, Any] | None:
        """Answer a ping; the clock sample that it completed, if it carries back the last pong's arrival."""
        sample = None
        if ping.previous is not None and (pong := self._pongs.pop(ping.previous[0], None)) is not None:
            asked, arrived, answered = pong
            sample = {
                "asked_ms": asked,
                "received_us": arrived,
                "answered_us": answered,
                "back_ms": ping.previous[1],
            }
        if len(self._pongs) >= MAX_REMEMBERED_PONGS:
            del self._pongs[min(self._pongs)]
        self._pongs[ping.id] = ping.at, received, now
        self.send(messages.Pong(type="pong", id=ping.id, received_us=received, sent_us=now))
        return sample


def pack_frame(view: FrameUpdate, piece: EncodedFrame) -> bytes:
    """A view as the page gets it, with the piece that shows it."""
    flags = (
        (KEYFRAME if piece.key else 0)
        | (TRUE_COLOUR if piece.true_colour else 0)
        | (TERMINATED if view.terminated else 0)
        | (TRUNCATED if view.truncated else 0)
        | (LAST if view.is_final else 0)
    )
    rectangle = piece.x, piece.y, piece.width, piece.height
    return FramePacket(
        flags, view.frame, view.server_us, view.score, view.lives, *rectangle, piece.palette, piece.data
    ).pack()
