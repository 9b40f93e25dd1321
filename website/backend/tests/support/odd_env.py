"""Odd but lifelike environments, one for each case: `tests.support.odd_env:Odd/{Case}-v0`.

The cases follow public reports; the number of an issue is given where there is one.
"""

import datetime
import enum
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.spaces import GraphInstance
from PIL import Image

from skill_arcade.games.manifest import Manifest

N_STEPS = 20
PLAIN_SPACE = spaces.Dict({"a": spaces.Box(-99, 999, (), np.float32), "b": spaces.Box(-99, 999, (), np.float32)})


class Level(enum.IntEnum):
    """An integer of another class."""

    HARD = 3


class Opaque:
    """An object that nothing can restore, with a text that is the same in every process."""

    def __repr__(self) -> str:
        return "<opaque>"


def _plain_observation(n: int) -> Any:
    return {"a": np.float32(n), "b": np.float32(-n)}


def _empty_info(n: int) -> dict[Any, Any]:
    return {}


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


OBSERVATIONS: dict[str, Callable[[int], Any]] = {
    # RLlib 24105, 36203: reset says a, b; steps say b, a
    "dict-order": lambda n: (
        {"a": np.float32(n), "b": np.float32(100 + n)} if n == 0 else {"b": np.float32(100 + n), "a": np.float32(n)}
    ),
    # numpy 5243: names that savez takes as its own arguments
    "key-file": lambda n: {"file": np.float32(n), "x": np.float32(n)},
    "key-schema": lambda n: {"schema": np.float32(n), "~schema": np.float32(-n)},
    "key-allow-pickle": lambda n: {"allow_pickle": np.float32(n), "x": np.float32(n)},
    # hazardlib 466, anndata 2099: names that collide as paths
    "key-slash": lambda n: {"a/b": np.float32(n), "a": {"b": np.float32(100 + n)}},
    "key-dot": lambda n: {"x.npy": np.float32(n), "x": np.float32(-n), "..": np.float32(2 * n)},
    "key-unicode": lambda n: {"ключ": np.float32(n), "": np.float32(-n)},
    "text-nul": lambda n: {"t": f"ab{n}\0", "x": np.float32(n)},
    "text-surrogate": lambda n: {"t": f"\ud800{n}"},
    "tuple": lambda n: (np.int64(n), {"deep": np.full((2, 2), n, np.uint8)}),
    "float16": lambda n: np.full(3, n / 3, np.float16),
    "uint64": lambda n: np.uint64(2**64 - 1 - n),
    "complex": lambda n: np.array([n + 1j], np.complex128),
    "empty": lambda n: np.zeros((0, 3), np.float32),
    "structured": lambda n: np.array([(n, n / 2)], np.dtype([("hp", "<i4"), ("speed", "<f8")])),
    "nan-observation": lambda n: np.array([np.nan, np.inf, -np.inf, -0.0, n], np.float32),
    "sequence": lambda n: tuple(np.float32(i) for i in range(3 - n % 3)),
    "graph": lambda n: GraphInstance(
        np.full((1 + n % 2, 2), n, np.float32), None if n % 2 else np.array([n]), None if n % 2 else np.array([[0, 0]])
    ),
    "none-part": lambda n: {"target": None if n % 2 else np.float32(n), "x": np.float32(n)},
    "texts": lambda n: np.array(["a" * (n + 1), "b"]),
    "wider-at-reset": lambda n: {"d": np.float64(0) if n == 0 else np.float32(n)},
}
SPACES: dict[str, Any] = {
    "sequence": spaces.Sequence(spaces.Box(0, 9, (), np.float32)),
    "graph": spaces.Graph(spaces.Box(0, 99, (2,)), spaces.Discrete(99)),
    "none-part": spaces.Dict({"target": spaces.OneOf([spaces.Discrete(2)]), "x": spaces.Box(0, 99, ())}),
}
REFUSED_OBSERVATIONS: dict[str, tuple[Callable[[int], Any], str]] = {
    # gym 2336: reset and step disagree about the dtype
    "int-then-float": (lambda n: {"d": 0 if n == 0 else n + 0.75}, "which cannot hold it"),
    "bool-then-int": (lambda n: {"flag": False if n == 0 else n + 1}, "which cannot hold it"),
    "uint8-then-300": (lambda n: np.uint8(7) if n == 0 else 300, "which cannot hold it"),
    "int-then-nan": (lambda n: np.int64(7) if n == 0 else float("nan"), "which cannot hold it"),
    "complex-then": (lambda n: np.float64(7) if n == 0 else 1j, "which cannot hold it"),
    "number-then-text": (lambda n: 5 if n == 0 else "7", "at the reset it was an array of int64"),
    "growing": (lambda n: np.arange(1 + n, dtype=np.float32), "at the reset it had (1,)"),
    "key-missing": (lambda n: {"a": 1, "b": 2} if n == 0 else {"a": 1}, "the observation has the parts"),
    "opaque-observation": (lambda n: {"o": Opaque()}, "cannot be recorded"),
    "keys-with-one-text": (lambda n: {1: np.float32(n), "1": np.float32(n)}, "the same text"),
}
INFOS: dict[str, Callable[[int], dict[Any, Any]]] = {
    # langflow 11905, scribe 18: NaN and Infinity are no JSON
    "nan-info": lambda n: {"distance": float("nan") if n % 2 else 1.5, "deep": {"q": [np.nan, 1.0]}},
    "inf-info": lambda n: {
        "ttl": np.float32(np.inf),
        "low": -np.inf,
        "zero": -0.0,
        "big": 1e23,
        "f": np.float32(3.4e38),
    },
    # R2R 1264, dust 20554: Postgres keeps no NUL and no lone surrogate
    "nul-info": lambda n: {"said": "a\0b", "k\0ey": n},
    "surrogate-info": lambda n: {"said": "\ud800", "\udfff": n},
    # gym 400: NumPy types are no JSON
    "object-info": lambda n: {"parts": np.array([{1}, None], dtype=object), "o": Opaque()},
    "complex-info": lambda n: {"z": np.array([1 + 2j]), "w": complex(n, -0.0)},
    "datetime-info": lambda n: {"t": np.datetime64("2024-01-01"), "b": np.bytes_(b"x"), "d": datetime.date(2024, 1, 2)},
    "set-info": lambda n: {"seen": {"a", "b", str(n)}, "f": frozenset([(1, 2)])},
    "enum-info": lambda n: {"level": Level.HARD, "x": np.int8(n), "flag": np.bool_(n % 2), "d": Decimal("0.1")},
    "int-keys-info": lambda n: {1: "one", "1": "text", (2, 3): "tuple", None: n},
    "huge-info": lambda n: {"n": 10**5000 + n, "text": "x" * 100_000, "list": list(range(2000))},
    "long-int-info": lambda n: {"n": 10**400, "bound": -(2**1024)},
    "deep-info": lambda n: {"deep": _deep(900)},
    "own-tags-info": lambda n: {"$float": "nan", "deep": {"$text": "a"}},
}
REFUSED_INFOS: dict[str, tuple[Any, str]] = {
    "none-info": (None, "the info None; it must be a dictionary"),
    "list-info": ([1], "it must be a dictionary"),
}
REWARDS: dict[str, tuple[Any, float]] = {
    "nan-reward": (float("nan"), float("nan")),
    "inf-reward": (float("inf"), float("inf")),
    "minus-inf-reward": (np.float32(-np.inf), float("-inf")),
    "one-array-reward": (np.array([1.0]), 1.0),
    "nested-array-reward": (np.array([[0.5]], np.float32), 0.5),
    "scalar-reward": (np.float32(0.1), float(np.float32(0.1))),
    "bool-reward": (np.bool_(True), 1.0),
    "int-reward": (7, 7.0),
    "decimal-reward": (Decimal("0.5"), 0.5),
}
REFUSED_REWARDS: dict[str, tuple[Any, str]] = {
    "vector-reward": (np.array([1.0, 2.0]), "it must be one real number"),
    "none-reward": (None, "the reward is None; it must be one real number"),
    "complex-reward": (1j, "it must be one real number"),
    "text-reward": ("1.5", "it must be one real number"),
    "huge-reward": (10**400, "which is no 64-bit float"),
    "inexact-reward": (2**53 + 1, "cannot hold exactly"),
}
PICTURES: dict[str, Callable[[Any, int], Any]] = {
    # gym 1420, 2224, 3040; gym-xarm 10: what render returns
    "rgba": lambda p, n: np.concatenate([p, np.full((*p.shape[:2], 1), 128, np.uint8)], axis=2),
    "noisy-rgba": lambda p, n: np.random.default_rng(n).integers(0, 256, (*p.shape[:2], 4), np.uint8),
    "gray1": lambda p, n: p[..., :1],
    "gray2": lambda p, n: p[..., 0],
    "bool-picture": lambda p, n: p[..., 0] > 99,
    "float-picture": lambda p, n: p / 255.0,
    "int-picture": lambda p, n: p.astype(np.int64),
    "pil-picture": lambda p, n: Image.fromarray(p),
    "list-picture": lambda p, n: [p // 2, p],
    "turned-memory": lambda p, n: np.asfortranarray(p)[::-1],
    "late-none": lambda p, n: None if n % 3 == 1 else p,
    "growing-picture": lambda p, n: np.ascontiguousarray(p[: 20 + n % 5]),
    "noisy": lambda p, n: np.random.default_rng(n).integers(0, 256, p.shape, np.uint8),
    "noisy-and-growing": lambda p, n: np.random.default_rng(n).integers(0, 256, (20 + n % 5, 30, 3), np.uint8),
}
REFUSED_PICTURES: dict[str, tuple[Callable[[Any, int], Any], str]] = {
    "none-picture": (lambda p, n: None, "render returned no picture after the reset"),
    "text-picture": (lambda p, n: "+---+", "render returned text"),
    "channels-first": (lambda p, n: np.moveaxis(p, 2, 0), "move the channels to the end"),
    "two-channels": (lambda p, n: p[..., :2], "a picture has (height, width, 3)"),
    "no-pixels": (lambda p, n: p[:0], "80 x 0 pixels"),
    "wide": (lambda p, n: np.zeros((1, 70_000, 3), np.uint8), "70000 x 1 pixels"),
    "float-255": (lambda p, n: p.astype(np.float64), "a picture of this dtype has 0 to 1"),
    "nan-pixels": (lambda p, n: np.where(p > 0, np.nan, 0.0), "a picture of this dtype has 0 to 1"),
    "dict-picture": (lambda p, n: {"rgb": p}, "render returned"),
}
REFUSED_STEPS: dict[str, tuple[Callable[[Any], Any], str]] = {
    # Gymnasium 77, 95: the API before 0.26
    "old-api": (lambda s: (s[0], s[1], s[2], s[4]), "step returned 4 values"),
    "flag-array": (lambda s: (s[0], s[1], np.array([True, False]), False, {}), "terminated is an array"),
    "flag-text": (lambda s: (s[0], s[1], "False", False, {}), "terminated is the str 'False'"),
    "step-none": (lambda s: None, "step returned None"),
}
OTHER = ["plain", "global-random", "spec-lambda", "int-flags", "old-reset"]
RECORDED = [*OBSERVATIONS, *INFOS, *REWARDS, *PICTURES, "plain", "spec-lambda", "int-flags"]
REFUSED: dict[str, str] = {
    case: text
    for table in (REFUSED_OBSERVATIONS, REFUSED_INFOS, REFUSED_REWARDS, REFUSED_PICTURES, REFUSED_STEPS)
    for case, (_, text) in table.items()
} | {"old-reset": "this is the API of gym before 0.26"}
CASES = [*dict.fromkeys([*RECORDED, *REFUSED, *OTHER])]


class OddEnv(gymnasium.Env[Any, Any]):
    """An environment that plays `N_STEPS` steps and is odd in one way."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  (declared like this in Gymnasium)

    def __init__(self, case: str, render_mode: str | None = None, fn: Any = None) -> None:
        self.case, self.render_mode, self.n = case, render_mode, 0
        self.action_space = spaces.Discrete(2)
        self.observation_space = SPACES.get(case, PLAIN_SPACE)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.n = 0
        info = INFOS.get(self.case, _empty_info)(0)
        return self._observation() if self.case == "old-reset" else (self._observation(), info)

    def step(self, action: int) -> Any:
        self.n += 1
        reward: Any = float(action)
        if self.case in REWARDS or self.case in REFUSED_REWARDS:
            reward = {**REWARDS, **REFUSED_REWARDS}[self.case][0]
        elif self.case == "global-random":
            reward = random.random()
        info: Any = INFOS.get(self.case, _empty_info)(self.n)
        if self.case in REFUSED_INFOS:
            info = REFUSED_INFOS[self.case][0]
        is_over: Any = self.n >= N_STEPS
        if self.case == "int-flags":
            is_over = np.array([int(is_over)])
        stepped = (self._observation(), reward, is_over, False, info)
        return REFUSED_STEPS[self.case][0](stepped) if self.case in REFUSED_STEPS else stepped

    def render(self) -> Any:
        picture = np.zeros((60, 80, 3), np.uint8)
        picture[:, : 4 * (self.n % 20) + 1] = (200, 60, 40)
        if self.case in REFUSED_PICTURES:
            return REFUSED_PICTURES[self.case][0](picture, self.n)
        return PICTURES[self.case](picture, self.n) if self.case in PICTURES else picture

    def _observation(self) -> Any:
        if self.case in REFUSED_OBSERVATIONS:
            return REFUSED_OBSERVATIONS[self.case][0](self.n)
        return OBSERVATIONS.get(self.case, _plain_observation)(self.n)


def env_id(case: str) -> str:
    """Return the Gymnasium id of a case, with the module that registers it."""
    return f"{__name__}:Odd/{''.join(word.capitalize() for word in case.split('-'))}-v0"


def odd_game(case: str) -> Manifest:
    """Return a turn-based game of a case."""
    return Manifest.model_validate(
        {
            "id": f"odd-{case}",
            "name": f"Odd {case}",
            "summary": "A test.",
            "environment": {"id": env_id(case)},
            "pace": {"kind": "turn-based"},
            "controls": [
                {"name": "go", "label": "Go", "keys": ["ArrowRight"]},
                {"name": "stay", "label": "Stay", "keys": ["ArrowLeft"]},
            ],
            "actions": [{"press": ["go"], "action": 1}, {"press": ["stay"], "action": 0}],
        }
    )


for _case in CASES:
    _kwargs: dict[str, Any] = {"case": _case, **({"fn": OddEnv} if _case == "spec-lambda" else {})}
    if (_id := env_id(_case).rpartition(":")[2]) not in gymnasium.registry:
        gymnasium.register(_id, entry_point=f"{__name__}:OddEnv", kwargs=_kwargs)
