"""Reads what `reset` and `step` of a Gymnasium environment return, exactly or not at all."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from skill_arcade.environments.playable_env import StepResult
from skill_arcade.exact_json import encode_info

OLD_API = "this is the API of gym before 0.26; wrap the environment with shimmy, or update it"


def read_reset(returned: Any) -> StepResult:
    """Return the result of `reset`.

    Raises:
        ValueError: it is not Gymnasium's (observation, info).
    """
    if not isinstance(returned, tuple) or len(returned) != 2 or not isinstance(returned[1], Mapping):
        raise ValueError(
            f"reset returned {_describe(returned)}; Gymnasium's reset returns (observation, info): {OLD_API}"
        )
    observation, info = returned
    return StepResult(observation, 0.0, False, False, encode_info(info))


def read_step(returned: Any) -> StepResult:
    """Return the result of `step`.

    Raises:
        ValueError: it is not Gymnasium's (observation, reward, terminated, truncated, info), or a value of it cannot be
            recorded exactly.
    """
    if not isinstance(returned, tuple) or len(returned) != 5:
        hint = f": {OLD_API}" if isinstance(returned, tuple) and len(returned) == 4 else ""
        raise ValueError(
            f"step returned {_describe(returned)}; Gymnasium's step returns "
            f"(observation, reward, terminated, truncated, info){hint}"
        )
    observation, reward, terminated, truncated, info = returned
    if not isinstance(info, Mapping):
        raise ValueError(f"step returned the info {_describe(info)}; it must be a dictionary")
    return StepResult(
        observation,
        read_reward(reward),
        _read_flag("terminated", terminated),
        _read_flag("truncated", truncated),
        encode_info(info),
    )


def read_reward(reward: Any) -> float:
    """Return a reward as a float: a number, or an array of one number. NaN and infinities are kept.

    Raises:
        ValueError: it is no number, several numbers, or a number that a float cannot hold exactly.
    """
    if type(reward) is float:
        return reward
    value = _find_scalar(reward)
    if value is None or isinstance(value, complex | str | bytes):
        several = ", such as a wrapper that adds a vector up" if np.ndim(reward) else ""
        raise ValueError(f"the reward is {_describe(reward)}; it must be one real number{several}")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the reward is {_describe(reward)}, which is no 64-bit float: {error}") from error
    if number == value or number != number:  # noqa: PLR0124  (NaN)
        return number
    raise ValueError(f"the reward is {_describe(reward)}, which a 64-bit float cannot hold exactly")


def _read_flag(name: str, flag: Any) -> bool:
    if isinstance(flag, bool):
        return flag
    value = _find_scalar(flag)
    if isinstance(value, bool | int) and value in (0, 1):
        return bool(value)
    raise ValueError(f"{name} is {_describe(flag)}; it must be True or False")


def _find_scalar(value: Any) -> Any:
    """Return the single number in `value`, which may be a NumPy scalar or an array of one; None if there is none."""
    if not hasattr(value, "__array__") or isinstance(value, np.generic):
        return value.item() if isinstance(value, np.generic) and not isinstance(value, np.longdouble) else value
    array = np.asarray(value)
    return array.reshape(()).item() if array.size == 1 and array.dtype.kind in "biuf" else None


def _describe(value: Any) -> str:
    """Name a value by type and, if it is short, content."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, tuple):
        return f"{len(value)} values"
    if value is None:
        return "None"
    text = repr(value)
    kind = type(value).__name__
    return f"the {kind} {text}" if len(text) <= 40 else f"a {kind}"
