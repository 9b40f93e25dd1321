"""Cost of the emulator's sound per step, and a check that it does not change the game.

Each game is run twice with the same seed and actions, with and without sound. RAM, screen and reward of every step are
compared. CPU times of a step, of fetching its 512 samples, and of packing them for the wire are measured. A client that
has asked for sound receives 60 packets per second; the WebSocket header (2 bytes) is not counted.
"""

import hashlib
import random
import time

from ale_py import ALEInterface, LoggerMode, roms

from benchmarks.report import Report
from skill_arcade.wire.sound import SoundPacket

HZ = 60
GAMES = ("breakout", "pong", "space_invaders", "seaquest", "montezuma_revenge", "ms_pacman")
COLUMNS = (
    "game",
    "steps",
    "equal",
    "step us, silent",
    "step us, sound",
    "fetch us",
    "pack us",
    "packets B/s",
    "silent steps %",
)


def run(steps: int = 3000, games: tuple[str, ...] = GAMES) -> Report:
    """Compare games with and without sound."""
    report = Report("sound", COLUMNS)
    ALEInterface.setLoggerMode(LoggerMode.Error)
    for game in games:
        silent, with_sound = _play(game, steps, sound=False), _play(game, steps, sound=True)
        report.add(game, steps, silent[0] == with_sound[0], silent[1], *with_sound[1:])
    return report


def _play(game: str, steps: int, *, sound: bool) -> tuple[str, float, float, float, float, float]:
    """Return the digest; microseconds of a step, a fetch and a packing; bytes per second; percent of silent steps."""
    ale = ALEInterface()
    ale.setInt("random_seed", 7)
    ale.setFloat("repeat_action_probability", 0.25)
    ale.setBool("sound_obs", sound)
    rom = roms.get_rom_path(game)
    assert rom is not None
    ale.loadROM(rom)
    ale.reset_game()
    actions, rng, digest = ale.getMinimalActionSet(), random.Random(1), hashlib.sha256()
    stepping = fetching = packing = 0.0
    packed = silent_steps = 0
    for step in range(steps):
        action = rng.choice(actions)
        started = time.process_time()
        reward = ale.act(action)
        stepping += time.process_time() - started
        if sound:
            started = time.process_time()
            samples = ale.getAudio()
            fetching += time.process_time() - started
            started = time.process_time()
            packed += len(SoundPacket(step, samples.tobytes()).pack())
            packing += time.process_time() - started
            silent_steps += int(samples.min() == samples.max())
        digest.update(ale.getRAM().tobytes() + ale.getScreen().tobytes() + str(reward).encode())
        if ale.game_over():
            ale.reset_game()
    scale = 1e6 / steps
    return (
        digest.hexdigest(),
        stepping * scale,
        fetching * scale,
        packing * scale,
        HZ * packed / steps,
        100 * silent_steps / steps,
    )
