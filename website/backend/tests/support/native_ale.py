"""Plays Atari games as the server does, and prints a JSON line per game that the page's emulator must reproduce.

    python -m tests.support.native_ale '{"games": ["breakout"], "sticky": [0.0, 0.25], "steps": 3000}'

`games` null means every game that ALE supports. A line contains the setup of a game and its episodes: the seed, the
actions, and the digests after reset and after each step as little-endian 32-bit numbers.
"""

import base64
import json
import random
import sys
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from ale_py import ALEInterface, LoggerMode, roms

from skill_arcade.environments.atari import AtariPlayableEnv
from skill_arcade.environments.emulator_config import ale_seed
from skill_arcade.environments.factory import make_environment
from skill_arcade.games.manifest import EnvironmentSpec

TWO_PLAYERS = {"combat", "joust", "maze_craze", "warlords"}
PICTURE_EVERY = 100


def main() -> None:
    """Play the games of the plan in the first argument."""
    ALEInterface.setLoggerMode(LoggerMode.Error)
    plan = json.loads(sys.argv[1])
    games = plan["games"] or sorted(set(roms.get_all_rom_ids()) - TWO_PLAYERS)
    for game in games:
        for sticky in plan["sticky"]:
            line = play(game, plan["steps"], sticky, **vary(game, plan.get("vary", False)))
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def vary(game: str, wanted: bool) -> dict[str, Any]:
    """Return unusual settings: the last mode and difficulty, all actions, and skipped frames."""
    if not wanted:
        return {"frameskip": 1}
    ale = ALEInterface()
    ale.loadROM(rom_path(game))
    return {
        "frameskip": 4,
        "mode": int(ale.getAvailableModes()[-1]),
        "difficulty": int(ale.getAvailableDifficulties()[-1]),
        "full_action_space": True,
        "max_num_frames_per_episode": 1001,
    }


def play(game: str, steps: int, sticky: float, **settings: Any) -> dict[str, Any]:
    """Take `steps` steps with random actions, over any number of episodes."""
    kwargs = {"repeat_action_probability": sticky, **settings}
    env = make_environment(EnvironmentSpec(id=environment_id(game), kwargs=kwargs))
    assert isinstance(env, AtariPlayableEnv)
    assert env.emulation is not None
    player = random.Random(f"{game} {sticky} {settings}")
    episodes: list[dict[str, Any]] = []
    remaining = steps
    while remaining > 0:
        episodes.append(play_episode(env, 1 + player.randrange(2**31 - 1), player, remaining))
        remaining -= len(base64.b64decode(episodes[-1]["actions"]))
    env.close()
    return {
        "game": game,
        "rom": base64.b64encode(rom_path(game).read_bytes()).decode(),
        "emulation": asdict(env.emulation),
        "episodes": episodes,
    }


def play_episode(env: AtariPlayableEnv, seed: int, player: random.Random, max_steps: int) -> dict[str, Any]:
    """Play one episode, at most `max_steps` steps."""
    env.reset(seed)
    digests, actions, pictures = [env.update_digest(0, 0)], bytearray(), [crc_picture(env)]
    is_over = False
    for action in press(player, env.n_actions):
        if is_over or len(actions) == max_steps:
            break
        outcome = env.step(action)
        is_over = outcome.terminated or outcome.truncated
        actions.append(action)
        digests.append(env.update_digest(digests[-1], outcome.reward))
        if len(actions) % PICTURE_EVERY == 0:
            pictures.append(crc_picture(env))
    return {
        "ale_seed": ale_seed(seed),
        "actions": base64.b64encode(bytes(actions)).decode(),
        "digests": base64.b64encode(np.array(digests, "<u4").tobytes()).decode(),
        "pictures": pictures,
        "over": is_over,
    }


def press(player: random.Random, n_actions: int) -> Iterator[int]:
    """Yield random actions, each held for up to twenty steps."""
    while True:
        action = player.randrange(n_actions)
        for _ in range(player.randrange(1, 20)):
            yield action


def environment_id(game: str) -> str:
    """Return Gymnasium's id of the game that ale-py calls `game`."""
    return next(
        id_ for id_, spec in gymnasium.registry.items() if spec.namespace == "ALE" and spec.kwargs["game"] == game
    )


def rom_path(game: str) -> Path:
    """Return the path of the game's ROM in ale-py."""
    path = roms.get_rom_path(game)
    assert path is not None
    return Path(path)


def crc_picture(env: AtariPlayableEnv) -> int:
    """Return the CRC-32 of the RGBA picture that the player sees."""
    rgb = env.picture().rgb()
    return zlib.crc32(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]).tobytes())


if __name__ == "__main__":
    main()
