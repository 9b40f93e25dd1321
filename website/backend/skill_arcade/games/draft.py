"""A first manifest for an environment that is new here: correct, and waiting for words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import yaml

KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Space", "KeyZ", "KeyX", "KeyC", "KeyV", "KeyB")


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is known of a new environment: `meanings` of its actions as ALE tells them, if it does; `hz` None: in turns.

    `kwargs`: its arguments; those of levels name another environment, whose middle action is rest.
    `options`: its arguments that a player may choose, and from what.
    """

    env_id: str
    n_actions: int
    meanings: tuple[str, ...] | None
    hz: float | None
    options: Mapping[str, Sequence[int]] = field(default_factory=dict)
    kwargs: Mapping[str, object] = field(default_factory=dict)


def draft_manifest(sketch: Sketch, name: str | None) -> tuple[str, str]:
    """Id and YAML of a manifest."""
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
    if meanings is not None and "NOOP" in meanings:
        manifest["joystick"] = {"meanings": list(meanings)}
    else:
        if hz is not None:
            manifest["noop"] = noop
        numbers = [action for action in range(n_actions) if not (measured and action == noop)]
        controls = {action: f"action-{action}" for action in numbers}
        manifest["controls"] = [
            {"name": control, "label": f"Action {action}", "keys": [_key(order)]}
            for order, (action, control) in enumerate(controls.items())
        ]
        manifest["actions"] = [{"press": [control], "action": action} for action, control in controls.items()]
    if sketch.options:
        manifest["options"] = {option: list(values) for option, values in sketch.options.items()}
    manifest["tags"] = ["new"]
    return game_id, yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, default_flow_style=None, width=116)


def _key(action: int) -> str:
    return KEYS[action] if action < len(KEYS) else f"F{action - len(KEYS) + 1}"
