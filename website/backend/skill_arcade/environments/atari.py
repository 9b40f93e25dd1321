"""Atari games as playable environments. Frames are palette indices, which take a third of the size of RGB."""

import hashlib
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import ale_py
import gymnasium
import numpy as np
from ale_py import roms
from ale_py.env import AtariEnv
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from skill_arcade.environments.colour_tables import NTSC, PAL, ColourTable
from skill_arcade.environments.emulator_config import TIME_BASED_SEED, describe_emulation
from skill_arcade.environments.playable_env import StepResult
from skill_arcade.environments.positions import RAM_POSITIONS, Position
from skill_arcade.environments.reseeding import FreshState
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.exact_json import encode_info
from skill_arcade.frames.picture import Picture
from skill_arcade.games.manifest import EnvironmentSpec

ENTRY_POINT = "ale_py.env:AtariEnv"
SAMPLES_PER_FRAME = 512
"""ALE's `SoundRaw::SamplesPerFrame`: made for 31,400 samples/s, while 60 frames/s take 30,720."""
_REST = struct.Struct("<iii")


class IndexedAtariEnv(AtariEnv):
    """`AtariEnv` whose observation is the screen as palette indices, (height, width) uint8, in one reused buffer.

    Seeding, stepping and info are ale-py's own. `colour_table.palette[observation]` is its RGB observation.
    """

    colour_table: ColourTable
    _screen: NDArray[np.uint8]
    _ale_seed: int
    _fresh_state: FreshState | None = None

    def seed_game(self, seed: int | None = None) -> tuple[int, int]:
        """Seed ale-py's two random generators."""
        seeds = super().seed_game(seed)
        self._ale_seed = int(np.uint32(seeds[1]).view(np.int32))
        return seeds

    def load_game(self) -> None:
        """Load the ROM and find its colour table, or only replace the seed if that is the same (decision 0010)."""
        if self._fresh_state is not None and self._ale_seed != TIME_BASED_SEED:
            self.ale.restoreState(self._fresh_state.with_seed(self._ale_seed))
            return
        # ALE creates samples on the side; nothing that is played changes (decision 0009).
        self.ale.setBool("sound_obs", True)
        super().load_game()
        self._fresh_state = FreshState.find(self.ale, self._ale_seed)
        self._screen = np.empty(self.ale.getScreenDims(), np.uint8)
        self.colour_table = self._find_colour_table()

    def _find_colour_table(self) -> ColourTable:
        screen, rgb = self.ale.getScreen(), self.ale.getScreenRGB()
        # The first screen may be black, which both tables have; PAL games are the tallest.
        for television in (PAL, NTSC) if screen.shape[0] == 250 else (NTSC, PAL):
            if np.array_equal(television.colours[screen], rgb):
                return television
        raise UnsupportedEnvironment(
            f"ale-py {ale_py.__version__} draws {self._game} in colours that are not in "
            "skill_arcade.environments.colour_tables; measure the tables again"
        )

    def _get_obs(self) -> NDArray[np.uint8]:
        screen = self._screen
        self.ale.getScreen(screen)
        if np.bitwise_or.reduce(screen, axis=None) & 1:
            screen[:] = self.colour_table.goes[screen]
        return screen


def is_indexable(spec: EnvSpec) -> bool:
    """Return whether this is an Atari environment whose observation is its RGB screen."""
    given = spec.kwargs
    return (
        spec.entry_point == ENTRY_POINT
        and given.get("obs_type", "rgb") == "rgb"
        and not given.get("sound_obs", False)
        and not given.get("continuous", False)
    )


def rom_facts(game: str) -> dict[str, str]:
    """Return name and SHA-256 of the ROM that ale-py uses for `game` (its snake_case name)."""
    path = roms.get_rom_path(game)
    if path is None:
        raise UnsupportedEnvironment(f"ale-py ships no ROM named {game}")
    return {"game": game, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}


