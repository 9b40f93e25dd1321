"""The sound of a streamed game, for clients that request it. It is not recorded: seed and actions reproduce it."""

from skill_arcade.environments.playable_env import HasAudio, PlayableEnv
from skill_arcade.games.manifest import RealTime, TurnBased
from skill_arcade.wire.sound import SoundPacket

MAX_FRAMES_IN_FLIGHT = 30
"""Unacknowledged frames above which sound is dropped: half of the limit above which frames are (rule S3)."""


class SoundStream:
    """The samples of each step as sound packets."""

    def __init__(self, env: HasAudio, hz: float) -> None:
        self._environment = env
        self.hz = env.samples_per_step * hz
        """Samples per second."""

    @classmethod
    def find(cls, env: PlayableEnv, pace: RealTime | TurnBased) -> "SoundStream | None":
        """Return the sound stream of a game, or None if it has no sound or is not in real time."""
        if isinstance(env, HasAudio) and env.samples_per_step and pace.kind == "real-time":
            return cls(env, pace.hz)
        return None

    def pack(self, frame: int) -> bytes:
        """Return the sound packet of the step that led to this observation."""
        return SoundPacket(frame, self._environment.sound()).pack()
