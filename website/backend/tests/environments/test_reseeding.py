"""A game with a new seed behaves exactly as one whose ROM is loaded with that seed."""

import ale_py
import numpy as np
import pytest
from ale_py import roms

from skill_arcade.environments.atari import find_rom
from skill_arcade.environments.emulator_config import TIME_BASED_SEED
from skill_arcade.environments.reseeding import FreshState
from skill_arcade.games.catalogue import load_catalogue

SOME = ("breakout", "pong", "montezuma_revenge", "pitfall2", "video_pinball", "king_kong", "tic_tac_toe_3d", "et")
CHOICES = [game.environment for game in load_catalogue().games.values() if game.environment.id.startswith("ALE/")]
EVERY = sorted({rom.stem for choice in CHOICES if (rom := find_rom(choice))})
DRAWN_ALREADY = {"berzerk", "double_dunk"}
"""These games press random buttons, or let ALE do so, before their first frame."""


def make_emulator() -> ale_py.ALEInterface:
    emulator = ale_py.ALEInterface()
    emulator.setLoggerMode(ale_py.LoggerMode.Error)
    emulator.setFloat("repeat_action_probability", 0.25)
    return emulator


def load(emulator: ale_py.ALEInterface, game: str, seed: int) -> None:
    emulator.setInt("random_seed", seed)
    rom = roms.get_rom_path(game)
    assert rom is not None
    emulator.loadROM(rom)


def play(emulator: ale_py.ALEInterface, actions: list[int]) -> list[bytes]:
    """Return the state, with the random number generator, and the screen after each action."""
    seen, available = [], emulator.getMinimalActionSet()
    for action in actions:
        reward = emulator.act(available[action % len(available)])
        if emulator.game_over():
            emulator.reset_game()
        seen.append(emulator.cloneState(include_rng=True).serialize() + emulator.getScreen().tobytes() + b"%d" % reward)
    return seen


def check(game: str) -> None:
    rng = np.random.default_rng(len(game))
    emulator, other = make_emulator(), make_emulator()
    load(emulator, game, 5)
    unplayed = FreshState.find(emulator, 5)
    assert unplayed is not None
    emulator.reset_game()
    play(emulator, rng.integers(18, size=100).tolist())
    seed = int(rng.integers(-(2**31), 2**31))
    emulator.restoreState(unplayed.with_seed(seed))
    load(other, game, seed)
    actions = rng.integers(18, size=300).tolist()
    for each in (emulator, other):  # as `AtariEnv.reset` does; Miniature Golf's score is not in its state
        each.reset_game()
    assert emulator.cloneState(include_rng=True).serialize() == other.cloneState(include_rng=True).serialize()
    assert np.array_equal(emulator.getScreen(), other.getScreen())
    assert play(emulator, actions) == play(other, actions)


@pytest.mark.parametrize("game", SOME)
def test_reseed_equals_loading_rom_with_the_seed(game: str) -> None:
    check(game)


@pytest.mark.slow
@pytest.mark.parametrize("game", [game for game in EVERY if game not in SOME and game not in DRAWN_ALREADY])
def test_reseed_of_every_game_equals_loading_rom(game: str) -> None:
    check(game)


@pytest.mark.parametrize("game", sorted(DRAWN_ALREADY))
def test_reseed_after_random_draw_finds_no_fresh_state(game: str) -> None:
    emulator = make_emulator()
    load(emulator, game, 5)
    assert FreshState.find(emulator, 5) is None


def test_reseed_with_clock_seed_raises_value_error() -> None:
    emulator = make_emulator()
    load(emulator, "pong", 5)
    unplayed = FreshState.find(emulator, 5)
    assert unplayed is not None
    with pytest.raises(ValueError, match="the time"):
        unplayed.with_seed(TIME_BASED_SEED)
