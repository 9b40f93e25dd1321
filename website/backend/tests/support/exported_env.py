"""Environments whose observations, infos and rewards are unusual but allowed, for tests of exports.

The id of a case is `tests.support.exported_env:Odd/CASE-v0`.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from skill_arcade.games.manifest import Manifest

EPISODE_STEPS = 12


def _box(*shape: int, dtype: Any = np.float32) -> spaces.Box:
    if np.dtype(dtype).kind in "iu":
        return spaces.Box(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype)
    return spaces.Box(-np.inf, np.inf, shape, dtype)


def _observe_keys(n: int) -> Any:
    return {
        "pos.x": np.float32(n),
        "pos": {"x": np.float32(-n), "~/": np.int64(n)},
        "a/b": np.float32(2 * n),
        "picture": np.full((2, 2), n, np.uint8),
        "file": np.float32(n / 2),
        "é 1": np.arange(n, n + 3),
        "action": np.float32(n),
    }


def _observe_dtypes(n: int) -> Any:
    return {
        "half": np.array([n / 3, np.nan, np.inf], np.float16),
        "complex": np.array([n + 1j, -n * 1j], np.complex64),
        "uint64": np.uint64(2**64 - 2 - n),
        "uint8": np.full((4, 5, 3), n, np.uint8),
        "int8": np.array([-n], np.int8),
        "float64": np.array([0.1 * n]),
        "flag": np.array([n % 2 == 0, True]),
        "bool": n % 2 == 0,
        "date": np.datetime64("2026-01-01") + n,
        "bytes": np.bytes_(f"b{n:02d}"),
        "text": f"go to {n} → now",
    }


CASES: dict[str, tuple[Any, spaces.Space[Any], Any, Any]] = {
    # observation n, its space, info n, reward n
    "Keys": (
        _observe_keys,
        spaces.Dict(
            {
                "pos.x": _box(),
                "pos": spaces.Dict({"x": _box(), "~/": _box(dtype=np.int64)}),
                "a/b": _box(),
                "picture": _box(2, 2, dtype=np.uint8),
                "file": _box(),
                "é 1": _box(3, dtype=np.int64),
                "action": _box(),
            }
        ),
        lambda n: {"picture": n, "server_us": n, "pos.x": n / 2},
        float,
    ),
    "Dtypes": (_observe_dtypes, spaces.Dict(), lambda n: {"z": 1j}, float),
    "Nested": (
        lambda n: ({"agent": (np.float32(n), np.int64(n % 3))}, f"mission {n}", np.array([n % 2, 1], np.int8)),
        spaces.Tuple(
            (
                spaces.Dict({"agent": spaces.Tuple((_box(), spaces.Discrete(3)))}),
                spaces.Text(20),
                spaces.MultiBinary(2),
            )
        ),
        lambda n: {},
        float,
    ),
    "Infos": (
        lambda n: np.array([n], np.float32),
        _box(1),
        lambda n: {
            "none": None if n % 2 else 1.5,
            "kind": "text" if n % 3 == 0 else n,
            "nan": float("nan"),
            "big": 2**70,
            "nul": "a\0b",
            "surrogate": "\ud800",
            "vector": [n, n / 2],
            "growing": list(range(n)),
            **({"late": n} if n > 4 else {}),
        },
        float,
    ),
    "Rewards": (
        lambda n: np.array([n], np.float32),
        _box(1),
        lambda n: {},
        lambda n: (float("nan"), float("inf"), -float("inf"), -0.0, 0.1)[n % 5],
    ),
    "Changing": (
        lambda n: {
            "goals": tuple(np.float32(goal) for goal in range(n % 3)),
            "graph": spaces.GraphInstance(np.full((1 + n % 2, 1), n, np.float32), None, None),
            "x": np.float32(n),
        },
        spaces.Dict({"goals": spaces.Sequence(_box()), "graph": spaces.Graph(_box(1), None), "x": _box()}),
        lambda n: {},
        float,
    ),
    "WrongBox": (lambda n: np.arange(n, n + 3, dtype=np.float32), _box(2), lambda n: {}, float),
    "Start": (lambda n: n + 5, spaces.Discrete(100, start=5), lambda n: {}, float),
}
HAS_START = ("Start",)


class OddEnv(gymnasium.Env[Any, Any]):
    """An environment of one case. Its picture depends on the step."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  (declared like this in Gymnasium)

    def __init__(self, case: str, render_mode: str | None = None) -> None:
        self._observe, self.observation_space, self._info, self._reward = CASES[case]
        self.action_space = spaces.Discrete(2, start=5 if case in HAS_START else 0)
        self.render_mode = render_mode
        self._n = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._n = 0
        return self._observe(0), self._info(0)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._n += 1
        n = self._n
        return self._observe(n), self._reward(n), n >= EPISODE_STEPS, False, self._info(n)

    def render(self) -> Any:
        picture = np.zeros((16, 24, 3), np.uint8)
        picture[:, : self._n] = (200, 60, 40)
        return picture


for _case in CASES:
    gymnasium.register(
        f"Odd/{_case}-v0", "tests.support.exported_env:OddEnv", kwargs={"case": _case}, disable_env_checker=True
    )


def odd_manifest(case: str) -> Manifest:
    """Return the manifest of a case."""
    fields = {
        "id": f"odd-{case.lower()}",
        "name": case,
        "summary": "A test.",
        "environment": {"id": f"tests.support.exported_env:Odd/{case}-v0"},
        "pace": {"kind": "turn-based"},
        "controls": [
            {"name": "go", "label": "Go", "keys": ["ArrowRight"]},
            {"name": "stay", "label": "Stay", "keys": ["ArrowLeft"]},
        ],
        "actions": [{"press": ["go"], "action": 1}, {"press": ["stay"], "action": 0}],
    }
    return Manifest.model_validate(fields)
