"""Atari games, kept as palette indices: an index screen is a third of an RGB one and costs next to nothing."""

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
from skill_arcade.environments.reseeding import FreshState
from skill_arcade.errors import UnsupportedEnvironment
from skill_arcade.exact_json import encode_value
from skill_arcade.frames.picture import Picture
from skill_arcade.games.manifest import EnvironmentSpec

ENTRY_POINT = "ale_py.env:AtariEnv"
SAMPLES_PER_FRAME = 512
"""ALE's `SoundRaw::SamplesPerFrame`: made for 31,400 a second, and 60 frames a second take 30,720."""
_REST = struct.Struct("<iii")


class IndexedAtariEnv(AtariEnv):
    """`AtariEnv` whose observation is the screen as palette indices, (height, width) uint8, in one buffer.

    Everything else (seeding, stepping, info) is ale-py's own; `television.palette[observation]` is its RGB observation.
    """

    colour_table: ColourTable
    _screen: NDArray[np.uint8]
    _ale_seed: int
    _fresh_state: FreshState | None = None

    def seed_game(self, seed: int | None = None) -> tuple[int, int]:
        """Seed ale-py's two generators."""
        seeds = super().seed_game(seed)
        self._ale_seed = int(np.uint32(seeds[1]).view(np.int32))
        return seeds

    def load_game(self) -> None:
        """Load the ROM and find the colours that it is drawn with; or, where that is the same, only change the seed."""
        if self._fresh_state is not None and self._ale_seed != TIME_BASED_SEED:
            self.ale.restoreState(self._fresh_state.with_seed(self._ale_seed))
            return
        # Samples are made beside the game and wait to be fetched: nothing that is played changes (decision 0009).
        self.ale.setBool("sound_obs", True)
        super().load_game()
        self._fresh_state = FreshState.find(self.ale, self._ale_seed)
        self._screen = np.empty(self.ale.getScreenDims(), np.uint8)
        self.colour_table = self._find_colour_table()

    def _find_colour_table(self) -> ColourTable:
        screen, rgb = self.ale.getScreen(), self.ale.getScreenRGB()
        # A screen may be all black at first, which both have; the PAL games are the tallest ones.
        for television in (PAL, NTSC) if screen.shape[0] == 250 else (NTSC, PAL):
            if np.array_equal(television.colours[screen], rgb):
                return television
        raise UnsupportedEnvironment(
            f"ale-py {ale_py.__version__} draws {self._game} in colours that are not in "
            "skill_arcade.environments.colour_tables; measure them anew"
        )

    def _get_obs(self) -> NDArray[np.uint8]:
        screen = self._screen
        self.ale.getScreen(screen)
        if np.bitwise_or.reduce(screen, axis=None) & 1:
            screen[:] = self.colour_table.goes[screen]
        return screen


def is_indexable(spec: EnvSpec) -> bool:
    """Say whether this is an Atari game whose observation is its RGB screen."""
    given = spec.kwargs
    return (
        spec.entry_point == ENTRY_POINT
        and given.get("obs_type", "rgb") == "rgb"
        and not given.get("sound_obs", False)
        and not given.get("continuous", False)
    )


def rom_facts(game: str) -> dict[str, str]:
    """Name and SHA-256 of the ROM that ale-py plays for `game` (its snake_case name)."""
    path = roms.get_rom_path(game)
    if path is None:
        raise UnsupportedEnvironment(f"ale-py ships no ROM named {game}")
    return {"game": game, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}


def find_rom(environment: EnvironmentSpec) -> Path | None:
    """Where the ROM of a game is that a page could run; None when it is no such game."""
    spec = gymnasium.spec(environment.id)
    path = roms.get_rom_path(spec.kwargs["game"]) if is_indexable(spec) else None
    return None if path is None else Path(path)


def find_options(ale: ale_py.ALEInterface) -> dict[str, tuple[int, ...]]:
    """The cartridge's game modes and difficulties, where there is a choice (Machado et al. 2018, section 6)."""
    offered = {"mode": ale.getAvailableModes(), "difficulty": ale.getAvailableDifficulties()}
    return {name: tuple(int(value) for value in values) for name, values in offered.items() if len(values) > 1}


class AtariPlayableEnv:
    """A game of ALE as a `Stage`. Its observation is the picture."""

    observes_picture = True

    def __init__(self, standard: EnvSpec, spec: dict[str, Any]) -> None:
        """Make the environment that `standard` names; `spec` is what `Stage.spec` tells."""
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
        """Begin an episode, in about 4 ms."""
        self._screen, info = self._env.reset(seed=seed)
        return StepResult(self._screen, 0.0, False, False, encode_value(info))

    def step(self, action: int) -> StepResult:
        """Take one step. The observation is palette indices in a buffer that the next step writes to."""
        self._screen, reward, terminated, truncated, info = self._env.step(action)
        return StepResult(self._screen, float(reward), terminated, truncated, dict(info))

    def picture(self) -> Picture:
        """The screen after the last reset or step."""
        if self._screen is None:
            raise RuntimeError("reset comes before the first picture")
        return Picture(self._screen, self._game.colour_table.palette)

    @property
    def samples_per_step(self) -> int:
        """512; 0 where a step has several frames, of which ALE gives the last one's only."""
        return SAMPLES_PER_FRAME if self._frameskip == 1 else 0

    def sound(self) -> bytes:
        """What the last step sounded like."""
        return bytes(self._game.ale.getAudio().data)

    def update_digest(self, digest: int, reward: float) -> int:
        """Add what reset or the last step led to, as ALE has it: `Emulated.fold`."""
        ale = self._game.ale
        ale.getScreen(self._raw)
        ale.getRAM(self._ram)
        flags = ale.game_over(with_truncation=False) | ale.game_truncated() << 1
        rest = _REST.pack(int(reward), ale.lives(), flags)
        return zlib.crc32(rest, zlib.crc32(self._ram.data, zlib.crc32(self._raw.data, digest)))

    def save(self) -> ale_py.ALEState:
        """The emulator's state, its random numbers included, to `restore`."""
        return self._game.ale.cloneState(include_rng=True)

    def restore(self, state: ale_py.ALEState) -> None:
        """Go back to a saved state; `picture` is true again after the next step."""
        self._game.ale.restoreState(state)

    def memory(self) -> bytes:
        """The console's memory, all of it."""
        self._game.ale.getRAM(self._ram)
        return self._ram.tobytes()

    def close(self) -> None:
        """Free the emulator."""
        self._env.close()
