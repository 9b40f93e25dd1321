"""What ALE says of its games: the part of their manifests that nobody has to write by hand."""

from collections.abc import Mapping
from typing import Any, cast

import ale_py  # noqa: F401 registers ALE's games
import gymnasium
from ale_py.env import AtariEnv

PAL_LINES = 250
"""Height of the picture of a PAL game. NTSC games have 210 to 230 lines."""
PAL_PIXEL_ASPECT = 2.08
"""Width of a pixel in its height, with 160 by 250 pixels on a screen of 4:3."""


def find_atari_facts(game: Mapping[str, Any]) -> dict[str, Any]:
    """Return the meanings of a game's actions, its modes and difficulties, and the shape of its pixels.

    * `game`: the other fields of its manifest; `environment` is an environment of ALE.
    """
    environment = game["environment"]
    env = cast(AtariEnv, gymnasium.make(environment["id"], **environment.get("kwargs", {})).unwrapped)
    try:
        offered = {"mode": env.ale.getAvailableModes(), "difficulty": env.ale.getAvailableDifficulties()}
        options = {name: [int(value) for value in values] for name, values in offered.items() if len(values) > 1}
        facts: dict[str, Any] = {"joystick": {"meanings": env.get_action_meanings()}}
        if options:
            facts = {"options": options, **facts}
        if env.ale.getScreenDims()[0] == PAL_LINES:
            facts["show"] = {"pixel_aspect": PAL_PIXEL_ASPECT}
        return facts
    finally:
        env.close()
