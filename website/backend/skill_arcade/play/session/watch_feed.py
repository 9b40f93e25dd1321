"""The session's side of live watching: frames and state for watchers, whatever the player's connection does."""

from typing import Protocol

from skill_arcade.play.session.client_channel import Phase
from skill_arcade.wire.messages import Scene
from skill_arcade.wire.packet import FramePacket


class WatchSink(Protocol):
    """Destination of what watchers see."""

    def watch_frame(self, packet: bytes) -> None:
        """Send a frame packet to the watchers."""

    def watch_scene(self, scene: bytes | None) -> None:
        """Send the state of the game; None means that nobody may watch any more."""


class WatchFeed:
    """What watchers see of one session. It is off until the player allows it.

    Watchers get each frame, also while the player's client is disconnected or drops frames (rule O20).
    """

    def __init__(self, sink: WatchSink) -> None:
        self._sink = sink
        self.is_on = False
        self._scene: Scene | None = None
        self._caption = ""

    def switch(self, *, on: bool) -> None:
        """Begin or end."""
        self.is_on, self._scene = on, None
        if not on:
            self._sink.watch_scene(None)

    def send_frame(self, packet: FramePacket) -> None:
        """Send the frame that was recorded; the bytes are those of the journal."""
        self._caption = packet.caption or ""
        if self.is_on:
            self._sink.watch_frame(packet.pack())

    def send_scene(self, phase: Phase, *, is_away: bool) -> None:
        """Send the state of the game if it has changed."""
        if not self.is_on:
            return
        scene = Scene(type="scene", phase=phase.value, is_away=is_away, caption=self._caption)
        if scene != self._scene:
            self._scene = scene
            self._sink.watch_scene(scene.model_dump_json().encode())
