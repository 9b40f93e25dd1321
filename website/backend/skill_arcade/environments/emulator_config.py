"""Configuration with which a page runs an Atari game and computes the same bytes (website/lockstep)."""

import secrets
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import ale_py
import numpy as np
from gymnasium.envs.registration import EnvSpec

from skill_arcade.environments.playable_env import PlayableEnv

TIME_BASED_SEED = -1
"""Seed for which ALE uses the time, so that such an episode cannot be re-run."""


@dataclass(frozen=True, slots=True)
class EmulatorConfig:
    """The version of ale-py, the game's ROM (its snake_case name and SHA-256), and the arguments of `AtariEnv`.

    `max_frames` 0 and `max_steps` None mean no limit. `mode` and `difficulty` None mean the ROM's own.
    """

    ale_version: str
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
    """A playable environment that a page can run too, and that computes the lockstep digest."""

    @property
    def emulation(self) -> EmulatorConfig | None:
        """Configuration for the page, or None if the environment cannot run there."""

    def update_digest(self, digest: int, reward: float) -> int:
        """Continue the digest with the last observation: CRC-32 of screen, RAM, reward, lives and flags (rule L3)."""


def describe_emulation(standard: EnvSpec, rom: dict[str, str]) -> EmulatorConfig | None:
    """Return the configuration of an Atari environment, or None if it skips a random number of frames."""
    given: dict[str, Any] = standard.kwargs
    frameskip = given.get("frameskip", 4)
    if not isinstance(frameskip, int):
        return None
    return EmulatorConfig(
        ale_version=ale_py.__version__,
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
    """Return a random seed from 1 to 2**31 - 1. Some environments ignore 0 and None."""
    while True:
        seed = 1 + secrets.randbelow(2**31 - 1)
        if ale_seed(seed) != TIME_BASED_SEED:
            return seed


def ale_seed(seed: int) -> int:
    """Return the signed 32-bit seed that ale-py passes to ALE for `reset(seed=seed)` (`AtariEnv.seed_game`)."""
    return int(np.random.SeedSequence(seed).generate_state(2).astype(np.uint32).view(np.int32)[1])
