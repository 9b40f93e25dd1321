"""CPU that a player costs the server, with scripted players in streamed or in lockstep mode and with recording."""

import asyncio
import json
import random
import time
from pathlib import Path

from benchmarks.players import PlayerStats, play
from benchmarks.processes import CpuMeter
from skill_arcade.environments.factory import make_environment
from skill_arcade.environments.playable_env import PlayableEnv
from skill_arcade.games.catalogue import load_catalogue
from skill_arcade.recording.journal_files import list_files
from skill_arcade.recording.purge import read_header
from tests.support.arcade import Arcade, now_ms, open_player, running_arcade
from tests.support.lockstep_page import EMPTY_MODULE, PERIOD_MS, LockstepPage

GAME = load_catalogue().games["breakout"]
SEND_SECONDS = 0.1
KINDS = ("server", "games", "uploader", "certifier", "postgres")


async def measure_cpu(folder: Path, mode: str, players: int, seconds: float) -> dict[str, float]:
    """Return the percentage of a core for each player, by kind of process and in all, and steps per second."""
    (folder / "lockstep.wasm").write_bytes(EMPTY_MODULE)
    settings = {
        "LOCKSTEP_FOLDER": str(folder),
        "MAX_GAMES": str(players + 2),
        "RATE_LIMIT_BURST": "1000",
        "LOG_LEVEL": "WARNING",
    }
    with running_arcade(folder, None, SEGMENT_SECONDS="5", **settings) as arcade:
        envs = [make_environment(GAME.environment) for _ in range(players if mode == "lockstep" else 0)]
        measuring, stop = asyncio.Event(), asyncio.Event()
        stats, steps = PlayerStats(), [0]
        async with asyncio.TaskGroup() as group:
            for number in range(players):
                email = f"{mode}{number}@example.org"
                if mode == "lockstep":
                    group.create_task(play_lockstep(arcade, email, envs[number], measuring, stop, steps))
                else:
                    until = time.monotonic() + seconds + 4 + 0.1 * (players - number)
                    group.create_task(play_streamed(arcade, email, until, stats, measuring))
                await asyncio.sleep(0.1)
            await asyncio.sleep(3)
            # In a thread, because the players run in this event loop.
            meter = await asyncio.to_thread(CpuMeter, arcade.process.pid, arcade.home)
            measuring.set()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                await asyncio.sleep(0.25)
                await asyncio.to_thread(meter.read)
            duration = time.monotonic() - meter.started
            n_steps = steps[0]
            stop.set()
    usage = {kind: 100 * meter.seconds.get(kind, 0.0) / duration / players for kind in KINDS}
    rate = sum(stats.rates) / len(stats.rates) if stats.rates else n_steps / duration / players
    return {"in all": sum(usage.values()), **usage, "steps/s": rate}


async def play_streamed(arcade: Arcade, email: str, until: float, stats: PlayerStats, measuring: asyncio.Event) -> None:
    """Play in streamed mode until this time."""
    async with open_player(arcade, email, "breakout") as player:
        await play(player, random.Random(email), until, stats, measuring)


async def play_lockstep(
    arcade: Arcade, email: str, env: PlayableEnv, measuring: asyncio.Event, stop: asyncio.Event, steps: list[int]
) -> None:
    """Play in lockstep mode, with ten messages per second and about four key changes per second."""
    rng = random.Random(email)
    async with open_player(arcade, email, "breakout") as player:
        while not stop.is_set():
            await player.send("start", mode="lockstep")
            started = await player.read_until("started")
            page = LockstepPage(GAME, find_seed(arcade, started["episode"]), env)
            page.now_ms = now_ms()
            reader = asyncio.create_task(player.read_until("ended"))
            held: str | None = None
            while not (page.over or stop.is_set()):
                await asyncio.sleep(SEND_SECONDS)
                if rng.random() < 0.4:
                    if held is not None:
                        page.press(held, down=False)
                    held = rng.choice(("left", "right"))
                    page.press(held)
                before = page.n_steps
                page.step(int((now_ms() - page.now_ms) / PERIOD_MS))
                if measuring.is_set() and not stop.is_set():
                    steps[0] += page.n_steps - before
                if reader.done():
                    raise RuntimeError(
                        f"the server ended the game: {reader.result()['reason']}; this machine may be too busy for "
                        "pages in real time"
                    )
                await player.socket.send(json.dumps(page.ticks()))
            if not page.over:
                await player.send("leave")
            await reader


def find_seed(arcade: Arcade, episode: str) -> int:
    """Return the seed of an episode. A real page receives it from the server in ALE's form."""
    header = read_header(list_files(arcade.home / "journal" / episode)[0])
    assert header is not None
    return header.seed
