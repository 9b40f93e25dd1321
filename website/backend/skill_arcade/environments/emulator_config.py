"""What a page needs to run an Atari game by itself and come to the same bytes; website/lockstep/ is what it runs."""

import secrets
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from gymnasium.envs.registration import EnvSpec

from skill_arcade.environments.playable_env import PlayableEnv

TIME_BASED_SEED = -1
"""ALE takes the time for this seed, so that nobody can run such an episode again."""


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """The game's ROM (its snake_case name and SHA-256) and the arguments of `AtariEnv`.

    `max_frames` 0 and `max_steps` None: no end; `mode`, `difficulty` None: the ROM's own.
    """

    game: str
    rom_sha256: str
    sticky: float
    frameskip: int
    max_frames: int
    max_steps: int | None
    mode: int | None
    difficulty: int | None
    all_actions: bool


@runtime_checkable
class SupportsLockstep(PlayableEnv, Protocol):
    """A stage whose game a page can run as well, and that can say what it came to."""

    @property
    def emulation(self) -> EmulatorConfig | None:
        """What the page needs; None: this one can't be run there."""

    def update_digest(self, digest: int, reward: float) -> int:
        """Add the observation that reset or the last step led to: CRC-32 of screen, RAM, reward, lives, flags."""


def describe_emulation(standard: EnvSpec, rom: dict[str, str]) -> EmulatorConfig | None:
    """From an Atari environment's specification and ROM; None when frames are skipped at random."""
    given: dict[str, Any] = standard.kwargs
    frameskip = given.get("frameskip", 4)
    if not isinstance(frameskip, int):
        return None
    return EmulatorConfig(
        game=rom["game"],
        rom_sha256=rom["sha256"],
        sticky=float(given.get("repeat_action_probability", 0.25)),
        frameskip=frameskip,
        max_frames=int(given.get("max_num_frames_per_episode") or 0),
        max_steps=standard.max_episode_steps,
        mode=given.get("mode"),
        difficulty=given.get("difficulty"),
        all_actions=bool(given.get("full_action_space", False)),
    )


def draw_seed() -> int:
    """Draw an episode's seed, from 1 to 2**31 - 1: 0 and none are ignored by some environments."""
    while True:
        seed = 1 + secrets.randbelow(2**31 - 1)
        if ale_seed(seed) != TIME_BASED_SEED:
            return seed


def ale_seed(seed: int) -> int:
    """The signed 32-bit seed that ale-py gives ALE for `reset(seed=seed)` (`AtariEnv.seed_game`)."""
    return int(np.random.SeedSequence(seed).generate_state(2).astype(np.uint32).view(np.int32)[1])
