"""Prepares the reset of the next episode in advance, because a reset takes time."""

from typing import NamedTuple

from skill_arcade.environments.emulator_config import draw_seed
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.frames.encoder import EncodedFrame, Encoder


class EncodedPicture(NamedTuple):
    """First picture of an episode as a keyframe, and the encoder that the pictures after it need."""

    encoder: Encoder
    frame: EncodedFrame


class ConsumedReset(NamedTuple):
    """Seed, result and, if it was encoded already, first picture of an episode."""

    seed: int
    result: StepResult
    picture: EncodedPicture | None


class PreparedReset:
    """A seed and the result of resetting the environment with it, until an episode uses them."""

    def __init__(self, env: PlayableEnv, seed: int | None = None) -> None:
        """`seed` is the seed of every reset; None means that each gets a new one."""
        self._environment, self._fixed_seed = env, seed
        self._prepared: tuple[int, StepResult] | None = None
        self._picture: EncodedPicture | None = None
        self.size = (0, 0)
        """Width and height of the picture in pixels; (0, 0) before the first reset."""

    @property
    def is_ready(self) -> bool:
        """True while a reset is prepared; the environment is then at observation 0."""
        return self._prepared is not None

    def prepare(self) -> None:
        """Reset the environment, unless a reset is already prepared."""
        if self._prepared is None:
            seed = draw_seed() if self._fixed_seed is None else self._fixed_seed
            self.use(seed, self._environment.reset(seed))

    def use(self, seed: int, result: StepResult) -> None:
        """Use the present state of the environment, which is `result`, as the prepared reset."""
        self._prepared, self._picture = (seed, result), None
        self.measure()

    def measure(self) -> None:
        """Take the size from the environment's picture."""
        height, width = self._environment.picture().pixels.shape[:2]
        self.size = width, height

    @property
    def result(self) -> StepResult:
        """Result of the prepared reset."""
        assert self._prepared is not None
        return self._prepared[1]

    def consume(self, seed: int | None = None) -> ConsumedReset:
        """Return the prepared reset; reset now if there is none, or if this seed is asked for."""
        if seed is not None:
            self._prepared = self._picture = None
            return ConsumedReset(seed, self._environment.reset(seed), None)
        self.prepare()
        assert self._prepared is not None
        consumed = ConsumedReset(*self._prepared, self._picture)
        self._prepared = self._picture = None
        return consumed

    def prepare_picture(self) -> EncodedFrame:
        """Return the first picture as a keyframe."""
        if self._picture is None:
            self._picture = encode_first(self._environment)
        return self._picture.frame


def encode_first(env: PlayableEnv) -> EncodedPicture:
    """Encode the environment's picture as the first one of an encoder."""
    encoder = Encoder()
    return EncodedPicture(encoder, encoder.encode(env.picture()))
