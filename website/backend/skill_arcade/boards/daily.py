"""The daily challenge: one game and one seed for everyone, committed to before the day and revealed after it.

The seed follows from a random key. The SHA-256 of the key is published before anybody plays; the key itself once the
day is over, so that anyone can check that the seed was fixed and not chosen afterwards.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any

from skill_arcade.environments.emulator_config import TIME_BASED_SEED, ale_seed
from skill_arcade.games.manifest import EnvironmentSpec, Manifest

STICKY = {"repeat_action_probability": 0.25}
"""Arguments of Atari games in a daily challenge: a memorised sequence of actions gives another game."""
KEY_BYTES = 32


def draw_key() -> str:
    """Return a random key, hexadecimal."""
    return secrets.token_hex(KEY_BYTES)


def commit_to(key: str) -> str:
    """Return the SHA-256 of the key's bytes, hexadecimal."""
    return hashlib.sha256(bytes.fromhex(key)).hexdigest()


def derive_seed(key: str, day: date, game_id: str) -> int:
    """Return the seed, 1 to 2^31-1: the first 31 bits of the SHA-256 of "KEY DAY GAME N" for the first usable N."""
    for number in range(1000):
        digest = hashlib.sha256(f"{key} {day.isoformat()} {game_id} {number}".encode()).digest()
        seed = int.from_bytes(digest[:4], "big") >> 1
        if seed > 0 and ale_seed(seed) != TIME_BASED_SEED:
            return seed
    raise AssertionError("no usable seed among 1000 digests")


def choose_game(day: date, games: Sequence[str]) -> str:
    """Return the game of a day. It is no secret: consecutive days take the games in turn."""
    return games[day.toordinal() % len(games)]


def daily_kwargs(environment: EnvironmentSpec) -> dict[str, Any]:
    """Return the arguments that a daily challenge changes."""
    return dict(STICKY) if environment.id.startswith("ALE/") else {}


def make_daily_game(game: Manifest, kwargs: dict[str, Any]) -> Manifest:
    """Return the game as it is played in the daily challenge, without options."""
    environment = game.environment.model_copy(update={"kwargs": {**game.environment.kwargs, **kwargs}})
    return game.model_copy(update={"environment": environment})
