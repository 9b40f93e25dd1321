"""An environment whose picture encodes the index of its observation and the action that led to it.

It is `tests.support.self_describing_env:SelfDescribing-v0` and never ends by itself.
"""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import yaml
from numpy.typing import NDArray

from skill_arcade.games.manifest import Manifest

BITS = 24
MANIFEST = """
name: Self-describing
summary: Tap when you like.
environment: {id: "tests.support.self_describing_env:SelfDescribing-v0"}
pace: {kind: real-time, hz: 60}
noop: 0
controls:
  - {name: tap, label: Tap, keys: [Space]}
actions:
  - {press: [tap], action: 1}
"""


class SelfDescribingEnv(gymnasium.Env[NDArray[np.int64], np.int64]):
    """Its picture is (16, 4 * (BITS + 1), 3): four columns for each bit of the index, and four for the action."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 60}  # noqa: RUF012 Gymnasium's own way
    observation_space = gymnasium.spaces.Box(0, 2**BITS - 1, (1,), np.int64)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._frame, self._action = 0, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed, options=options)
        self._frame, self._action = 0, 0
        return np.array([0]), {}

    def step(self, action: Any) -> Any:
        self._frame, self._action = self._frame + 1, int(action)
        return np.array([self._frame]), float(action), False, False, {}

    def render(self) -> Any:
        blocks = [self._frame >> bit & 1 for bit in range(BITS)] + [self._action]
        row = np.repeat(np.array(blocks, np.uint8) * 255, 4)
        return np.repeat(np.tile(row, (16, 1))[..., None], 3, axis=2)


def read_frame(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the observation index and the action that a picture encodes."""
    blocks = (picture[8, 2::4, 0] > 127).astype(int)
    return int((blocks[:BITS] << np.arange(BITS)).sum()), int(blocks[BITS])


def self_describing_game() -> Manifest:
    """Return a game of this environment."""
    return Manifest.model_validate({"id": "self-describing", **yaml.safe_load(MANIFEST)})


def write_catalogue(folder: Path) -> Path:
    """Write a folder for GAMES_FOLDER with this game only."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "self-describing.yaml").write_text(MANIFEST.lstrip())
    return folder


if "SelfDescribing-v0" not in gymnasium.registry:
    gymnasium.register("SelfDescribing-v0", entry_point=SelfDescribingEnv)  # type: ignore[arg-type]
