"""A copy of an Atari game on this machine, which computes what the arcade computes (rules L1, L3 and L4).

It needs ale-py, which the rest of the client does not.
"""

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import ale_py
import gymnasium
import numpy as np
from ale_py import roms
from ale_py.env import AtariEnv
from gymnasium.wrappers import TimeLimit
from numpy.typing import NDArray

from skill_arcade.client.lockstep import LockstepUnavailable

_REST = struct.Struct("<iii")


class SeededAtariEnv(AtariEnv):
    """`AtariEnv` that is reset with ALE's own seed, which `started` gives, instead of one that ALE's is drawn from."""

    ale_seed = 0

    def seed_game(self, seed: int | None = None) -> tuple[int, int]:
        """Seed the emulator with `ale_seed`, whatever `seed` is."""
        seeds = super().seed_game(seed)
        self.ale.setInt("random_seed", self.ale_seed)
        return seeds


class LocalEmulator:
    """The game of an offer in `welcome`, with the digest of everything that was observed since the reset."""

    def __init__(self, offer: dict[str, Any]) -> None:
        """Load the game.

        Raises:
            LockstepUnavailable: ale-py or its ROM differs from that of the arcade.
        """
        _check_versions(offer)
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # otherwise it prints its name
        self._game = SeededAtariEnv(
            offer["game"],
            mode=offer["mode"],
            difficulty=offer["difficulty"],
            frameskip=offer["frameskip"],
            repeat_action_probability=offer["sticky"],
            full_action_space=offer["all_actions"],
            max_num_frames_per_episode=offer["max_frames"] or None,
        )
        limit = offer["max_steps"]
        self._env: gymnasium.Env[Any, Any] = self._game if limit is None else TimeLimit(self._game, limit)
        self._screen = np.empty(self._game.ale.getScreenDims(), np.uint8)
        self._ram = np.empty(self._game.ale.getRAMSize(), np.uint8)
        self.digest = 0
        self.picture: NDArray[np.uint8] = np.zeros((*self._screen.shape, 3), np.uint8)

    @property
    def lives(self) -> int:
        """Lives that are left."""
        return int(self._game.ale.lives())

    def reset(self, ale_seed: int) -> None:
        """Begin an episode with a seed of ALE, a signed 32-bit integer."""
        self._game.ale_seed, self.digest = ale_seed, 0
        self.picture, _ = self._env.reset(seed=1)  # any seed makes `AtariEnv` load the game again
        self._update_digest(0.0)

    def step(self, action: int) -> tuple[float, bool, bool]:
        """Take a step. Return its reward, and whether it has terminated or truncated the episode."""
        self.picture, reward, terminated, truncated, _ = self._env.step(action)
        self._update_digest(float(reward))
        return float(reward), terminated, truncated

    def close(self) -> None:
        """Release the emulator."""
        self._env.close()

    def _update_digest(self, reward: float) -> None:
        ale = self._game.ale
        ale.getScreen(self._screen)
        ale.getRAM(self._ram)
        flags = ale.game_over(with_truncation=False) | ale.game_truncated() << 1
        for part in (self._screen.data, self._ram.data, _REST.pack(int(reward), ale.lives(), flags)):
            self.digest = zlib.crc32(part, self.digest)


def _check_versions(offer: dict[str, Any]) -> None:
    version, rom = offer["ale_version"], offer["rom"].partition("?v=")[2]
    if ale_py.__version__ != version:
        raise LockstepUnavailable(
            f"This machine has ale-py {ale_py.__version__} and the arcade {version}, so their games may differ. Run: "
            f"pip install ale-py=={version}. Or choose another pace."
        )
    path = roms.get_rom_path(offer["game"])
    if path is None or hashlib.sha256(Path(path).read_bytes()).hexdigest() != rom:
        raise LockstepUnavailable(
            f"The ROM of {offer['game']} on this machine is not that of the arcade. Choose another pace."
        )
