"""The next episode's beginning, made before anybody asks for it: a reset takes its time."""

from skill_arcade.environments.emulation import draw_seed
from skill_arcade.environments.stage import Outcome, Stage
from skill_arcade.frames.encoder import Encoder, Piece


class Opening:
    """A seed that was drawn and what the stage's reset by it returned, until an episode takes it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._made: tuple[int, Outcome] | None = None
        self.size = (0, 0)
        """Width and height of the picture; zeros before the first was made."""

    @property
    def made(self) -> bool:
        """True while one waits: the stage then stands at observation 0."""
        return self._made is not None

    def make(self) -> None:
        """Reset the stage, unless one waits."""
        if self._made is None:
            seed = draw_seed()
            self._made = seed, self._stage.reset(seed)
            height, width = self._stage.picture().pixels.shape[:2]
            self.size = width, height

    def take(self) -> tuple[int, Outcome]:
        """Seed and outcome of the reset, made now if none waits."""
        self.make()
        assert self._made is not None
        made, self._made = self._made, None
        return made

    def draw(self) -> Piece:
        """Its picture, whole."""
        return Encoder().encode(self._stage.picture())
