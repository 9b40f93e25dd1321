"""Where a recording comes from: this package and the player's browser."""

from typing import Any

import skill_arcade
from skill_arcade.play.assignment import Assignment
from skill_arcade.wire.messages import Hello


def describe_house(assignment: Assignment) -> dict[str, Any]:
    """Name this package, its commit where known, and the manifest that was played."""
    return {
        "skill_arcade": skill_arcade.__version__,
        "commit": assignment.commit,
        "manifest_sha256": assignment.manifest_hash,
        "mode": "streamed",
    }


def describe_player(hello: Hello | None) -> dict[str, Any]:
    """Name the player's browser and screen, as the page told."""
    return {} if hello is None else {"player": hello.model_dump(mode="json", exclude={"type", "protocol"})}
