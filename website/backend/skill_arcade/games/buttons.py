"""Numbers the combinations of buttons of a game whose action has several parts, as those of consoles have."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

Assignments = Mapping[str, Any]
"""Values by the path of a part of the action: `{"6": 1}`, `{"binary/0": 1}`."""
BUTTONS_ENVIRONMENT = "SkillArcade/Buttons-v0"
MAX_COMBINATIONS = 1024
"""Greatest number of combinations, which are the actions of the game."""
RESERVED_KWARGS = ("of", "sets", "rest", "exclusive", "max_held")


class ButtonSketch(NamedTuple):
    """A button of a first manifest: its label, and what it sets."""

    label: str
    sets: dict[str, Any]


class Buttons(BaseModel):
    """What each control sets in an action of several parts: MultiBinary, MultiDiscrete, Tuple, Dict or Box."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sets: dict[str, dict[str, Any]] = Field(
        min_length=1, description="for each control the values that it sets, by the path of the action's part"
    )
    rest: Any = Field(None, description="action while nothing is held; none given: zero in every part")
    exclusive: tuple[tuple[str, ...], ...] = Field(
        (), description="controls that cannot be held together, such as left and right"
    )
    max_held: int = Field(4, ge=1, le=8, description="how many controls act together at most")


def combine_buttons(
    sets: Mapping[str, Assignments], exclusive: Sequence[Sequence[str]], max_held: int
) -> list[tuple[str, ...]]:
    """Return the sets of controls that can be held together, smallest first. The first one is empty.

    Two controls that set the same part to different values cannot be held together.

    Raises:
        ValueError: there are more than `MAX_COMBINATIONS`.
    """
    combinations: list[tuple[str, ...]] = []
    for count in range(max_held + 1):
        for held in itertools.combinations(sets, count):
            if _is_possible(held, sets, exclusive):
                combinations.append(held)
            if len(combinations) > MAX_COMBINATIONS:
                raise ValueError(
                    f"buttons: more than {MAX_COMBINATIONS} combinations of {len(sets)} controls: lower max_held "
                    f"({max_held}) or name exclusive controls"
                )
    return combinations


def merge_assignments(held: Sequence[str], sets: Mapping[str, Assignments]) -> dict[str, Any]:
    """Return what the held controls set together."""
    return {path: value for control in held for path, value in sets[control].items()}


def expand_buttons(buttons: Buttons, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return `environment`, `noop` and `actions` of a manifest; the action's number is that of the combination.

    Raises:
        ValueError: there are too many combinations, or an argument of the environment has a reserved name.
    """
    kwargs = dict(environment.get("kwargs", {}))
    if reserved := sorted(kwargs.keys() & set(RESERVED_KWARGS)):
        raise ValueError(f"environment.kwargs: {', '.join(reserved)} is reserved for buttons")
    fields = buttons.model_dump(mode="json", exclude_defaults=True)
    combinations = combine_buttons(buttons.sets, buttons.exclusive, buttons.max_held)
    return {
        "environment": {"id": BUTTONS_ENVIRONMENT, "kwargs": {"of": environment.get("id"), **fields, **kwargs}},
        "noop": 0,
        "actions": [{"press": list(held), "action": number} for number, held in enumerate(combinations) if held],
    }


def _is_possible(held: Sequence[str], sets: Mapping[str, Assignments], exclusive: Sequence[Sequence[str]]) -> bool:
    if any(len(set(group) & set(held)) > 1 for group in exclusive):
        return False
    merged = merge_assignments(held, sets)
    return all(merged[path] == value for control in held for path, value in sets[control].items())
