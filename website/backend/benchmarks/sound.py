"""Whether asking the emulator for its sound changes what it plays, or what a step costs.

Each game is run twice from one seed, with the same actions: RAM, screen and reward of every step are compared, and the
processor's time of a step, of fetching its 512 samples, and of packing them for the wire, measured. A packet goes to
who has asked for sound, sixty times a second; the socket's own head (2 bytes) is not counted.
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
        silent, sounding = _play(game, steps, sound=False), _play(game, steps, sound=True)
        report.add(game, steps, silent[0] == sounding[0], silent[1], *sounding[1:])
    return report


def _play(game: str, steps: int, *, sound: bool) -> tuple[str, float, float, float, float, float]:
    """Digest of all that happened; microseconds of a step, a fetch, a packing; bytes a second; steps without sound."""
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
    packed = quiet = 0
    for step in range(steps):
        action = rng.choice(actions)
        began = time.process_time()
        reward = ale.act(action)
        stepping += time.process_time() - began
        if sound:
            began = time.process_time()
            samples = ale.getAudio()
            fetching += time.process_time() - began
            began = time.process_time()
            packed += len(SoundPacket(step, samples.tobytes()).pack())
            packing += time.process_time() - began
            quiet += int(samples.min() == samples.max())
        digest.update(ale.getRAM().tobytes() + ale.getScreen().tobytes() + str(reward).encode())
        if ale.game_over():
            ale.reset_game()
    micro = 1e6 / steps
    return (
        digest.hexdigest(),
        stepping * micro,
        fetching * micro,
        packing * micro,
        HZ * packed / steps,
        100 * quiet / steps,
    )
