"""The next episode's beginning, made before anybody asks for it: a reset takes its time."""

from skill_arcade.environments.emulator_config import draw_seed
from skill_arcade.environments.playable_env import PlayableEnv, StepResult
from skill_arcade.frames.encoder import EncodedFrame, Encoder


class PreparedReset:
    """A seed that was drawn and what the stage's reset by it returned, until an episode takes it."""

    def __init__(self, env: PlayableEnv) -> None:
        self._stage = env
        self._made: tuple[int, StepResult] | None = None
        self.size = (0, 0)
        """Width and height of the picture; zeros before the first was made."""

    @property
    def is_ready(self) -> bool:
        """True while one waits: the stage then stands at observation 0."""
        return self._made is not None

    def prepare(self) -> None:
        """Reset the stage, unless one waits."""
        if self._made is None:
            seed = draw_seed()
            self._made = seed, self._stage.reset(seed)
            height, width = self._stage.picture().pixels.shape[:2]
            self.size = width, height

    def consume(self) -> tuple[int, StepResult]:
        """Seed and outcome of the reset, made now if none waits."""
        self.prepare()
        assert self._made is not None
        made, self._made = self._made, None
        return made

    def prepare_picture(self) -> EncodedFrame:
        """Its picture, whole."""
        return Encoder().encode(self._stage.picture())
