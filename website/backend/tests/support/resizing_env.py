"""An environment whose picture changes its size, and a folder of games with it and some of the catalogue.

It is `tests.support.resizing_env:Resizing-v0` and never ends by itself.
"""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from tests.support.catalogue import load_games

MANIFEST = """\
name: Resizing
summary: The picture changes its size.
environment: {id: "tests.support.resizing_env:Resizing-v0"}
pace: {kind: real-time, hz: 60}
noop: 0
controls:
  - {name: tap, label: Tap, keys: [Space]}
actions:
  - {press: [tap], action: 1}
"""
FRAMES_PER_SIZE = 45
SIZES = ((30, 40), (60, 48), (36, 90))


class ResizingEnv(gymnasium.Env[NDArray[np.int64], np.int64]):
    """Its picture has another size every `FRAMES_PER_SIZE` steps, and other colours in each frame."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 60}  # noqa: RUF012 Gymnasium's own way
    observation_space = gymnasium.spaces.Box(0, 2**31 - 1, (1,), np.int64)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self._frame = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed, options=options)
        self._frame = 0
        return np.array([0]), {}

    def step(self, action: Any) -> Any:
        self._frame += 1
        return np.array([self._frame]), float(action), False, False, {}

    def render(self) -> Any:
        height, width = SIZES[self._frame // FRAMES_PER_SIZE % len(SIZES)]
        picture = np.full((height, width, 3), (self._frame * 7 % 256, 90, 40), np.uint8)
        picture[4:20, self._frame % 20 : self._frame % 20 + 12] = (250, self._frame % 256, 200)
        return picture


def write_catalogue(folder: Path, *game_ids: str) -> Path:
    """Write a folder for GAMES_FOLDER with this game and the given ones of the catalogue."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resizing.yaml").write_text(MANIFEST)
    games = load_games()
    for game_id in game_ids:
        (folder / f"{game_id}.yaml").write_text(games[game_id].model_dump_json(exclude={"id"}))  # JSON is YAML
    return folder


if "Resizing-v0" not in gymnasium.registry:
    gymnasium.register("Resizing-v0", entry_point=ResizingEnv)  # type: ignore[arg-type]
