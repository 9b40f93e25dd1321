"""Drafts a manifest for a new environment: valid, with texts to be filled in."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.games.buttons import ButtonSketch, combine_buttons
from skill_arcade.games.key_codes import DIGITS, LETTERS

ARROWS = {"left": "ArrowLeft", "right": "ArrowRight", "up": "ArrowUp", "down": "ArrowDown"}
OPPOSITES = (("left", "right"), ("up", "down"))
MAX_HELD = 4
"""Buttons that a draft lets a player hold together at most."""
AXES = (("ArrowLeft", "ArrowRight"), ("ArrowDown", "ArrowUp"), ("KeyA", "KeyD"), ("KeyS", "KeyW"))
"""Keys for less and more of each axis of an action vector."""
KEYS = (*DIGITS, *(code for code in LETTERS if code != "KeyM"), "KeyM")
"""Keys of numbered actions. Browsers do not use them; the page mutes games that do not use M by it."""
MAX_CONTROLS = len(KEYS)
"""Maximum number of controls of a draft: each has a key of its own that every keyboard has."""


@dataclass(frozen=True, slots=True)
class EnvironmentInfo:
    """Facts about a new environment.

    `meanings` are the action meanings, if the environment has them. `hz` None means turn-based. `kwargs` are
    arguments; those of `SkillArcade/Levels-v0` name another environment, whose middle action is the no-op. `options`
    are arguments that a player may choose, with their values. `buttons` are those of an action of several parts.
    """

    env_id: str
    n_actions: int
    meanings: tuple[str, ...] | None
    hz: float | None
    options: Mapping[str, Sequence[int]] = field(default_factory=dict)
    kwargs: Mapping[str, object] = field(default_factory=dict)
    buttons: Sequence[ButtonSketch] = ()


def draft_manifest(sketch: EnvironmentInfo, name: str | None) -> tuple[str, str]:
    """Return id and YAML of a manifest.

    Raises:
        UnsupportedEnvironment: the environment has more actions than there are keys for.
    """
    n_actions, meanings, hz = sketch.n_actions, sketch.meanings, sketch.hz
    measured = str(sketch.kwargs["of"]) if "of" in sketch.kwargs else None
    noop = n_actions // 2 if measured else 0
    env_id, shown = sketch.env_id, measured or sketch.env_id
    plain = re.sub(r"-v\d+$", "", shown.rpartition(":")[2].rpartition("/")[2])
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", plain).replace("-", " ").replace("_", " ")
    game_id = re.sub(r"[^a-z0-9]+", "-", (name or words).lower()).strip("-")
    manifest: dict[str, object] = {
        "name": name or words,
        "summary": "Say the goal in a sentence or two.",
        "environment": {"id": env_id, **({"kwargs": dict(sketch.kwargs)} if sketch.kwargs else {})},
        "pace": {"kind": "turn-based"} if hz is None else {"kind": "real-time", "hz": hz},
    }
    if sketch.buttons:
        manifest["controls"], manifest["buttons"] = _draft_buttons(sketch.buttons)
    elif meanings is not None and "NOOP" in meanings:
        manifest["joystick"] = {"meanings": list(meanings)}
    else:
        if hz is not None:
            manifest["noop"] = noop
        levels = int(str(sketch.kwargs["levels"])) if measured else 0
        draft = _draft_axes(n_actions, noop) if levels == 3 and n_actions <= 3 ** len(AXES) else None
        manifest["controls"], manifest["actions"] = draft or _draft_numbers(n_actions, noop if measured else None)
    if sketch.options:
        manifest["options"] = {option: list(values) for option, values in sketch.options.items()}
    manifest["tags"] = ["new"]
    return game_id, yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, default_flow_style=None, width=116)


def _draft_buttons(sketches: Sequence[ButtonSketch]) -> tuple[list[object], dict[str, object]]:
    """Return one control for each button, and as many held together as the limit of combinations allows."""
    if len(sketches) > MAX_CONTROLS:
        raise UnsupportedEnvironment(
            f"{len(sketches)} buttons are too many for a draft, which has one key for each of at most {MAX_CONTROLS}. "
            "Write a manifest with the buttons that a player needs."
        )
    names = [re.sub(r"[^a-z0-9]+", "-", sketch.label.lower()).strip("-") for sketch in sketches]
    letters = iter(KEYS)
    controls: list[object] = [
        {"name": name, "label": sketch.label, "keys": [ARROWS.get(name) or next(letters)]}
        for name, sketch in zip(names, sketches, strict=True)
    ]
    sets = {name: sketch.sets for name, sketch in zip(names, sketches, strict=True)}
    exclusive = [list(pair) for pair in OPPOSITES if set(pair) <= sets.keys()]
    for max_held in range(MAX_HELD, 1, -1):
        try:
            combine_buttons(sets, exclusive, max_held)
        except ValueError:
            continue
        break
    else:
        max_held = 1
    return controls, {"sets": sets, **({"exclusive": exclusive} if exclusive else {}), "max_held": max_held}


def _draft_numbers(n_actions: int, rest: int | None) -> tuple[list[object], list[object]]:
    """Return one control for each action except the no-op."""
    count = n_actions - (rest is not None)
    if count > MAX_CONTROLS:
        raise UnsupportedEnvironment(
            f"{n_actions:,} actions are too many for a draft, which has one key for each of at most {MAX_CONTROLS}. "
            f"Write a manifest with the actions that a player needs, or make an environment with fewer actions; "
            f"a draft of a vector of numbers has at most {len(AXES)} axes."
        )
    controls = {action: f"action-{action}" for action in range(n_actions) if action != rest}
    drafted: list[object] = [
        {"name": control, "label": f"Action {action}", "keys": [KEYS[order]]}
        for order, (action, control) in enumerate(controls.items())
    ]
    return drafted, [{"press": [control], "action": action} for action, control in controls.items()]


def _draft_axes(n_actions: int, rest: int) -> tuple[list[object], list[object]]:
    """Return controls for less and more of each axis, with three levels, and all combinations."""
    count = next(count for count in range(1, len(AXES) + 1) if 3**count == n_actions)
    names = [(f"axis-{axis}-less", f"axis-{axis}-more") for axis in range(1, count + 1)]
    controls: list[object] = [
        {"name": name, "label": f"Axis {axis}: {name.rpartition('-')[2]}", "keys": [key]}
        for axis, (pair, keys) in enumerate(zip(names, AXES, strict=False), 1)
        for name, key in zip(pair, keys, strict=True)
    ]
    bindings: list[object] = []
    for action, levels in enumerate(itertools.product(range(3), repeat=count)):
        if action != rest:
            held = [pair[level == 2] for pair, level in zip(names, levels, strict=True) if level != 1]
            bindings.append({"press": held, "action": action})
    return controls, bindings
