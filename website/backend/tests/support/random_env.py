"""Environments with random spaces, values and pictures: `tests.support.random_env:Random/Any-v0`, by their `case`.

Everything follows from the case, the seed of the episode and the step, so that a second run gives the same.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.random import Generator

N_CASES = 400
N_STEPS = 6
DTYPES = (np.uint8, np.int8, np.int32, np.int64, np.uint64, np.float16, np.float32, np.float64)


def draw_space(rng: Generator, depth: int = 0) -> spaces.Space[Any]:
    """Return a random observation space, nested at most three deep."""
    kinds = ["box", "box", "discrete", "binary", "multi", "text", "sequence", "graph", "oneof"]
    kinds += ["dict", "dict", "tuple"] * (depth < 3)
    match rng.choice(kinds):
        case "box":
            shape = tuple(int(side) for side in rng.integers(0, 4, rng.integers(0, 4)))
            dtype = DTYPES[rng.integers(len(DTYPES))]
            low, high = (0, 100) if np.issubdtype(dtype, np.integer) else (-100, 100)
            return spaces.Box(low, high, shape, dtype)
        case "discrete":
            return spaces.Discrete(int(rng.integers(1, 9)), start=int(rng.integers(-5, 5)))
        case "binary":
            return spaces.MultiBinary(int(rng.integers(1, 5)))
        case "multi":
            return spaces.MultiDiscrete(rng.integers(1, 9, rng.integers(1, 4)))
        case "text":
            return spaces.Text(8, charset="ab\0é\ud800/~.")
        case "sequence":
            return spaces.Sequence(draw_space(rng, depth + 1), stack=False)
        case "graph":
            return spaces.Graph(spaces.Box(-1, 1, (2,)), spaces.Discrete(3) if rng.random() < 0.5 else None)
        case "oneof":
            return spaces.OneOf([draw_space(rng, 3), draw_space(rng, 3)])
        case "tuple":
            return spaces.Tuple([draw_space(rng, depth + 1) for _ in range(rng.integers(1, 4))])
    keys = rng.permutation(["a", "a/b", "b.c", "", "file", "~", "schema", "ключ"])[: rng.integers(1, 5)]
    return spaces.Dict({str(key): draw_space(rng, depth + 1) for key in keys})


def draw_value(rng: Generator, depth: int = 0) -> Any:
    """Return a random value of info."""
    simple: list[Any] = [
        None, True, float("nan"), float("-inf"), -0.0, 1e23, 2**70, "a\0b", "\ud800", b"\xff", 1j, np.float32(0.1),
        np.int8(-3), np.bool_(True), np.array([np.nan, 1.5]), np.datetime64("2024-01-01"), frozenset({1, 2}),
    ]  # fmt: skip
    if depth < 3 and rng.random() < 0.4:
        parts = [draw_value(rng, depth + 1) for _ in range(rng.integers(0, 4))]
        if rng.random() < 0.5:
            return parts
        return {["k", "$tag", 1, "n\0"][index]: part for index, part in enumerate(parts)}
    return simple[rng.integers(len(simple))]


def draw_picture(rng: Generator, kind: int, size: tuple[int, int]) -> Any:
    """Return a random picture in one of the forms that `render` may have."""
    height, width = size
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    forms: list[Any] = [
        picture,
        picture // 64 * 64,
        picture[..., :1],
        picture[..., 0],
        picture[..., 0] > 99,
        picture / 255.0,
        picture.astype(np.int64),
        rng.integers(0, 256, (height, width, 4), np.uint8),
        [picture],
    ]
    return forms[kind % len(forms)]


class RandomEnv(gymnasium.Env[Any, Any]):
    """An environment that is random in everything, and the same for the same case and seed."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  (declared like this in Gymnasium)

    def __init__(self, case: int, render_mode: str | None = None) -> None:
        self.render_mode, self.n, self._case, self._seed = render_mode, 0, case, 0
        rng = np.random.default_rng(case)
        self.observation_space = draw_space(rng)
        self.action_space = spaces.Discrete(2)
        self._picture_kind, self._changes_size = int(rng.integers(9)), bool(rng.random() < 0.3)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.n, self._seed = 0, seed or 0
        self.observation_space.seed(self._seed)
        return self.observation_space.sample(), self._info()

    def step(self, action: int) -> Any:
        self.n += 1
        reward = [0.5, np.float32(0.1), np.array([2.0]), float("nan"), float("inf"), 7][(self._case + self.n) % 6]
        return self.observation_space.sample(), reward, self.n >= N_STEPS, False, self._info()

    def render(self) -> Any:
        size = (5 + self.n % 3, 8) if self._changes_size else (6, 8)
        return draw_picture(self._rng(1), self._picture_kind, size)

    def _info(self) -> dict[str, Any]:
        rng = self._rng(0)
        return {"value": draw_value(rng), "other": draw_value(rng)}

    def _rng(self, stream: int) -> Generator:
        return np.random.default_rng((self._case, self._seed, self.n, stream))


MANIFEST = f"""
name: Random
summary: A test.
environment: {{id: "{__name__}:Random/Any-v0", kwargs: {{case: 0}}}}
pace: {{kind: turn-based}}
controls:
  - {{name: go, label: Go, keys: [ArrowRight]}}
actions:
  - {{press: [go], action: 1}}
options: {{case: [{", ".join(map(str, range(N_CASES)))}]}}
"""

if "Random/Any-v0" not in gymnasium.registry:
    gymnasium.register("Random/Any-v0", entry_point=f"{__name__}:RandomEnv")