def find_rom(environment: EnvironmentSpec) -> Path | None:
    """Return the path of the ROM that a page could run, or None if the environment is no such game."""
    spec = gymnasium.spec(environment.id)
    path = roms.get_rom_path(spec.kwargs["game"]) if is_indexable(spec) else None
    return None if path is None else Path(path)


def find_options(ale: ale_py.ALEInterface) -> dict[str, tuple[int, ...]]:
    """Return the game modes and difficulties to choose from (Machado et al. 2018, section 6)."""
    offered = {"mode": ale.getAvailableModes(), "difficulty": ale.getAvailableDifficulties()}
    return {name: tuple(int(value) for value in values) for name, values in offered.items() if len(values) > 1}


class AtariPlayableEnv:
    """An ALE game as a playable environment. Its observation is the picture."""

    observes_picture = True
    changing_leaves = ()

    def __init__(self, standard: EnvSpec, spec: dict[str, Any]) -> None:
        """Create the environment that `standard` names. `spec` is the description for re-runs."""
        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        indexed = replace(
            standard, entry_point=cast(Any, IndexedAtariEnv), order_enforce=False, disable_env_checker=True
        )
        self._env = gymnasium.make(indexed)
        game = self._env.unwrapped
        assert isinstance(game, IndexedAtariEnv)
        self._game = game
        self.n_actions = len(game.get_action_meanings())
        self.meanings = tuple(game.get_action_meanings())
        self.spec = spec
        self.options = find_options(game.ale)
        self._screen: NDArray[np.uint8] | None = None
        self.emulation = describe_emulation(standard, spec["rom"])
        self._frameskip = standard.kwargs.get("frameskip", 4)
        self._raw = np.empty(game.ale.getScreenDims(), np.uint8)
        self._ram = np.empty(game.ale.getRAMSize(), np.uint8)

    def reset(self, seed: int) -> StepResult:
        """Start an episode, in about 4 ms."""
        self._screen, info = self._env.reset(seed=seed)
        return StepResult(self._screen, 0.0, False, False, encode_info(info))

    def step(self, action: int) -> StepResult:
        """Take one step. The observation is in a buffer that the next step overwrites."""
        self._screen, reward, terminated, truncated, info = self._env.step(action)
        return StepResult(self._screen, float(reward), terminated, truncated, dict(info))

    def picture(self) -> Picture:
        """Return the screen after the last reset or step."""
        if self._screen is None:
            raise RuntimeError("call reset before picture")
        return Picture(self._screen, self._game.colour_table.palette)

    @property
    def samples_per_step(self) -> int:
        """Samples per step: 512, or 0 if a step has several frames, of which ALE returns only the last one's."""
        return SAMPLES_PER_FRAME if self._frameskip == 1 else 0

    def sound(self) -> bytes:
        """Return the samples of the last step."""
        return bytes(self._game.ale.getAudio().data)

    def update_digest(self, digest: int, reward: float) -> int:
        """Continue the digest with the last reset or step: `SupportsLockstep.update_digest`."""
        ale = self._game.ale
        ale.getScreen(self._raw)
        ale.getRAM(self._ram)
        flags = ale.game_over(with_truncation=False) | ale.game_truncated() << 1
        rest = _REST.pack(int(reward), ale.lives(), flags)
        return zlib.crc32(rest, zlib.crc32(self._ram.data, zlib.crc32(self._raw.data, digest)))

    def save(self) -> ale_py.ALEState:
        """Return the emulator's state, including its random numbers, for `restore`."""
        return self._game.ale.cloneState(include_rng=True)

    def restore(self, state: ale_py.ALEState) -> None:
        """Restore a saved state. `picture` is valid again after the next step."""
        self._game.ale.restoreState(state)

    def memory(self) -> bytes:
        """Return the console's 128 bytes of RAM."""
        self._game.ale.getRAM(self._ram)
        return self._ram.tobytes()

    def position(self) -> Position | None:
        """Return where the player is, or None if it is not known for this game: `TellsPosition.position`."""
        reader = RAM_POSITIONS.get(self.spec["id"])
        return None if reader is None else reader.read(self.memory())

    def close(self) -> None:
        """Release the emulator."""
        self._env.close()
