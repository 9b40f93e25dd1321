"""What a game sounds like, for a page that has asked for it. Not recorded: seed and actions give it back."""

from skill_arcade.environments.playable_env import HasAudio, PlayableEnv
from skill_arcade.games.manifest import RealTime, TurnBased
from skill_arcade.wire.sound import SoundPacket

MAX_FRAMES_IN_FLIGHT = 30
"""Frames that may be unacknowledged before sound is left out: half of those at which frames are (rule S3)."""


class SoundStream:
    """The samples of each step, packed."""

    def __init__(self, env: HasAudio, hz: float) -> None:
        self._stage = env
        self.hz = env.samples_per_step * hz
        """Samples a second."""

    @classmethod
    def find(cls, env: PlayableEnv, pace: RealTime | TurnBased) -> "SoundStream | None":
        """None: this game has none, or has no time to play it in."""
        if isinstance(env, HasAudio) and env.samples_per_step and pace.kind == "real-time":
            return cls(env, pace.hz)
        return None

    def pack(self, frame: int) -> bytes:
        """The packet of the step that led to this observation."""
        return SoundPacket(frame, self._stage.sound()).pack()
