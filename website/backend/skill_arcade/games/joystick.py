"""Derives controls from an environment's action meanings, as ALE names them (UP, RIGHTFIRE, ...)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

DIRECTIONS = ("up", "down", "left", "right")
PARTS = (*DIRECTIONS, "fire")
KEYS = {
    "up": ["ArrowUp", "KeyW"],
    "down": ["ArrowDown", "KeyS"],
    "left": ["ArrowLeft", "KeyA"],
    "right": ["ArrowRight", "KeyD"],
    # Many keyboards do not report Space while two arrow keys are held.
    "fire": ["Space", "KeyX"],
}


class Joystick(BaseModel):
    """A stick with one button. `meanings` are the environment's, by action; the other fields are texts and keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meanings: tuple[str, ...]
    uses: tuple[str, ...] | None = Field(None, description="those that this game listens to; none given: all")
    labels: dict[str, str] = {}
    keys: dict[str, list[str]] = {}


def expand_joystick(joystick: Joystick) -> dict[str, Any]:
    """Return `noop`, `controls` and `actions` of a manifest.

    A direction that the game has only together with the button (Atlantis) also acts alone.

    Raises:
        ValueError: a meaning cannot be parsed.
    """
    uses = joystick.uses or joystick.meanings
    bindings = {
        frozenset(split_meaning(meaning)): action
        for action, meaning in enumerate(joystick.meanings)
        if meaning in uses or meaning == "NOOP"
    }
    noop = bindings.pop(frozenset(), None)
    for pressed, action in list(bindings.items()):
        alone = pressed - {"fire"}
        if alone and alone != pressed and not any(other <= pressed - {"fire"} for other in bindings):
            bindings[alone] = action
    used = [part for part in PARTS if any(part in pressed for pressed in bindings)]
    unknown = (joystick.labels.keys() | joystick.keys.keys()) - set(used)
    if unknown:
        raise ValueError(f"joystick: this game does not use {', '.join(sorted(unknown))}")
    chosen = {code for codes in joystick.keys.values() for code in codes}
    return {
        "noop": noop,
        "controls": [
            {
                "name": part,
                "label": joystick.labels.get(part, part.capitalize()),
                "keys": joystick.keys.get(part, [code for code in KEYS[part] if code not in chosen]),
            }
            for part in used
        ],
        "actions": [
            {"press": [part for part in PARTS if part in pressed], "action": action}
            for pressed, action in sorted(bindings.items(), key=lambda item: (len(item[0]), item[1]))
        ],
    }


def split_meaning(meaning: str) -> list[str]:
    """Split `UPRIGHTFIRE` into `["up", "right", "fire"]`, and `NOOP` into nothing."""
    rest, parts = "" if meaning == "NOOP" else meaning.lower(), []
    while rest:
        part = next((part for part in PARTS if rest.startswith(part)), None)
        if part is None:
            raise ValueError(f"joystick: unknown action meaning {meaning!r}")
        parts.append(part)
        rest = rest.removeprefix(part)
    return parts
