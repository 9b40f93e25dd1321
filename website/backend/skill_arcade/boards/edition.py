"""The board that an episode belongs to: game, settings, and everything that decides how the game plays.

Scores are comparable only within one edition. A new version of the emulator begins a new one; the boards before it are
hidden and kept.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

SIMULATORS = ("ale-py", "box2d", "mujoco")
"""Packages that decide what happens in environments of Gymnasium, and in those that ours wrap."""


@dataclass(frozen=True, slots=True)
class BoardKey:
    """Identifies a board. `contents` are what its edition is the hash of."""

    game_id: str
    settings: str
    contents: dict[str, Any]
    day: date | None = None

    @property
    def edition(self) -> str:
        """Hash of `contents`."""
        text = json.dumps(self.contents, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def id(self) -> str:
        """Primary key of the board."""
        return f"{self.game_id}?{self.settings}#{self.edition}"


def write_settings(options: Mapping[str, str]) -> str:
    """Write chosen options as one text, the same for each order."""
    return "&".join(f"{name}={options[name]}" for name in sorted(options))


def read_settings(text: str) -> dict[str, str]:
    """Read what `write_settings` has written."""
    return {name: value for name, _, value in (part.partition("=") for part in text.split("&") if part)}


def list_deciding_packages(environment: Mapping[str, Any], packages: Mapping[str, str]) -> dict[str, str | None]:
    """Return the packages of an edition with their versions in `packages`; None: not among them.

    `environment` is a recorded `episode.environment`. If the package of its module is unknown, all packages decide.
    """
    standard = environment.get("gymnasium") or {}
    recorded = environment.get("packages") or {}
    module = str(standard.get("entry_point", "")).partition(":")[0].partition(".")[0].replace("_", "-")
    names = {module}
    if module == "gymnasium" or "of" in (standard.get("kwargs") or {}):
        names |= {name for name in ("gymnasium", *SIMULATORS) if name in recorded}
    if environment.get("rom") is not None:
        names = {module, "ale-py"}
    return {name: packages.get(name) for name in sorted(names if module in recorded else recorded)}


def find_board(
    game_id: str,
    environment: Mapping[str, Any],
    options: Mapping[str, str],
    steps_per_second: float | None,
    day: date | None = None,
) -> BoardKey:
    """Return the board of an episode. `steps_per_second` is None for a turn-based game."""
    contents = {
        "environment": environment.get("id"),
        "kwargs": environment.get("kwargs") or {},
        "rom": (environment.get("rom") or {}).get("sha256"),
        "steps_per_second": steps_per_second,
        "packages": list_deciding_packages(environment, environment.get("packages") or {}),
    }
    settings = write_settings(options) if day is None else f"daily={day.isoformat()}"
    return BoardKey(game_id, settings, contents, day)
